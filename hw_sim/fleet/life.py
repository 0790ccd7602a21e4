"""What one locker of the fleet remembers: its journal, its cabinet, how far it follows the centre's log."""

from collections.abc import Iterable
from typing import Final

from hw_sim.chance import Chance
from hw_sim.fleet.downlog import DownCursor, StateEntry
from hw_sim.fleet.journal import Journal, Shelf, Stamp
from hw_sim.fleet.visits import (
    BETWEEN_MS,
    HANDLING_MS,
    PULSE_MS,
    SPRING_MS,
    Cabinet,
    Fact,
    Keys,
    Whence,
)

SOFTWARE: Final = "hw-sim fleet"
SIGNED_EVERY: Final = 100
SALT_BYTES: Final = 16
PERSONAL: Final = ("name", "phone")
"""Fields of the centre's entries that the journal keeps apart."""
BOOT: Final = 1
LEG_ENTRIES_MIN: Final = 7
"""The shortest leg of a visit."""


class Life:
    """Facts in, entries out. Times are milliseconds of the wall; monotonic ones count from ``born_ms``."""

    def __init__(self, keys: Keys, shelf: Shelf, number: int, epoch: str, chance: Chance) -> None:
        self.keys = keys
        self.cabinet = Cabinet(keys, chance)
        self.journal = Journal(shelf, number, epoch)
        self.down = DownCursor()
        self._chance = chance
        self._signed = 0
        self._born_ms = 0

    def begin(self, entries: int, until_ms: int) -> None:
        """A past of at least so many entries, whole legs, that ends before ``until_ms``."""
        longest_ms = BETWEEN_MS[1] + HANDLING_MS[1] + SPRING_MS + PULSE_MS
        self._born_ms = now_ms = until_ms - (entries // LEG_ENTRIES_MIN + 1) * longest_ms
        self.commit(self.cabinet.birth(self.journal.epoch, SOFTWARE), now_ms)
        while self.journal.head < entries:
            for moment in self.cabinet.leg():
                now_ms += moment.wait_ms
                self.commit(moment.facts(self.whence(now_ms)), now_ms)

    def whence(self, now_ms: int) -> Whence:
        return Whence(self.journal.epoch, self.journal.head, now_ms)

    def mono_ms(self, now_ms: int) -> int:
        return max(0, now_ms - self._born_ms)

    def commit(self, facts: Iterable[Fact], now_ms: int) -> None:
        """One transaction; the head is signed as often as a locker does."""
        stamp = Stamp(BOOT, self.mono_ms(now_ms), now_ms)
        stamped = [(fact, stamp) for fact in facts]
        named = any(fact.personal for fact, _ in stamped)
        self.journal.commit(stamped, self._chance.octets("salt", SALT_BYTES) if named else b"")
        if self.journal.head - self._signed >= SIGNED_EVERY:
            self.journal.commit([(self._head_signed(), stamp)], b"")
            self._signed = self.journal.head

    def apply(self, dn_epoch: str, entry: StateEntry, now_ms: int) -> None:
        """One entry of the centre's log and the moved cursor, in one transaction."""
        facts: list[Fact] = []
        if self.down.epoch != dn_epoch:
            facts.append(Fact("DownLogStarted", "centre", {"dn_epoch": dn_epoch}))
        outcome = "applied" if entry.known else f"refused: unknown type {entry.type!r}"
        if entry.known:
            data = {name: value for name, value in entry.data.items() if name not in PERSONAL}
            named = {name: entry.data[name] for name in PERSONAL if entry.data.get(name)}
            facts.append(Fact(entry.type, "centre", data, named))
        done = {"dn_epoch": dn_epoch, "dn_seq": entry.seq, "dn_hash": entry.hash, "outcome": outcome}
        self.commit([*facts, Fact("DirectiveApplied", "centre", done)], now_ms)
        self.down = DownCursor(dn_epoch, entry.seq, entry.hash)

    def _head_signed(self) -> Fact:
        journal, own = self.journal, self.keys.own
        text = f"{journal.epoch}:{journal.head}:{journal.head_hash.hex()}"
        signed = {"key": own.id.hex(), "signature": own.sign(text.encode()).hex()}
        return Fact("HeadSigned", "clock", {"seq": journal.head, "hash": journal.head_hash.hex(), **signed})
