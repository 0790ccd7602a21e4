"""The centre's ledger against the lockers' journals: while the world goes on, and in full at rest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select

from locker.domain.state import LockerState
from sync.central.tables import ALARM, COMPARTMENT, DEPOSIT, PICKUP_CODE, TICKET
from tests.world.journals import Complaint, Past, Row, fact_of

if TYPE_CHECKING:
    from collections.abc import Sequence

STORED_TO: Final = "SELECT stored_to FROM stream WHERE locker = ? AND epoch = ?"
NEWER: Final = (
    "SELECT seq, hash, problem FROM ledger_entry WHERE locker = ? AND epoch = ? AND seq > ? ORDER BY seq"
)
SAID: Final = ("deposit", "doubt", "fault", "blocked")
"""What both sides say of a compartment in the same words."""


@dataclass
class Ledger:
    """How far one locker's entries were found at the centre and compared."""

    locker: str
    epoch: str = ""
    cursor: int = 0
    most: int = 0
    """That was ever stored there."""

    def look(self, connection: Connection, past: Past, said: int, *, alive: bool) -> Iterator[Complaint]:
        """Compare what is new there. ``said``: what the locker believes to be stored there."""
        if past.epoch != self.epoch:
            self.epoch, self.cursor, self.most = past.epoch, 0, 0
        # Every minute: without a statement's whole machinery.
        raw: Any = connection.connection.driver_connection
        found = raw.execute(STORED_TO, (self.locker, self.epoch)).fetchone()
        stored_to = int(found[0]) if found else 0
        self.most = max(self.most, stored_to)
        if said > self.most:
            yield 15, f"the locker believes that {said} entries are at the centre, which has {self.most}"
        self.cursor = min(self.cursor, stored_to)  # an older copy may have been put back
        yield from self._compare(raw, past, stored_to, alive=alive)

    def _compare(self, raw: Any, past: Past, stored_to: int, *, alive: bool) -> Iterator[Complaint]:
        for seq, link, problem in raw.execute(NEWER, (self.locker, self.epoch, self.cursor)).fetchall():
            known = past.hashes.get(seq)
            if seq != self.cursor + 1:
                yield 15, f"the centre has entry {seq} after {self.cursor}: one is missing between them"
            if known is None and not alive:
                return  # what a run that ended wrote last is read when the next one begins
            if known is None:
                yield 13, f"the centre has entry {seq}, the journal ends at {past.last}"
                return
            if known.hex() != link:
                yield 15, f"the centre has another entry {seq}: {link[:16]}, here it is {known.hex()[:16]}"
            if problem:
                yield 15, f"the centre could not apply entry {seq}: {problem}"
            past.told_s.pop(seq, None)
            self.cursor = seq
        if stored_to != self.cursor:
            yield 15, f"the centre says it has {stored_to} entries, and has {self.cursor}"


def unequal(connection: Connection, locker: str, state: LockerState, rows: "Sequence[Row]") -> Iterator[str]:
    """In what the centre's projections are not what the locker's own journal says."""
    yield from _compartments(connection, locker, state)
    yield from _deposits(connection, locker, state)
    yield from _codes(connection, locker, state)
    yield from _troubles(connection, locker, rows)


def _compartments(connection: Connection, locker: str, state: LockerState) -> Iterator[str]:
    theirs = {row["number"]: row for row in _all(connection, COMPARTMENT, locker)}
    for number, own in state.compartments.items():
        row = theirs.get(number, {})
        for word in SAID:
            if row.get(word) != getattr(own, word):
                yield f"{word} of door {number}: {row.get(word)!r} there, {getattr(own, word)!r} here"
        if row.get("position") != own.position.value:
            yield f"door {number} is {row.get('position')!r} there, {own.position.value!r} here"


def _deposits(connection: Connection, locker: str, state: LockerState) -> Iterator[str]:
    theirs = {row["deposit"]: row for row in _all(connection, DEPOSIT, locker)}
    for key, own in state.deposits.items():
        row = theirs.get(key, {})
        there, here = (row.get("phase"), row.get("door")), (own.phase.value, own.door)
        if there != here:
            yield f"deposit {key} of case {own.case}: {there} there, {here} here"
    ended = {"taken_in", "taken_back", "collected", "withdrawn", "cancelled"}
    for key, row in theirs.items():
        if key not in state.deposits and row["phase"] not in ended:
            yield f"deposit {key} of case {row['case_number']} is {row['phase']} there, unknown here"


def _codes(connection: Connection, locker: str, state: LockerState) -> Iterator[str]:
    theirs = {row["code"]: row["ended"] for row in _all(connection, PICKUP_CODE, locker)}
    for key, own in state.codes.items():
        if theirs.get(key) != own.ended:
            yield f"pickup code {key} ended {theirs.get(key)!r} there, {own.ended!r} here"


def _troubles(connection: Connection, locker: str, rows: "Sequence[Row]") -> Iterator[str]:
    facts = [fact_of(row) for row in rows if '"TicketOpened"' in row.public or '"DoorForced"' in row.public]
    tickets = {row["seq"] for row in _all(connection, TICKET, locker)}
    missing = sorted({fact.seq for fact in facts if fact.kind == "TicketOpened"} - tickets)
    if missing:
        yield f"tickets of entries {missing} are not there"
    where = [ALARM.c.locker == locker, ALARM.c.kind == "door_forced"]
    alarms = {str(subject).rpartition("/")[2] for (subject,) in connection.execute(_subjects(where))}
    silent = sorted(fact.seq for fact in facts if fact.kind == "DoorForced" and str(fact.seq) not in alarms)
    if silent:
        yield f"no alarm of the doors forced in entries {silent} is there"


def _subjects(where: list[Any]) -> Any:
    return select(ALARM.c.subject).where(*where)


def _all(connection: Connection, table: Any, locker: str) -> list[Mapping[str, Any]]:
    found = connection.execute(select(table).where(table.c.locker == locker))
    return [dict(row._mapping) for row in found]
