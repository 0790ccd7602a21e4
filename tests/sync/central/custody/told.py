"""A locker with papers and a result in it, and people who carry them."""

from functools import partial

from sqlalchemy import Connection

from locker.domain import events as ev
from locker.domain.access import Role
from locker.domain.compartment import CompartmentSpec, Reach, Size
from locker.domain.deposit import Kind, Proof
from locker.domain.door import Presence
from locker.domain.ids import AuthorisationId, CaseNumber, CompartmentNumber, DepositId, ItemId, StaffId
from sync.central import staff
from sync.central.access.actor import HUB, person
from sync.central.access.actor import Role as HubRole
from sync.central.custody import fold
from sync.central.custody.parties import Kind as Hands
from sync.central.custody.parties import Party
from sync.central.custody.tables import DIFFERENCE, HELD
from sync.central.tables import STREAM
from sync.central.windows import register
from tests.sync.central.conftest import Parts
from tests.sync.central.test_ledger import BIRTH

GIVER = person("giver", [HubRole.HELPER_LEAD], ["*"])
TAKER = person("taker", [HubRole.WINDOW_CLERK], ["north"])
THIRD = person("third", [HubRole.HELPER_LEAD], ["north"])
FAR = person("far", [HubRole.HELPER_LEAD, HubRole.WINDOW_CLERK], ["south"])
HELPER = Party(Hands.HELPER, "h-1")
WINDOW = Party(Hands.WINDOW, "3 号窗口")
PLACES = ((Hands.WINDOW, "3 号窗口"), (Hands.WINDOW, "3"), (Hands.DEPARTMENT, "市场监管局"))
COURIER = Party(Hands.COURIER, "市内专送")
CABINET = ev.CompartmentsConfigured(
    tuple(
        CompartmentSpec(CompartmentNumber(n), "A", Size.S, Reach.MIDDLE, 1, n, item_sensor=True)
        for n in range(1, 7)
    )
)


def papers(door: int, right: str = "a1") -> tuple[ev.Event, ...]:
    """Somebody hands in ``GS-n`` at door n."""
    deposit, number = DepositId(f"d{door}"), CompartmentNumber(door)
    case = CaseNumber(f"GS-{door}")
    reserved = ev.CompartmentReserved(
        deposit, number, Kind.SUBMISSION, case, AuthorisationId(right), ItemId("")
    )
    return reserved, ev.SubmissionDeposited(deposit, number, Presence.PRESENT, 2)


def taken(door: int, by: str = "h-1") -> ev.Event:
    return ev.SubmissionTaken(DepositId(f"d{door}"), StaffId(by), Proof.SENSED, "complete")


def loaded(item: str, door: int, by: str = "h-1") -> tuple[ev.Event, ...]:
    deposit, number = DepositId(f"o{door}"), CompartmentNumber(door)
    return (
        ev.CompartmentReserved(
            deposit, number, Kind.OUTGOING, CaseNumber("GS-1"), AuthorisationId(""), ItemId(item)
        ),
        ev.ItemLoaded(deposit, ItemId(item), StaffId(by), Proof.SENSED, announced=True),
    )


def thing(door: int) -> str:
    return f"papers/hall-1/d{door}"


def lived(parts: Parts, *facts: ev.Event) -> None:
    """A helper, a cabinet, and what happened; folded."""
    for number in ("h-1", "h-2"):
        who = staff.Enrolment(number, number, frozenset({Role.HELPER}), "123456", ("hall-1",))
        parts.store.write_now(partial(staff.enrol, desk=parts.desk, person=who))
    for kind, name in PLACES:
        parts.store.write_now(partial(add_place, parts, kind=kind, name=name))
    parts.locker.add(BIRTH, CABINET)
    tell(parts, *facts)


def add_place(parts: Parts, connection: Connection, kind: Hands, name: str, area: str = "north") -> str:
    return register.add(connection, parts.desk, HUB, kind, area, name)


def tell(parts: Parts, *facts: ev.Event) -> None:
    first = max((row.stored_to for row in parts.rows(STREAM)), default=0) + 1
    parts.locker.add(*facts, wall_ms=parts.clock.now_ms)
    parts.ingest(first)
    while parts.store.write_now(lambda c: fold.fold(c, parts.clock.now_ms)):
        pass


def held(parts: Parts) -> dict[str, str]:
    """Who holds what, by the names of windows and departments."""
    called = parts.store.read_now(register.called)
    return {row.thing: f"{row.holder_kind}/{called.get(row.holder, row.holder)}" for row in parts.rows(HELD)}


def differences(parts: Parts) -> list[tuple[str, str]]:
    """Kinds, and the outcomes of those that are resolved."""
    return [(row.kind, row.outcome) for row in parts.rows(DIFFERENCE)]
