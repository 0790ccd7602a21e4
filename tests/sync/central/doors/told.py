"""A locker that does what it is told: the fake one, with a journal that takes in the down-log."""

from typing import Any

from sqlalchemy import select

from locker.domain import directives
from locker.domain import events as ev
from locker.domain.compartment import CompartmentSpec, Reach, Size
from locker.domain.door import Position, Presence
from locker.domain.ids import CompartmentNumber, Epoch, LockerId, Seq
from sync.central import store
from sync.central import tables as t
from sync.central.access.actor import Role, person
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts

OPERATOR = person("op", [Role.FLEET_OPERATOR], ["*"])
CLERK = person("wang", [Role.WINDOW_CLERK], ["*"])
ELSEWHERE = person("far", [Role.FLEET_OPERATOR, Role.WINDOW_CLERK], ["south"])
SMALL, LARGE = (1, 2, 3, 4, 5), (6, 7)


class Told:
    """`hears` what was said since; `goes_on` with facts of its own. Five small doors, two large ones."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.office = people.office_of(parts)
        self._applied = 0
        specs = tuple(
            CompartmentSpec(CompartmentNumber(n), "A", size, Reach.MIDDLE, 0, n, item_sensor=True)
            for size, numbers in ((Size.S, SMALL), (Size.L, LARGE))
            for n in numbers
        )
        seen = (ev.DoorRead(spec.number, Position.CLOSED, Presence.ABSENT) for spec in specs)
        born = ev.EpochStarted(Epoch(parts.locker.epoch), LockerId("hall-1"))
        self.goes_on(born, ev.CompartmentsConfigured(specs), *seen)
        self.is_there()

    def goes_on(self, *facts: ev.Event) -> None:
        first = self.parts.locker.head + 1
        self.parts.locker.add(*facts)
        self.parts.ingest(first)

    def is_there(self, **values: Any) -> None:
        """Linked and fresh, or as ``values`` say."""
        heard = {"online": True, "last_heard_ms": self.parts.clock.now_ms, **values}
        self.parts.store.write_now(lambda c: store.change(c, t.LOCKER, {"locker": "hall-1"}, heard))

    def hears(self, refused: str = "", void: str = "") -> list[directives.StateEntry | None]:
        """Everything since the last time, in the numbering in force; refused or void if there is a reason."""
        (row,) = [each for each in self.parts.rows(t.LOCKER) if each.locker == "hall-1"]
        own = t.DIRECTIVE.c
        query = select(t.DIRECTIVE).where(own.dn_epoch == row.dn_epoch, own.seq > self._applied)
        texts = self.parts.store.read_now(lambda c: c.execute(query.order_by(own.seq)).all())
        said = [directives.read(each.text).says for each in texts]
        for each, says in zip(texts, said, strict=True):
            outcome = f"refused: {refused}" if refused else f"void: {void}" if void else "applied"
            told = ev.DirectiveApplied(Epoch(row.dn_epoch), Seq(each.seq), each.hash, outcome)
            self.goes_on(*(() if refused or void or says is None else (says,)), told)
            self._applied = each.seq
        return said

    def numbered_anew(self) -> None:
        self._applied = 0

    def door(self, number: int) -> Any:
        (row,) = [each for each in self.parts.rows(t.COMPARTMENT) if each.number == number]
        return row
