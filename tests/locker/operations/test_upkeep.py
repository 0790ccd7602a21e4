"""What time alone brings about, what the centre says, and what a door that cannot be opened answers."""

from unittest.mock import AsyncMock

import pytest

from locker.domain.compartment import Status
from locker.domain.deposit import Phase
from locker.domain.directives import Directive, read, write
from locker.domain.door import Position
from locker.domain.errors import Reason, Refusal, UnreadableFact
from locker.domain.events import (
    AuthorisationRevoked,
    DirectiveApplied,
    DoorStuck,
    HeadSigned,
    ItemOverdue,
    OpeningUnknown,
    PulseUncertain,
    RecordsForgotten,
    SettingsChanged,
)
from locker.domain.ids import AuthorisationId, CompartmentNumber, Epoch, Seq
from locker.domain.settings import Setting
from locker.operations import directives, drop_off, withdraw_overdue
from locker.operations.open_door import Opened, hindrance
from locker.operations.present_code import DropOffOffer, present_typed
from locker.operations.upkeep import next_ms, sign_head, upkeep
from tests.locker.operations.test_visits import hand_in, load
from tests.locker.operations.world import MemoryWorld

DAY_MS = 86_400_000
HOLD_9 = SettingsChanged(1, (Setting("hold_days", 9),))


async def test_a_reservation_nobody_uses_is_given_back() -> None:
    m = await MemoryWorld.start()
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    opened = await drop_off.open_compartment(m.world, offer)
    assert isinstance(opened, Opened)
    await m.settle()
    await m.shut(opened.door)
    await upkeep(m.world)
    assert m.journal.state.compartments[opened.door].status is Status.RESERVED
    due_ms = next_ms(m.world)
    assert due_ms is not None
    await m.later(due_ms - m.clock.mono_ms() - 1)
    await upkeep(m.world)
    assert m.journal.state.compartments[opened.door].status is Status.RESERVED
    await m.later(1)
    await upkeep(m.world)
    assert m.journal.state.compartments[opened.door].status is Status.VACANT
    assert next_ms(m.world) is None


