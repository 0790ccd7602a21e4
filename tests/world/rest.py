"""The accounts that are settled once everything is quiet."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, select

from locker.domain.ids import AreaId, LockerId
from locker.journal import verify, verify_evidence
from locker.journal.errors import JournalError
from locker.journal.evidence import Signer, export
from locker.journal.reader import Reader
from locker.journal.store import Store
from locker.platform import Keys
from sync.central.tables import ALARM
from tests.world.disks import Platter
from tests.world.journals import JOURNAL, Complaint, Past, Row, fact_of
from tests.world.ledgers import unequal
from tests.world.reference import Reference
from tests.world.searches import finds, secrets_of

if TYPE_CHECKING:
    from tests.world.machine import Machine
    from tests.world.world import World

RESTING_S: Final = 60.0
"""What is younger may be on its way."""
FORKS: Final = frozenset({"old_card", "bit_rot", "clone"})
"""Faults after which two histories of one locker are about."""
TOLD: Final = ("lost_rows", "fork", "hole")


@dataclass
class Rest:
    """One locker's accounts."""

    world: "World"
    machine: "Machine"
    scratch: Path

    def settled(self, past: Past, model: Reference, rows: list[Row], chance: Random) -> Iterator[Complaint]:
        """Everything that must be equal now."""
        built, store = self.machine.built, self.world.centre.store
        if built is None or store is None:
            yield 25, "nobody serves any more, though everything is quiet"
            return
        yield from self._evidence(rows, chance)
        yield from self._things(model)
        if self.world.lies & FORKS:
            return
        late = [seq for seq, at_s in past.told_s.items() if at_s < self.world.loop.time() - RESTING_S]
        if late:
            yield 24, f"entries {late[0]} to {late[-1]} never came to the centre"
            return
        state = built.journal.state

        def differences(connection: Connection) -> list[str]:
            return list(unequal(connection, self.machine.name, state, rows))

        for difference in store.read_now(differences):
            yield 29, difference

    def warned(self) -> bool:
        """Whether the centre knows that this locker tells another history than before."""
        store = self.world.centre.store
        where = [ALARM.c.locker == self.machine.name, ALARM.c.kind.in_(TOLD)]
        query = select(ALARM.c.number).where(*where)
        return store is not None and store.read_now(lambda c: c.execute(query).first()) is not None

    def _things(self, model: Reference) -> Iterator[Complaint]:
        """What people were told was taken over lies where they put it, and the locker knows of it."""
        for thing, (name, number) in self.world.testimony.entrusted.items():
            if name != self.machine.name:
                continue
            if thing not in self.world.contents.at(self.machine, number):
                yield 5, f"{thing} was taken over behind door {number}, and is not there"
            door = model.doors[number]
            if not (door.deposit or door.doubt):
                yield 4, f"{thing} lies behind door {number}, which counts as empty"

    # --- the file itself ---

    def _copy(self) -> Path:
        """A journal of the same content, on a disk of its own."""
        folder, name = self.scratch / "copy", str(self.machine.folder / "state" / JOURNAL)
        folder.mkdir(exist_ok=True)
        (folder / JOURNAL).touch()
        image = self.machine.platter.image()
        files = {f"{folder / JOURNAL}{end}": image[name + end] for end in ("", "-wal") if name + end in image}
        self.world.vfs.power_gone(folder)
        self.world.rack.put(folder, Platter(files))
        return folder / JOURNAL

    def _evidence(self, rows: list[Row], chance: Random) -> Iterator[Complaint]:
        path = self._copy()
        verdict = verify.check(path)
        if verdict.wrong:
            yield 14, f"entry {verdict.seq}: {verdict.wrong}"
            return
        cases = sorted({fact.data["case"] for fact in map(fact_of, rows) if fact.data.get("case")})
        if cases:
            yield from self._bundle(path, chance.choice(cases))
        store = Store(path)
        try:
            store.purge_personal(store.acknowledged)
        finally:
            store.close()
        purged = verify.check(path)
        if purged.wrong or purged.head != verdict.head:
            yield 19, f"after purging what is personal: {purged.wrong or 'another head'} at {purged.seq}"

    def _bundle(self, path: Path, case: str) -> Iterator[Complaint]:
        name = self.machine.name
        keys = Keys.load(self.machine.folder / "keys", LockerId(name), AreaId("park"))
        signer = Signer(name, keys.own.public, keys.own.sign, keys.centre_sign)
        reader = Reader(path)
        try:
            data = export(reader, case, signer)
        except JournalError as error:
            yield 14, f"no evidence of case {case}: {error}"
            return
        finally:
            reader.close()
        verdict = verify_evidence.check(data)
        if verdict.wrong:
            yield 14, f"the evidence of case {case} does not hold: {verdict.wrong}"


def searched(world: "World", said: list[bytes], logged: list[str], pins: set[str]) -> Iterator[Complaint]:
    """What must stand nowhere, in everything that was kept or sent."""
    secrets, keys = secrets_of(world.centre), dict(_keys(world))
    keys |= {f'"{pin}"'.encode(): "a PIN" for pin in pins}
    places = [("the hub's disk", list(world.centre.platter.image().values()))]
    places += [(f"the disk of {m.name}", list(m.platter.image().values())) for m in world.machines]
    places += [("the broker", said), ("the log", [line.encode() for line in logged])]
    for where, parts in places:
        sealed = {} if where == "the hub's disk" else keys
        for what in finds(where, parts, secrets, sealed):
            yield 18, what


def _keys(world: "World") -> Iterator[tuple[bytes, str]]:
    for machine in world.machines:
        own = json.loads((machine.folder / "keys" / "own.json").read_text())
        yield own["sign_seed"].encode(), f"the key of {machine.name}"
        yield bytes.fromhex(own["sign_seed"]), f"the key of {machine.name}"
