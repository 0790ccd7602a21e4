"""Whole stocktakes at the hub: what a locker counted, and whether the looks that came add up to it."""

import pytest

from locker.domain import events as ev
from locker.domain.ids import CompartmentNumber, DepositId, StaffId, StocktakeId
from locker.domain.stocktakes import Found, Scope
from sync.central import tables as t
from sync.central.custody import stocktakes
from sync.central.custody.tables import STOCKTAKE
from tests.sync.central.conftest import Parts
from tests.sync.central.custody.told import FAR, TAKER, differences, lived, papers, tell

KEY, ONE, TWO = StocktakeId("st-1"), StaffId("h-1"), StaffId("h-2")
BEGAN = ev.StocktakeBegan(KEY, Scope.ALL, ONE)


def look(door: int, found: Found, key: StocktakeId = KEY) -> ev.CompartmentChecked:
    return ev.CompartmentChecked(CompartmentNumber(door), found, ONE, TWO, key)


def ended(*, expected: int = 0, unknown: int = 0, removed: int = 0, left: int = 0) -> ev.StocktakeEnded:
    return ev.StocktakeEnded(KEY, TWO, 0, expected, 0, unknown, removed, 0, left)


@pytest.mark.rule("CEN-49")
def test_a_stocktake_is_shown_with_what_it_counted(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2))
    tell(
        parts,
        BEGAN,
        look(1, Found.EXPECTED),
        look(5, Found.UNKNOWN_ITEM),
        look(9, Found.EMPTY, StocktakeId("")),
    )
    (row,) = parts.rows(STOCKTAKE)
    assert (row.scope, row.began_by, row.ended_ms, row.counted) == ("all", "h-1", 0, "")
    # The second look at a door takes the place of the first.
    tell(parts, look(5, Found.REMOVED), ended(expected=1, removed=1, left=1))
    ((row, counted),) = parts.store.read_now(lambda c: stocktakes.latest(c, TAKER))
    assert (row.locker, row.ended_by, row.agrees) == ("hall-1", "h-2", True)
    assert counted == {"expected": 1, "removed": 1, "left": 1}
    assert parts.store.read_now(lambda c: stocktakes.latest(c, FAR)) == []
    assert [kind for kind, _ in differences(parts)] == ["unknown_item", "unknown_taken"]


@pytest.mark.rule("CEN-49")
def test_counts_that_do_not_add_up_are_a_difference(parts: Parts) -> None:
    lived(parts, *papers(1))
    tell(parts, BEGAN, look(1, Found.EXPECTED), ended(expected=2))
    (row,) = parts.rows(STOCKTAKE)
    assert not row.agrees
    assert [kind for kind, _ in differences(parts)] == ["miscounted"]


def test_what_nobody_could_make_out_stays_open_with_its_case(parts: Parts) -> None:
    lived(parts, *papers(1))
    tell(parts, look(1, Found.UNSURE))
    assert differences(parts) == [("not_made_out", "")]


def test_whoever_helped_stands_in_the_trail_of_the_case(parts: Parts) -> None:
    lived(parts, *papers(1))
    tell(parts, ev.VisitAssisted(DepositId("d1"), TWO))
    (row,) = [row for row in parts.rows(t.LEDGER) if row.kind == "VisitAssisted"]
    assert row.case_number == "GS-1"


@pytest.mark.rule("CEN-50")
def test_a_service_window_is_an_alarm_and_what_is_opened_in_it_is_none(parts: Parts) -> None:
    lived(parts, *papers(1))
    tell(
        parts,
        ev.ServiceWindowOpened(StaffId("t-1"), ONE),
        ev.DoorOpenedByKey(CompartmentNumber(1)),
        ev.CompartmentDoubted(CompartmentNumber(1), "opened by key"),
        ev.ServiceWindowClosed("key"),
    )
    assert [(row.kind, row.detail) for row in parts.rows(t.ALARM)] == [("service_window", "t-1 · h-1")]
    (door,) = [row for row in parts.rows(t.COMPARTMENT) if row.number == 1]
    assert (door.position, door.doubt) == ("open", "opened by key")
