"""A door barred from afar: said once, told by the locker, said again by every new numbering until it ends."""

import pytest

from locker.domain.events import CompartmentBarred, CompartmentRestored, CompartmentUnbarred
from locker.domain.ids import CompartmentNumber, StaffId
from sync.central import directives, queries
from sync.central import tables as t
from sync.central.access.tables import AUDIT
from sync.central.desk import Refusal, Refused
from sync.central.doors import bars
from sync.central.doors.tables import DOOR_BAR
from tests.sync.central.conftest import Parts
from tests.sync.central.doors.told import ELSEWHERE, OPERATOR, Told

DOOR = CompartmentNumber(3)
SAID = CompartmentBarred(DOOR, "wet floor", "person:op")


@pytest.fixture
def told(parts: Parts) -> Told:
    return Told(parts)


def status(told: Told) -> str:
    view = told.parts.store.read_now(lambda c: queries.overview(c, "hall-1", told.parts.clock.now_ms))
    return view.doors[DOOR - 1].status


@pytest.mark.rule("CEN-30")
async def test_a_door_is_barred_when_its_locker_says_so_and_again_free(told: Told) -> None:
    await bars.bar(told.office, OPERATOR, "hall-1", DOOR, " wet  floor ")
    await bars.bar(told.office, OPERATOR, "hall-1", DOOR, "wet floor")
    assert status(told) == "vacant", "shown as the locker has it, not as it was wished"
    assert told.hears() == [SAID], "the same word is not said twice"
    assert status(told) == "out_of_service"
    await bars.unbar(told.office, OPERATOR, "hall-1", DOOR)
    assert told.hears() == [CompartmentUnbarred(DOOR, "person:op")]
    assert (status(told), told.parts.rows(DOOR_BAR)) == ("vacant", [])
    await bars.unbar(told.office, OPERATOR, "hall-1", DOOR)
    assert told.hears() == []
    assert [row.action for row in told.parts.rows(AUDIT)] == ["direct_locker", "direct_locker"]


@pytest.mark.rule("CEN-31")
async def test_what_is_barred_is_said_again_by_a_new_numbering(told: Told) -> None:
    await bars.bar(told.office, OPERATOR, "hall-1", DOOR, "wet floor")
    told.hears()
    told.parts.store.write_now(lambda c: directives.snapshot(c, "hall-1", told.parts.desk.chance, 1))
    told.numbered_anew()
    assert told.hears() == [SAID]


@pytest.mark.rule("CEN-30")
async def test_whoever_stands_before_it_ends_a_bar_that_its_locker_had_heard_of(told: Told) -> None:
    await bars.bar(told.office, OPERATOR, "hall-1", DOOR, "wet floor")
    told.goes_on(CompartmentRestored(DOOR, StaffId("t-1")))
    assert told.parts.rows(DOOR_BAR), "it was put back in service before it was barred"
    told.hears()
    told.goes_on(CompartmentRestored(DOOR, StaffId("t-1")))
    assert (status(told), told.parts.rows(DOOR_BAR)) == ("vacant", [])


async def test_a_bar_that_a_restored_centre_forgot_is_known_again(told: Told) -> None:
    told.goes_on(SAID)
    (row,) = told.parts.rows(DOOR_BAR)
    assert (row.reason, row.who) == ("wet floor", "person:op")


async def test_what_cannot_be_barred(told: Told) -> None:
    for door, why, who, refusal in (
        (99, "wet floor", OPERATOR, Refusal.UNFIT),
        (3, "call 13812345678", OPERATOR, Refusal.UNFIT),
        (3, "  ", OPERATOR, Refusal.UNFIT),
        (3, "wet floor", ELSEWHERE, Refusal.UNKNOWN_LOCKER),
    ):
        with pytest.raises(Refused) as refused:
            await bars.bar(told.office, who, "hall-1", door, why)
        assert refused.value.reason is refusal
    assert told.parts.rows(t.DIRECTIVE) == []
    assert told.parts.rows(AUDIT) == []
