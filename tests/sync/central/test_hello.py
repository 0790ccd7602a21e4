"""What the hub finds when a locker says how far it is."""

from dataclasses import replace

import pytest
from sqlalchemy import Row, delete, select

from locker.domain import directives
from locker.domain.events import (
    AuthorisationGranted,
    AuthorisationRevoked,
    EpochStarted,
    HistoryConfirmed,
    HistoryRestored,
    Stopped,
)
from locker.domain.ids import Epoch, LockerId
from sync import wire
from sync.central import hello, histories
from sync.central import tables as t
from sync.central.desk import Refused, locker_row
from sync.central.directives import batch_after, still_valid
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker, name_of
from tests.sync.central.test_cases import PASSED, authorise

BIRTH = EpochStarted(Epoch("e"), LockerId("hall-1"))


def meet(parts: Parts, link: wire.Link) -> wire.Hello | None:
    return parts.store.write_now(
        lambda c: hello.meet(c, parts.desk, locker_row(c, "hall-1"), link, parts.clock.now_ms)
    )


def greeted(parts: Parts, link: wire.Link) -> wire.Hello:
    answer = meet(parts, link)
    assert answer is not None
    return answer


def row_of(parts: Parts) -> Row[tuple[object, ...]]:
    return parts.store.read_now(lambda c: c.execute(select(t.LOCKER)).one())


def alarms(parts: Parts) -> set[str]:
    return {row.kind for row in parts.rows(t.ALARM)}


@pytest.mark.rule("CEN-4")
def test_a_birth_is_answered_with_how_far_the_centre_is(parts: Parts) -> None:
    parts.locker.add(BIRTH, Stopped("a"), Stopped("b"))
    parts.ingest(1, 2)
    authorise(parts)
    answer = greeted(parts, parts.locker.link())
    assert (answer.up_epoch, answer.stored_to, answer.hash) == (
        parts.locker.epoch,
        2,
        parts.locker.hash_at(2),
    )
    assert (answer.nonce, answer.now) == (parts.locker.link().nonce, parts.clock.now_ms)
    assert (answer.dn_epoch, answer.dn_head, answer.window) == (row_of(parts).dn_epoch, 1, hello.WINDOW)
    assert alarms(parts) == set()
    assert row_of(parts).online


def test_an_end_is_taken_down_and_not_answered(parts: Parts) -> None:
    greeted(parts, parts.locker.link())
    assert meet(parts, parts.locker.link(online=False)) is None
    assert not row_of(parts).online


@pytest.mark.rule("CEN-5")
def test_a_will_that_comes_after_the_next_connection_is_passed_over(parts: Parts) -> None:
    late = parts.locker.link(online=False)
    parts.locker.conn = 2
    greeted(parts, parts.locker.link())
    assert meet(parts, late) is None
    assert row_of(parts).online


@pytest.mark.rule("CEN-12")
def test_a_locker_behind_its_own_acknowledged_history_is_an_alarm(parts: Parts) -> None:
    parts.locker.add(BIRTH, Stopped("a"), Stopped("b"))
    parts.ingest()
    parts.locker.entries.pop()
    answer = greeted(parts, parts.locker.link())
    assert answer.stored_to == 3
    assert alarms(parts) == {"lost_rows"}
    assert [row.mark for row in parts.rows(t.STREAM)] == ["lost_rows"]


@pytest.mark.rule("CEN-4")
def test_a_birth_that_the_broker_kept_from_before_is_no_loss_of_rows(parts: Parts) -> None:
    """The hub comes back and hears it again; the locker has gone on since."""
    parts.locker.add(BIRTH)
    parts.ingest()
    kept = parts.locker.link()
    greeted(parts, kept)
    parts.locker.add(Stopped("a"))
    parts.ingest(2)
    assert greeted(parts, kept).stored_to == 2
    assert alarms(parts) == set()
    assert [row.mark for row in parts.rows(t.STREAM)] == [""]


@pytest.mark.rule("CEN-15")
def test_a_locker_that_can_record_nothing_is_an_alarm_once_a_run(parts: Parts) -> None:
    parts.locker.add(BIRTH)
    parts.ingest()
    for _ in range(2):
        greeted(parts, replace(parts.locker.link(), reason="journal_failing"))
    assert [row.kind for row in parts.rows(t.ALARM)] == ["journal_failing"]
    assert [row.mark for row in parts.rows(t.STREAM)] == [""]


