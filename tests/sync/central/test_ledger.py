"""The ledger: each entry once, in order, exactly as it was hashed, whatever comes and in whatever order."""

import importlib
import json
from dataclasses import replace
from functools import partial
from pkgutil import iter_modules
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, delete

from locker.domain.compartment import CompartmentSpec, Reach, Size
from locker.domain.deposit import Kind, Proof
from locker.domain.door import Presence
from locker.domain.encoding import canonical
from locker.domain.events import (
    Booted,
    CompartmentBlocked,
    CompartmentFaulted,
    CompartmentReserved,
    CompartmentRestored,
    CompartmentsConfigured,
    DoorClosed,
    DoorForced,
    DoorOpened,
    EpochStarted,
    ItemPickedUp,
    OpeningRequested,
    Stopped,
    SubmissionDeposited,
    SubmissionTaken,
    TicketOpened,
)
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CompartmentNumber,
    DepositId,
    Epoch,
    GrantId,
    ItemId,
    LockerId,
    StaffId,
)
from locker.domain.opening import Purpose
from sync import wire
from sync.central import bulk, ledger, project, queries
from sync.central import tables as t
from sync.central.bulk import TEXT, Change
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker, name_of

DOOR = CompartmentNumber(1)
STAY = DepositId("d1")
GRANT = GrantId("g1")
BIRTH = EpochStarted(Epoch("e"), LockerId("hall-1"))
CABINET = CompartmentsConfigured((CompartmentSpec(DOOR, "A", Size.S, Reach.MIDDLE, 1, 1, item_sensor=True),))
VISIT = (
    CompartmentReserved(STAY, DOOR, Kind.SUBMISSION, CaseNumber("GS-1"), AuthorisationId("a1"), ItemId("")),
    OpeningRequested(GRANT, DOOR, Purpose.DROP_OFF, STAY, StaffId(""), 1),
    DoorOpened(DOOR, GRANT),
    DoorClosed(DOOR, GRANT, Presence.PRESENT),
    SubmissionDeposited(STAY, DOOR, Presence.PRESENT, 2),
)


def alarms(parts: Parts) -> dict[str, int]:
    return {row.kind: row._mapping["count"] for row in parts.rows(t.ALARM)}


def stored(parts: Parts) -> list[tuple[int, str, str]]:
    return [(row.seq, row.public, row.hash) for row in parts.rows(t.LEDGER)]


def of(locker: FakeLocker) -> list[tuple[int, str, str]]:
    return [(entry.seq, entry.public, entry.hash.hex()) for entry in locker.entries]