async def test_an_opening_of_which_no_word_came_ends_and_its_door_is_free_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever waited for the pulse was cut off before they could journal what became of it."""
    m = await MemoryWorld.start()
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    with monkeypatch.context() as cut_off:
        cut_off.setattr(m.hands, "pulse", AsyncMock(side_effect=TimeoutError))
        with pytest.raises(TimeoutError):
            await drop_off.open_compartment(m.world, offer)
    assert await drop_off.open_compartment(m.world, offer) == Refusal(Reason.DOOR_BUSY)
    assert next_ms(m.world) == m.clock.mono_ms() + 60_001
    await m.later(60_000)
    await upkeep(m.world)
    assert m.journal.events(DoorStuck) == []
    await m.later(2)
    await upkeep(m.world)
    assert len(m.journal.events(PulseUncertain)) == len(m.journal.events(DoorStuck)) == 1
    await m.later(10_000)
    assert m.hands.pulses == []
    assert isinstance(await drop_off.open_compartment(m.world, offer), Opened)
    assert len(m.hands.pulses) == 1


async def test_an_unconfirmed_drop_off_waits_for_a_helper_as_to_check() -> None:
    m = await MemoryWorld.start(item_sensors=False)
    opened = await hand_in(m)
    await m.later(600_001)
    await upkeep(m.world)
    assert m.journal.state.compartments[opened.door].status is Status.TO_CHECK
    assert m.journal.state.deposits[opened.deposit].phase is Phase.UNCONFIRMED


async def test_an_item_becomes_overdue_after_its_days_and_its_code_still_works() -> None:
    m = await MemoryWorld.start()
    await m.announce()
    loaded = await load(m)
    await m.later(7 * DAY_MS - 1)
    await upkeep(m.world)
    assert m.journal.events(ItemOverdue) == []
    await m.later(2)
    await upkeep(m.world)
    await upkeep(m.world)
    assert len(m.journal.events(ItemOverdue)) == 1
    assert [d.deposit for d in withdraw_overdue.waiting(m.journal.state)] == [loaded.deposit]
    assert all(not code.ended for code in m.journal.state.codes.values())


async def test_a_used_right_is_remembered_for_as_long_as_its_token_could_be_shown() -> None:
    m = await MemoryWorld.start()
    await m.grant()
    await m.say(AuthorisationRevoked(AuthorisationId("auth-C-1"), "withdrawn"))
    await m.later(73 * 3_600_000)
    await upkeep(m.world)
    assert m.journal.events(RecordsForgotten) == []
    await m.later(24 * 3_600_000)
    await upkeep(m.world)
    assert m.journal.state.authorisations == {}


async def test_the_head_is_signed_every_hundred_entries_and_an_idle_journal_rests() -> None:
    m = await MemoryWorld.start()
    await sign_head(m.world, lambda: m.journal.head)
    signed = len(m.journal.events(HeadSigned))
    for n in range(110):
        await m.grant(f"C-{n}")
        await sign_head(m.world, lambda: m.journal.head)
    assert len(m.journal.events(HeadSigned)) >= signed + 2
    m.clock.advance(3_600_000)
    await sign_head(m.world, lambda: m.journal.head)
    entries = len(m.journal.entries)
    for _ in range(5):
        m.clock.advance(3_600_000)
        await sign_head(m.world, lambda: m.journal.head)
    assert len(m.journal.entries) == entries


async def test_a_directive_counts_once_and_only_in_its_turn() -> None:
    m = await MemoryWorld.start()
    epoch = Epoch("e-1")
    first = Directive(Seq(1), "", HOLD_9)
    assert await directives.apply(m.world, first, epoch, "h1")
    assert not await directives.apply(m.world, first, epoch, "h1")
    assert not await directives.apply(m.world, Directive(Seq(3), "", first.says), epoch, "h3")
    assert m.journal.state.policy.hold_days == 9
    assert (m.journal.state.down.seq, m.journal.state.down.hash) == (1, "h1")


async def test_one_bad_directive_never_stops_the_log() -> None:
    m = await MemoryWorld.start()
    epoch = Epoch("e-1")
    unknown = read('{"v":1,"seq":1,"type":"OpenEverything","data":{}}')
    nameless = read('{"v":1,"seq":2,"type":"SettingsChanged","data":{"version":1,"settings":[{"value":9}]}}')
    no_version = Directive(Seq(3), "", SettingsChanged(0, HOLD_9.settings))
    for directive in (unknown, nameless, no_version):
        assert await directives.apply(m.world, directive, epoch, "h")
    outcomes = [e.outcome for e in m.journal.events(DirectiveApplied)]
    assert all(outcome.startswith("refused: ") for outcome in outcomes)
    assert m.journal.events(SettingsChanged) == []


def test_a_directive_is_read_as_it_was_written() -> None:
    assert read(write(Seq(4), HOLD_9)).says == HOLD_9
    for text in ("", "[]", '{"v":2,"seq":1,"type":"x","data":{}}', '{"v":1,"seq":0,"type":"x","data":{}}'):
        with pytest.raises(UnreadableFact):
            read(text)


async def test_a_door_that_is_open_unseen_or_busy_is_not_opened() -> None:
    m = await MemoryWorld.start()
    door = CompartmentNumber(3)
    assert hindrance(m.journal.state, door) is None
    m.hands.move(door, Position.OPEN)
    await m.settle()
    assert hindrance(m.journal.state, door) == Refusal(Reason.DOOR_OPEN)
    offer = await present_typed(m.world, await m.grant())
    assert isinstance(offer, DropOffOffer)
    m.hands.jammed.update(m.hands.readings)
    opened = await drop_off.open_compartment(m.world, offer)
    assert isinstance(opened, Opened)
    assert hindrance(m.journal.state, opened.door) == Refusal(Reason.DOOR_BUSY)
    again = await drop_off.open_compartment(m.world, offer)
    assert again == Refusal(Reason.DOOR_BUSY)
    m.journal._subscribers.clear()
    await m.restart()
    assert len(m.journal.events(OpeningUnknown)) == 1


async def test_recovering_five_times_gives_the_same_state() -> None:
    m = await MemoryWorld.start()
    opened = await hand_in(m)
    states = []
    for _ in range(5):
        await m.restart()
        state = m.journal.state
        states.append((dict(state.deposits), {n: c.status for n, c in state.compartments.items()}))
    assert all(state[1] == states[0][1] for state in states)
    assert {d.phase for d in m.journal.state.deposits.values()} == {Phase.AWAITING_INTAKE}
    assert [door for door, _ in m.hands.pulses] == [opened.door]
