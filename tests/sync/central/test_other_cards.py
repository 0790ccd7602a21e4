"""What one message of another card betrays, where nothing else of it was ever heard."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, delete

from locker.domain.events import EpochStarted, Stopped
from locker.domain.ids import Epoch, LockerId
from sync.central import tables as t
from tests.sync.central.conftest import Parts
from tests.sync.central.fake_locker import FakeLocker, name_of
from tests.sync.central.test_hello import BIRTH, alarms, greeted, meet, row_of


def copied(parts: Parts, entries: int, *further: str) -> FakeLocker:
    """A card as it was after so many entries, started since with boots counted anew."""
    old = FakeLocker(boot=0, entries=parts.locker.entries[:entries])
    return old.add(*(Stopped(each) for each in further))


@pytest.mark.rule("CEN-63")
@pytest.mark.parametrize("online", [True, False], ids=["birth", "will"])
@pytest.mark.parametrize(("has", "alarm"), [(2, "lost_rows"), (3, "fork")])
def test_another_entry_than_ours_is_another_card_whatever_its_numbers(
    parts: Parts, has: int, alarm: str, online: bool
) -> None:
    """It had a link for its first second only: what it found itself was never heard."""
    parts.locker.add(BIRTH, Stopped("a"), Stopped("b"))
    parts.ingest()
    greeted(parts, parts.locker.link())
    before = row_of(parts)
    meet(parts, copied(parts, has - 1, "another").link(online=online))
    assert alarms(parts) == {alarm}
    assert [row.mark for row in parts.rows(t.STREAM)] == [alarm]
    assert row_of(parts) == before, "of the true one nothing else is known"


@pytest.mark.rule("CEN-63")
def test_an_earlier_card_of_an_earlier_epoch_is_another_card_too(parts: Parts) -> None:
    parts.locker.add(BIRTH, Stopped("a"), Stopped("b"))
    parts.ingest()
    old, first = copied(parts, 1, "another"), parts.locker
    parts.locker = FakeLocker(epoch=name_of("second"))
    parts.locker.add(EpochStarted(Epoch("f"), LockerId("hall-1"), first.epoch, 3, first.hash_at(3)))
    parts.ingest()
    for words in (parts.locker.link(), first.link(), first.link(online=False)):
        meet(parts, words)
    assert alarms(parts) == {"fork"}, "that it began another epoch"
    assert greeted(parts, old.link()).up_epoch == parts.locker.epoch
    assert alarms(parts) == {"fork", "lost_rows"}


@pytest.mark.rule("CEN-63")
def test_of_what_the_centre_does_not_have_it_says_nothing(parts: Parts) -> None:
    """The copy went on without it: only the copy can tell, by the hello."""
    parts.locker.add(BIRTH, Stopped("a"))
    parts.ingest()
    greeted(parts, parts.locker.link())
    greeted(parts, copied(parts, 1, "another", "one more").link())
    assert alarms(parts) == set()


STEPS = ("goes on", "is born", "ends", "connects", "restarts", "is stored", "is heard again")


@pytest.mark.rule("CEN-63")
@given(st.lists(st.sampled_from(STEPS), max_size=30), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_late_or_again_only_another_card_is_an_alarm(
    parts: Parts, story: list[str], data: st.DataObject
) -> None:
    """All that one locker ever said of itself may come at any moment, as often as it likes."""
    begun_anew(parts)
    locker = parts.locker = FakeLocker().add(BIRTH, Stopped("a"))
    said = [locker.link()]
    for step in story:
        if step == "goes on":
            locker.add(Stopped(f"{locker.head}"))
        elif step in ("is born", "ends"):
            said.append(locker.link(online=step == "is born"))
        elif step == "connects":
            locker.conn += 1
        elif step == "restarts":
            locker.boot, locker.conn = locker.boot + 1, 1
            locker.add(Stopped(f"boot {locker.boot}"))
        elif step == "is stored":
            said.append(locker.link())
            meet(parts, said[-1])  # nothing goes up before a hello
            parts.ingest()
        else:
            meet(parts, data.draw(st.sampled_from(said)))
    assert alarms(parts) == set()
    meet(parts, locker.link())
    parts.ingest()
    old = copied(parts, data.draw(st.integers(1, locker.head - 1)), "another")
    old.boot, old.conn = data.draw(st.integers(0, locker.boot + 1)), data.draw(st.integers(1, 3))
    meet(parts, old.link(online=data.draw(st.booleans())))
    assert alarms(parts) != set()


def begun_anew(parts: Parts) -> None:
    for table in (t.LEDGER, t.STREAM, t.ALARM):
        parts.store.write_now(partial(_emptied, table=table))
    unheard = {"epoch": "", "boot": 0, "conn": 0, "head": 0}
    parts.store.write_now(lambda c: c.execute(t.LOCKER.update().values(unheard)))


def _emptied(connection: Connection, table: Table) -> None:
    connection.execute(delete(table))