def test_entries_lie_as_they_were_written_and_tell_what_lies_where(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    outcome = parts.ingest()
    assert (outcome.stored_to, outcome.hash, outcome.new) == (7, parts.locker.hash_at(7), 7)
    assert stored(parts) == of(parts.locker)
    (door,) = parts.rows(t.COMPARTMENT)
    assert (door.size, door.position, door.item, door.deposit) == ("S", "closed", "present", STAY)
    (stay,) = parts.rows(t.DEPOSIT)
    assert (stay.phase, stay.case_number, stay.proof) == ("awaiting_intake", "GS-1", "sensed")
    assert {row.case_number for row in parts.rows(t.LEDGER) if row.seq > 2} == {"GS-1"}


def test_intake_empties_the_door(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT, SubmissionTaken(STAY, StaffId("h"), Proof.SENSED, "complete"))
    parts.ingest()
    (door,) = parts.rows(t.COMPARTMENT)
    (stay,) = parts.rows(t.DEPOSIT)
    assert (door.deposit, stay.phase) == ("", "taken_in")


@pytest.mark.rule("CEN-6")
def test_a_repeated_batch_changes_nothing(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    before = stored(parts), parts.rows(t.DEPOSIT)
    outcome = parts.ingest()
    assert (outcome.new, outcome.repeated, outcome.stored_to) == (0, 7, 7)
    assert (stored(parts), parts.rows(t.DEPOSIT)) == before
    assert alarms(parts) == {}


@pytest.mark.rule("CEN-6")
def test_an_overlap_adds_only_what_is_new(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest(1, 4)
    outcome = parts.ingest(3, 7)
    assert (outcome.new, outcome.repeated, outcome.stored_to) == (3, 2, 7)
    assert stored(parts) == of(parts.locker)


@pytest.mark.rule("CEN-8")
def test_a_gap_stores_nothing(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest(1, 2)
    outcome = parts.ingest(4, 7)
    assert (outcome.gap, outcome.stored_to, outcome.hash) == (True, 2, parts.locker.hash_at(2))
    assert len(stored(parts)) == 2


@pytest.mark.rule("CEN-6")
def test_another_entry_in_the_same_place_is_an_alarm_and_never_replaces_the_first(parts: Parts) -> None:
    parts.locker.add(BIRTH, Booted("0.1.0", 1), Stopped("a"))
    parts.ingest()
    clone = FakeLocker().add(BIRTH, Booted("0.1.0", 1), Stopped("b"), Stopped("c"))
    parts.locker, original = clone, parts.locker
    for first in (1, 3, 4):
        outcome = parts.ingest(first)
        assert (outcome.refused, outcome.stored_to, outcome.hash) == ("fork", 3, original.hash_at(3))
    assert stored(parts) == of(original)
    assert alarms(parts) == {"fork": 3}


@pytest.mark.parametrize("field", ["prev", "hash"])
def test_a_chain_that_does_not_fit_is_refused(parts: Parts, field: str) -> None:
    parts.locker.add(BIRTH, Stopped("a"))
    wrong: dict[str, Any] = {field: "ab" * 32}
    batch = replace(parts.locker.batch(), **wrong)
    outcome = parts.store.write_now(lambda c: ledger.ingest(c, batch, 0))
    assert outcome.refused in {"chain_broken", "fork"}
    assert stored(parts) == []


def test_swapped_entries_break_the_chain(parts: Parts) -> None:
    parts.locker.add(BIRTH, Stopped("a"), Stopped("b"))
    batch = parts.locker.batch()
    swapped = replace(batch, entries=(batch.entries[0], batch.entries[2], batch.entries[1]))
    outcome = parts.store.write_now(lambda c: ledger.ingest(c, swapped, 0))
    assert (outcome.refused, stored(parts)) == ("chain_broken", [])


BODY = {"v": 1, "seq": 2, "boot": 1, "mono": 1, "time": 1, "tq": "ntp", "subject": "locker", "cause": "x"}


@pytest.mark.rule("CEN-9")
@pytest.mark.parametrize(
    ("text", "alarm"),
    [
        ("no json at all", "unknown_type"),
        ("[" * 5000, "unknown_type"),
        ('"a text"', "unknown_type"),
        (canonical({**BODY, "type": "DoorSang", "data": {}}), "unknown_type"),
        (canonical({**BODY, "type": 7, "data": {}}), "unknown_type"),
        (canonical({**BODY, "type": "Stopped", "data": {"reason": 7}}), "quarantined"),
        (canonical({**BODY, "type": "Stopped", "data": {"reason": "x", "more": 1}}), "quarantined"),
        (canonical({**BODY, "type": "Stopped", "data": {}, "seq": 3}), "quarantined"),
        (
            canonical({**BODY, "type": "ItemPickedUp", "data": {"deposit": "gone", "proof": "sensed"}}),
            "quarantined",
        ),
        (canonical({**BODY, "type": "DoorForced", "data": {"door": 2**70}}), "quarantined"),
    ],
)
def test_one_bad_entry_is_kept_raw_and_never_stops_the_log(parts: Parts, text: str, alarm: str) -> None:
    parts.locker.add(BIRTH).add_raw(text).add(CABINET, *VISIT)
    outcome = parts.ingest()
    assert (outcome.stored_to, outcome.refused) == (8, "")
    assert stored(parts) == of(parts.locker)
    bad = next(row for row in parts.rows(t.LEDGER) if row.seq == 2)
    assert bad.problem
    assert alarms(parts) == {alarm: 1}
    assert [row.phase for row in parts.rows(t.DEPOSIT)] == ["awaiting_intake"]


@pytest.mark.rule("CEN-9")
def test_a_bad_entry_leaves_no_half_of_its_change(parts: Parts) -> None:
    """The item is unknown, so nothing of the pickup may stick, not even the part before the trouble."""
    parts.locker.add(BIRTH, CABINET, ItemPickedUp(DepositId("never"), Proof.SENSED))
    parts.ingest()
    assert parts.rows(t.DEPOSIT) == []
    assert alarms(parts) == {"quarantined": 1}


@pytest.mark.rule("CEN-10")
def test_a_later_version_is_not_acknowledged(parts: Parts) -> None:
    parts.locker.add(BIRTH).add_raw(canonical({**BODY, "v": 2, "type": "Stopped", "data": {}}))
    outcome = parts.ingest()
    assert (outcome.silent, outcome.stored_to) == (True, 0)
    assert stored(parts) == []
    assert alarms(parts) == {"unknown_version": 1}


@pytest.mark.rule("CEN-12")
def test_a_new_epoch_is_a_stream_of_its_own_and_marks_the_one_it_left(parts: Parts) -> None:
    parts.locker.add(BIRTH, Stopped("a"))
    parts.ingest()
    first = parts.locker
    parent = EpochStarted(Epoch("f"), LockerId("hall-1"), first.epoch, 1, first.hash_at(1))
    parts.locker = FakeLocker(epoch=name_of("second")).add(parent)
    parts.ingest()
    streams = {row.epoch: row for row in parts.rows(t.STREAM)}
    assert (streams[first.epoch].mark, streams[first.epoch].ordinal) == ("fork", 1)
    second = streams[parts.locker.epoch]
    assert (second.ordinal, second.parent_epoch, second.parent_head) == (2, first.epoch, 1)
    assert len(stored(parts)) == 3


def test_forced_doors_are_alarms_and_tickets_are_listed(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, DoorForced(DOOR), TicketOpened("door_forced", DOOR, DepositId("")))
    parts.ingest()
    assert alarms(parts) == {"door_forced": 1}
    assert [(row.seq, row.kind, row.door) for row in parts.rows(t.TICKET)] == [(4, "door_forced", 1)]


def test_what_a_technician_blocks_is_out_of_service_until_freed(parts: Parts) -> None:
    staff = StaffId("console/0")
    parts.locker.add(BIRTH, CABINET, CompartmentFaulted(DOOR, "did not open"))
    parts.locker.add(CompartmentBlocked(DOOR, "hinge bent", staff))
    parts.ingest()
    seen = parts.store.read_now(lambda c: queries.overview(c, "hall-1", 0)).doors
    assert [(door.status, door.blocked, door.fault) for door in seen] == [
        ("out_of_service", "hinge bent", "")
    ]
    parts.locker.add(CompartmentRestored(DOOR, staff))
    parts.ingest()
    seen = parts.store.read_now(lambda c: queries.overview(c, "hall-1", 0)).doors
    assert [(door.status, door.blocked) for door in seen] == [("vacant", "")]


def test_a_purged_personal_part_keeps_its_link(parts: Parts) -> None:
    parts.locker.add(BIRTH, Stopped("a"))
    batch = parts.locker.batch()
    digest = wire.Purged("cd" * 32)
    purged = replace(batch, personal=(None, digest))
    outcome = parts.store.write_now(lambda c: ledger.ingest(c, purged, 0))
    assert outcome.refused == "chain_broken"  # another digest than the one that was hashed


def _emptied(connection: Connection, table: Table) -> None:
    connection.execute(delete(table))


pieces = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 6)), min_size=1, max_size=14)


@pytest.mark.rule("CEN-6")
@given(pieces)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_pieces_ends_in_a_true_prefix(parts: Parts, cuts: list[tuple[int, int]]) -> None:
    """Duplicates, gaps, overlaps, swaps: what is stored is always the beginning of what was written."""
    parts.locker.entries.clear()
    parts.locker.add(BIRTH, CABINET, *VISIT, *(Stopped(str(number)) for number in range(5)))
    for table in (t.LEDGER, t.STREAM, t.DEPOSIT, t.COMPARTMENT, t.OPENING):
        parts.store.write_now(partial(_emptied, table=table))
    reached = 0
    for first, more in cuts:
        last = min(12, first + more)
        outcome = parts.ingest(first, last)
        if first <= reached + 1:
            reached = max(reached, last)
        assert outcome.gap == (first > reached + 1)
        assert (outcome.stored_to, outcome.hash) == (reached, parts.locker.hash_at(reached))
    assert stored(parts) == of(parts.locker)[:reached]
    assert alarms(parts) == {}
    assert all(json.loads(public)["seq"] == seq for seq, public, _ in stored(parts))


def test_what_is_done_later_can_be_done_for_many_rows_at_once(parts: Parts) -> None:
    """Or every batch would be taken in again, entry by entry."""
    rooms = [
        importlib.import_module(f"sync.central.project.{each.name}")
        for each in iter_modules(project.__path__)
    ]
    found = {each for room in rooms for each in vars(room).values() if isinstance(each, Change)}
    assert len(found) > 10
    for told in found:
        rows = [{name: f"{n}" if kind is TEXT else n for name, kind in told.kinds.items()} for n in (1, 2)]
        parts.store.write_now(partial(bulk.change, told=told, rows=rows))
        parts.store.write_now(partial(bulk.change, told=told, rows=rows[:1]))


def test_changes_of_one_row_keep_their_order_however_they_are_gathered(parts: Parts) -> None:
    """Each is done for as many rows at once as may be, and no row is told two things at once."""
    parts.locker.add(BIRTH)
    parts.ingest()

    def named(told: Any) -> Any:
        return (t.STREAM.c.locker == told.of_locker) & (t.STREAM.c.epoch == told.of_epoch)

    by, kinds = ("of_locker", "of_epoch"), {"of_locker": TEXT, "of_epoch": TEXT, "as_mark": TEXT}
    mark = Change(lambda told: t.STREAM.update().where(named(told)).values(mark=told.as_mark), by, **kinds)
    more = Change(
        lambda told: t.STREAM.update().where(named(told)).values(mark=t.STREAM.c.mark + told.as_mark),
        by,
        **kinds,
    )
    row = {"of_locker": "hall-1", "of_epoch": parts.locker.epoch}
    other = row | {"of_epoch": "another", "as_mark": "?"}
    changes = [(mark, row | {"as_mark": "a"}), (mark, other), (more, row | {"as_mark": "b"})]
    changes += [(more, other), (more, row | {"as_mark": "c"}), (mark, other)]
    parts.store.write_now(lambda c: bulk.change_all(c, changes))
    assert [each.mark for each in parts.rows(t.STREAM)] == ["abc"]