@pytest.mark.rule("CEN-24")
def test_what_was_said_before_any_directive_begins_no_new_numbering(parts: Parts) -> None:
    """Kept by the broker, or by a slow one: the locker has applied some since."""
    parts.locker.add(BIRTH)
    parts.ingest()
    greeted(parts, parts.locker.link())
    authorise(parts)
    numbering = row_of(parts).dn_epoch
    parts.store.write_now(lambda c: c.execute(t.LOCKER.update().values(dn_stored_to=1)))
    parts.locker.conn = 2
    greeted(parts, parts.locker.link())
    assert (row_of(parts).dn_epoch, row_of(parts).dn_stored_to) == (numbering, 0), "sent from its start"
    assert alarms(parts) == set()


@pytest.mark.rule("CEN-21")
def test_of_an_earlier_epoch_nothing_is_taken_down(parts: Parts) -> None:
    parts.locker.add(BIRTH, Stopped("a"))
    parts.ingest()
    greeted(parts, parts.locker.link())
    first, parts.locker = parts.locker, FakeLocker(epoch=name_of("second"))
    parts.locker.add(EpochStarted(Epoch("f"), LockerId("hall-1"), first.epoch, 2, first.hash_at(2)))
    parts.ingest()
    greeted(parts, parts.locker.link())
    before = row_of(parts)
    first.boot = 9
    answer = greeted(parts, first.link())
    assert (answer.up_epoch, answer.stored_to, answer.nonce) == (parts.locker.epoch, 1, first.link().nonce)
    assert row_of(parts) == before
    first.add(Stopped("b"))
    parts.locker, second = first, parts.locker
    outcome = parts.ingest(3)
    assert (outcome.refused, outcome.silent, outcome.stored_to) == ("superseded", True, 2)
    assert meet(parts, first.link(online=False)) is None
    assert row_of(parts) == before
    assert second.epoch == before.epoch


@pytest.mark.rule("CEN-4")
def test_a_first_birth_that_comes_again_begins_no_new_numbering(parts: Parts) -> None:
    """It knows of no directive; the locker has applied some since, and said so."""
    parts.locker.add(BIRTH)
    parts.ingest()
    first = parts.locker.link()
    greeted(parts, first)
    authorise(parts)
    numbering = row_of(parts).dn_epoch
    parts.locker.add(Stopped("a"))
    parts.ingest(2)
    parts.store.write_now(lambda c: c.execute(t.LOCKER.update().values(dn_stored_to=1)))
    greeted(parts, first)
    assert row_of(parts).dn_epoch == numbering
    assert alarms(parts) == set()


@pytest.mark.rule("CEN-12")
def test_another_head_at_the_same_place_is_an_alarm(parts: Parts) -> None:
    parts.locker.add(BIRTH, Stopped("a"))
    parts.ingest()
    clone = FakeLocker().add(BIRTH, Stopped("b"))
    greeted(parts, clone.link())
    assert alarms(parts) == {"fork"}


@pytest.mark.rule("CEN-11")
def test_what_the_locker_has_applied_is_believed_in_either_direction(parts: Parts) -> None:
    authorise(parts)
    authorise(parts, replace(PASSED, case="GS-2"))
    row = row_of(parts)
    first = parts.rows(t.DIRECTIVE)[0]
    for applied, hash_ in ((2, row.dn_hash), (1, first.hash), (0, wire.ZERO)):
        greeted(parts, parts.locker.link(dn_epoch=row.dn_epoch, dn_applied=applied, dn_hash=hash_))
        assert row_of(parts).dn_stored_to == applied
    assert alarms(parts) == set()


@pytest.mark.rule("CEN-13")
def test_a_forked_down_log_is_said_anew(parts: Parts) -> None:
    authorise(parts)
    before = row_of(parts)
    answer = greeted(parts, parts.locker.link(dn_epoch=before.dn_epoch, dn_applied=1, dn_hash="ab" * 32))
    assert answer.dn_epoch != before.dn_epoch
    assert answer.dn_head == 1
    assert alarms(parts) == {"down_fork"}


