"""A locker that cannot speak: what it holds, what became of it, and what it says when it comes back."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from locker.domain import events as ev
from locker.domain.deposit import Proof
from locker.domain.ids import CompartmentNumber, DepositId, StaffId
from sync.central import tables as t
from sync.central.access.actor import Actor
from sync.central.custody import asked, dead, hand_over
from sync.central.custody.dead import Holdings, Resolution
from sync.central.custody.hand_over import Ending
from sync.central.custody.parties import Outcome, Resolved, Room
from sync.central.custody.tables import DIFFERENCE, RESOLUTION
from sync.central.desk import Refusal, Refused
from tests.sync.central.conftest import Parts
from tests.sync.central.custody.told import (
    FAR,
    GIVER,
    TAKER,
    THIRD,
    differences,
    held,
    lived,
    loaded,
    papers,
    taken,
    tell,
    thing,
)
from tests.sync.central.test_cases import announce, authorise

AWAY = Resolution("hall-1", "d1", Resolved.TO_WINDOW, "3", "h-1", "the lid was cut")


def resolve(parts: Parts, said: Resolution = AWAY, actor: Actor = GIVER) -> None:
    parts.store.write_now(lambda c: dead.resolve(c, parts.desk, actor, said))
    parts.clock.now_ms += 60_000


def holds(parts: Parts) -> Holdings:
    return parts.store.read_now(lambda c: dead.holdings(c, GIVER, "hall-1", parts.clock.now_ms))


def alarms(parts: Parts) -> list[str]:
    return [row.kind for row in parts.rows(t.ALARM) if row.kind in {"resolution_contradicted", "unaccounted"}]


def facts(parts: Parts) -> list[Any]:
    return [parts.rows(table) for table in (t.LEDGER, t.DEPOSIT, t.COMPARTMENT)]


def test_what_it_holds_is_told_with_what_is_not_known(parts: Parts) -> None:
    right, item = authorise(parts), announce(parts)
    lived(parts, *papers(1, right), *papers(2), *loaded(item, 3), taken(2))
    tell(parts, ev.CompartmentDoubted(CompartmentNumber(4), "cancelled visit"))
    parts.store.write_now(lambda c: c.execute(t.LOCKER.update().values(head=parts.locker.head + 7)))
    found = holds(parts)
    assert [(each.stay.door, each.stay.deposit, each.name) for each in found.lies] == [
        (1, "d1", "张*"),
        (3, "o3", "张*"),
    ]
    assert [row.number for row in found.doubted] == [4]
    assert (found.unsynced, found.stored_to, found.told_ms) == (7, parts.locker.head, parts.clock.now_ms)
    with pytest.raises(Refused) as refused:
        parts.store.read_now(lambda c: dead.holdings(c, FAR, "hall-1", 0))
    assert refused.value.reason is Refusal.UNKNOWN_LOCKER


def test_what_became_of_it_edits_nothing_that_the_locker_said(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2), *papers(3))
    before = facts(parts)
    resolve(parts)
    resolve(parts, replace(AWAY, deposit="d2", outcome=Resolved.MISSING, whereto="", taken_by=""))
    resolve(parts, replace(AWAY, deposit="d3", outcome=Resolved.TO_RECIPIENT, whereto="", taken_by=""))
    assert facts(parts) == before
    assert held(parts) == {thing(1): "helper/h-1", thing(3): "recipient/"}
    assert differences(parts) == [("lost_at_locker", "")]
    assert [each.resolved.outcome for each in holds(parts).lies if each.resolved] == [
        "to_window",
        "missing",
        "to_recipient",
    ]
    kinds = [(row.kind, json.loads(row.detail).get("outcome")) for row in parts.rows(t.DESK_FACT)]
    assert kinds == [("locker_emptied", name) for name in ("to_window", "missing", "to_recipient")]


def test_what_does_not_fit_is_refused(parts: Parts) -> None:
    lived(parts, *papers(1))
    for wrong, reason in (
        (replace(AWAY, taken_by="nobody"), Refusal.UNFIT),
        (replace(AWAY, whereto=""), Refusal.UNFIT),
        (replace(AWAY, deposit="none"), Refusal.UNKNOWN_ITEM),
        (replace(AWAY, locker="hall-9"), Refusal.UNKNOWN_LOCKER),
    ):
        with pytest.raises(Refused) as refused:
            resolve(parts, wrong)
        assert refused.value.reason is reason
    assert parts.rows(RESOLUTION) == []


def test_a_locker_that_comes_back_and_says_otherwise_is_an_alarm(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2), *papers(3))
    resolve(parts)
    resolve(parts, replace(AWAY, deposit="d2", outcome=Resolved.LEFT_INSIDE))
    tell(parts, taken(1, "h-2"), taken(2, "h-2"), taken(3, "h-2"))
    assert held(parts) == {thing(1): "helper/h-1", thing(2): "helper/h-2", thing(3): "helper/h-2"}
    assert alarms(parts) == ["resolution_contradicted"]
    (row,) = parts.rows(DIFFERENCE)
    assert (row.kind, row.room, row.door, row.case_number) == ("contradicted", "locker", 1, "GS-1")
    assert "to_window (person:giver) ≠ SubmissionTaken" in row.said
    ending = Ending(row.number, Outcome.EXPLAINED, "taken before the fire")
    parts.store.write_now(lambda c: hand_over.resolve(c, parts.desk, THIRD, Room.LOCKER, ending))
    assert differences(parts) == [("contradicted", "explained")]
    with pytest.raises(Refused):
        parts.store.write_now(lambda c: hand_over.resolve(c, parts.desk, THIRD, Room.HAND_OVER, ending))


def test_what_is_found_in_a_locker_that_was_emptied_of_it_is_an_alarm(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2))
    resolve(parts)
    seen = [ev.CompartmentChecked(CompartmentNumber(n), "expected", StaffId("h-1")) for n in (1, 2)]
    tell(parts, *seen)
    assert [(row.kind, row.door, row.case_number) for row in parts.rows(DIFFERENCE)] == [
        ("contradicted", 1, "GS-1")
    ]
    assert alarms(parts) == ["resolution_contradicted"]


def test_what_it_held_besides_is_an_alarm_and_what_came_later_is_not(parts: Parts) -> None:
    lived(parts, *papers(1))
    then_ms = parts.clock.now_ms
    parts.clock.now_ms += 60_000
    resolve(parts)
    later_ms, parts.clock.now_ms = parts.clock.now_ms, then_ms
    tell(parts, *papers(2))
    parts.clock.now_ms = later_ms
    tell(parts, *papers(3))
    assert differences(parts) == [("unaccounted", "")]
    (row,) = parts.rows(DIFFERENCE)
    assert (row.door, row.case_number) == (2, "GS-2")
    assert alarms(parts) == ["unaccounted"]


def test_what_people_found_who_looked_is_listed_and_what_differs_stays_open(parts: Parts) -> None:
    lived(parts, *papers(1), *papers(2))
    door, staff = CompartmentNumber, StaffId("h-1")
    tell(
        parts,
        ev.CompartmentChecked(door(1), "expected", staff, StaffId("h-2")),
        ev.CompartmentChecked(door(2), "missing", staff, StaffId("h-2")),
        ev.CompartmentChecked(door(4), "empty", staff),
        ev.CompartmentChecked(door(5), "unknown_item", staff),
        ev.ItemWithdrawn(DepositId("d1"), staff, Proof.SENSED),
    )
    looks = parts.store.read_now(lambda c: asked.looks(c, parts.desk, TAKER)).rows
    assert [(row.door, row.found, row.case_number) for row in looks] == [
        (5, "unknown_item", ""),
        (4, "empty", ""),
        (2, "missing", "GS-2"),
        (1, "expected", "GS-1"),
    ]
    assert parts.store.read_now(lambda c: asked.looks(c, parts.desk, FAR)).rows == []
    of_it = partial(asked.differences, desk=parts.desk, actor=TAKER, room=Room.STOCKTAKE)
    opened = parts.store.read_now(of_it).rows
    assert [(row.kind, row.door, row.found_by) for row in opened] == [
        ("not_found", 2, "locker:hall-1"),
        ("unknown_item", 5, "locker:hall-1"),
    ]
    ending = Ending(opened[0].number, Outcome.EXPLAINED, "it was in the next one")
    parts.store.write_now(lambda c: hand_over.resolve(c, parts.desk, THIRD, Room.STOCKTAKE, ending))
    assert len(parts.store.read_now(of_it).rows) == 1
