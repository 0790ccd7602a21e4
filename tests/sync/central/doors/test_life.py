"""What became of what the centre said, from the desk to what its locker made of it."""

from typing import Any

import pytest

from sync.central import directives
from sync.central import tables as t
from sync.central.console import texts
from sync.central.doors import bars
from sync.central.doors.life import Life, State, lives
from sync.central.paging import Asked
from sync.central.pump import Pump
from sync.central.tables import LOCKER
from tests.sync.central.conftest import Parts
from tests.sync.central.doors.told import OPERATOR, Told
from tests.sync.central.test_cases import authorise


@pytest.fixture
def told(parts: Parts) -> Told:
    return Told(parts)


def shown(told: Told, pump: Pump | None = None) -> list[Life]:
    sent = (pump or told.office.pump).sent_to("hall-1")

    def look(connection: Any) -> list[Life]:
        (row,) = connection.execute(LOCKER.select()).all()
        return list(lives(connection, told.parts.desk, row, sent, Asked()).rows)

    return told.parts.store.read_now(look)


def states(told: Told, pump: Pump | None = None) -> list[State]:
    return [life.state for life in shown(told, pump)]


@pytest.mark.rule("CEN-32")
async def test_an_entry_from_the_desk_to_the_locker(told: Told) -> None:
    pump = Pump(told.parts.store, told.parts.desk, lambda *_: None)
    told.is_there(online=False)
    await bars.bar(told.office, OPERATOR, "hall-1", 3, "wet floor")
    pump.wake(["hall-1"])
    await pump.step()
    assert states(told, pump) == [State.QUEUED]
    told.is_there()
    pump.wake(["hall-1"])
    await pump.step()
    assert states(told, pump) == [State.SENT]
    told.is_there(dn_stored_to=1)
    assert states(told, pump) == [State.ACCEPTED]
    told.hears()
    (life,) = shown(told, pump)
    assert (life.state, life.kind, life.told_ms) == (
        State.APPLIED,
        "CompartmentBarred",
        told.parts.clock.now_ms,
    )
    assert life.about == {"door": 3, "reason": "wet floor"}


@pytest.mark.rule("CEN-32")
async def test_what_a_locker_will_not_do_is_told_with_its_reason(told: Told) -> None:
    await bars.bar(told.office, OPERATOR, "hall-1", 3, "wet floor")
    told.hears(refused="no door 3")
    assert [(life.state, life.why) for life in shown(told)] == [(State.REFUSED, "no door 3")]
    assert [row.kind for row in told.parts.rows(t.ALARM)] == ["directive_refused"]


@pytest.mark.rule("CEN-32")
async def test_what_is_void_by_now_is_not_told_as_done(told: Told) -> None:
    await bars.bar(told.office, OPERATOR, "hall-1", 3, "wet floor")
    told.hears(void="nothing of this waits here")
    assert [(life.state, life.why) for life in shown(told)] == [(State.VOID, "nothing of this waits here")]
    assert told.parts.rows(t.ALARM) == []


@pytest.mark.rule("CEN-32")
async def test_a_new_numbering_supersedes_what_was_never_told(told: Told) -> None:
    await bars.bar(told.office, OPERATOR, "hall-1", 3, "wet floor")
    told.hears()
    await bars.bar(told.office, OPERATOR, "hall-1", 4, "wet floor")
    told.parts.clock.now_ms += 1
    now_ms = told.parts.clock.now_ms
    told.parts.store.write_now(lambda c: directives.snapshot(c, "hall-1", told.parts.desk.chance, now_ms))
    assert sorted(states(told)) == [State.APPLIED, State.QUEUED, State.QUEUED, State.SUPERSEDED]


@pytest.mark.parametrize(("outcome", "state"), [("repeated", State.REPEATED), ("merged", State.APPLIED)])
async def test_what_a_locker_says_it_made_of_it_is_told_so(told: Told, outcome: str, state: State) -> None:
    """Also what a later locker says that is not known here."""
    await bars.bar(told.office, OPERATOR, "hall-1", 3, "wet floor")
    told.parts.store.write_now(lambda c: c.execute(t.DIRECTIVE.update().values(outcome=outcome)))
    assert states(told) == [state]


def test_every_state_has_its_words() -> None:
    for language in texts.load().values():
        assert {state.value for state in State} == language.words["directive_state"].keys()


async def test_nobodys_name_is_among_what_an_entry_is_about(told: Told) -> None:

    authorise(told.parts)
    (life,) = shown(told)
    assert set(life.about) == {"case", "authorisation", "size"}