@pytest.mark.rule("CEN-13")
def test_a_restored_centre_says_what_it_knows_and_takes_no_right_away(parts: Parts) -> None:
    """The locker applied an entry that the backup never had: nothing is said that would end its right."""
    authorise(parts)
    known = row_of(parts)
    authorise(parts, replace(PASSED, case="GS-2"))
    lost = row_of(parts)
    parts.store.write_now(
        lambda c: (
            c.execute(delete(t.DIRECTIVE).where(t.DIRECTIVE.c.seq == 2)),
            c.execute(delete(t.AUTHORISATION).where(t.AUTHORISATION.c.case_number == "GS-2")),
            c.execute(t.LOCKER.update().values(dn_head=1, dn_hash=known.dn_hash)),
        )
    )
    answer = greeted(parts, parts.locker.link(dn_epoch=lost.dn_epoch, dn_applied=2, dn_hash=lost.dn_hash))
    assert answer.dn_epoch != lost.dn_epoch
    batch = parts.store.read_now(lambda c: batch_after(c, locker_row(c, "hall-1"), 0))
    assert batch is not None
    (says,) = [directives.read(text).says for text in batch.entries]
    assert isinstance(says, AuthorisationGranted)
    assert says.case == "GS-1"


@pytest.mark.rule("CEN-13")
def test_a_right_that_only_the_locker_still_knows_is_in_force_again(parts: Parts) -> None:
    """The backup is older than the right: the locker's journal brings it back, and a person is told."""
    right = authorise(parts)
    (row,) = parts.rows(t.AUTHORISATION)
    says = directives.read(row.directive).says
    assert isinstance(says, AuthorisationGranted)
    parts.store.write_now(lambda c: c.execute(delete(t.AUTHORISATION)))
    parts.locker.add(BIRTH, says)
    parts.ingest()
    (again,) = parts.rows(t.AUTHORISATION)
    assert (again.authorisation, again.case_number, again.locator) == (right, "GS-1", row.locator)
    assert (again.name, again.phone, again.sealed) == (row.name, row.phone, ""), "whom to call is lost"
    assert [alarm.subject for alarm in parts.rows(t.ALARM)] == [f"authorisation/{right}"]
    said = parts.store.read_now(lambda c: list(still_valid(c, "hall-1", parts.clock.now_ms)))
    assert says in said
    assert [notice.state for notice in parts.rows(t.NOTICE)] == ["clerk"]


@pytest.mark.rule("CEN-12")
def test_a_new_disk_is_told_what_is_still_valid_and_nothing_that_ended(parts: Parts) -> None:
    ended, living = authorise(parts), authorise(parts, replace(PASSED, case="GS-2"))
    own = t.AUTHORISATION.c
    parts.store.write_now(
        lambda c: c.execute(
            t.AUTHORISATION.update().where(own.authorisation == ended).values(ended="taken_in")
        )
    )
    greeted(parts, parts.locker.link())
    before = row_of(parts).dn_epoch
    fresh = FakeLocker(epoch=name_of("a new disk"), boot=1)
    answer = greeted(parts, fresh.link())
    assert answer.dn_epoch != before
    batch = parts.store.read_now(lambda c: batch_after(c, locker_row(c, "hall-1"), 0))
    assert batch is not None
    assert [directives.read(text).says for text in batch.entries] != []
    says = [directives.read(text).says for text in batch.entries]
    over = {entry.authorisation for entry in says if isinstance(entry, AuthorisationRevoked)}
    granted = {entry.authorisation for entry in says if isinstance(entry, AuthorisationGranted)}
    assert (granted - over, over) == ({living}, {ended}), "an end alone would not be held against its token"
    assert says[-1] == HistoryRestored(Epoch(fresh.epoch))
    assert wire.down_hashes(batch)[-1].hex() == batch.hash


def test_met_again_before_it_answered_the_new_disk_is_not_told_twice(parts: Parts) -> None:
    greeted(parts, parts.locker.link())
    fresh = FakeLocker(epoch=name_of("a new disk"))
    first = greeted(parts, fresh.link())
    fresh.conn = 2
    assert greeted(parts, fresh.link()).dn_epoch == first.dn_epoch


@pytest.mark.rule("LKR-51")
def test_staff_confirm_the_card_that_is_in_force_and_no_other(parts: Parts) -> None:
    parts.locker.add(BIRTH)
    parts.ingest()

    def confirm(epoch: str) -> None:
        parts.store.write_now(lambda c: histories.confirm(c, "hall-1", epoch, "u-1", parts.clock.now_ms))

    with pytest.raises(Refused):
        confirm("ab" * 16)
    assert parts.rows(t.DIRECTIVE) == []
    confirm(parts.locker.epoch)
    (row,) = parts.rows(t.DIRECTIVE)
    assert directives.read(row.text).says == HistoryConfirmed(Epoch(parts.locker.epoch), "u-1")
