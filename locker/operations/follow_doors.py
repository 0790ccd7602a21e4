"""What the sensors say becomes journal, and what it means for custody follows in the same transaction.

Everything here is driven by two things: reports of the cabinet, in order, and deadlines, which are set by
what the journal says happened. Nothing is remembered that a restart could lose.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from locker.domain import deposit as deposits
from locker.domain.allocation import choose
from locker.domain.compartment import Compartment, Status
from locker.domain.deposit import Deposit
from locker.domain.door import (
    BoardFound,
    BoardLost,
    DoorMoved,
    DoorReading,
    Position,
    Presence,
    RelayStuck,
    Report,
)
from locker.domain.entry import Entry
from locker.domain.events import (
    BoardAnswered,
    BoardWentSilent,
    CompartmentDoubted,
    CompartmentFaulted,
    DepositMoved,
    DoorClosed,
    DoorForced,
    DoorLeftOpen,
    DoorOpened,
    DoorRead,
    DoorStuck,
    Event,
    OpeningUnknown,
    PulseAcknowledged,
    PulseUncertain,
    SubmissionExposed,
    TicketOpened,
)
from locker.domain.ids import CompartmentNumber, DepositId, GrantId
from locker.domain.opening import Opening, Phase, Purpose
from locker.domain.state import LockerState
from locker.operations import drop_off, pick_up, remote_open, service, service_window
from locker.operations.open_door import Opened, grant, pulse
from locker.operations.ports import Decided, World

_COMMANDED: Final = frozenset({Phase.REQUESTED, Phase.ACKNOWLEDGED, Phase.UNCERTAIN})
_STANDS_OPEN: Final = frozenset({Phase.OPEN, Phase.LEFT_OPEN})
_PLACING: Final = frozenset({Purpose.DROP_OFF, Purpose.LOAD})

Conclusion = Callable[[World, LockerState, Opening, Presence], tuple[Event, ...]]
ON_CLOSED: Final[Mapping[Purpose, Conclusion]] = MappingProxyType(
    {
        Purpose.DROP_OFF: drop_off.closed,
        Purpose.REOPEN: drop_off.closed,
        Purpose.PICK_UP: pick_up.closed,
        Purpose.SERVICE: service.closed,
        Purpose.REMOTE: remote_open.closed,
        # Other staff say themselves what they did (`confirm` of each).
    }
)


LATE_MS: Final = 1_000
"""A deadline that comes so late comes after a standstill of the whole process."""
CATCHING_UP_MS: Final = 2_000
"""Until every line has said what it sees, or that it sees nothing."""


@dataclass(frozen=True, slots=True)
class OpenDeadline:
    grant: GrantId


@dataclass(frozen=True, slots=True)
class LeftOpenDeadline:
    grant: GrantId


Happening = Report | OpenDeadline | LeftOpenDeadline


class DoorFollower:
    """Runs as one task; `report` and `entries_committed` are called on the event loop."""

    def __init__(self, world: World) -> None:
        self._world = world
        # Bounded by what the cabinet can report: it tells changes only, a few for each door.
        self._queue: asyncio.Queue[Happening] = asyncio.Queue()

    def report(self, report: Report) -> None:
        self._queue.put_nowait(report)

    def entries_committed(self, state: LockerState, entries: tuple[Entry, ...]) -> None:
        """Set the deadlines that follow from what just became durable."""
        for entry in entries:
            match entry.event:
                case PulseAcknowledged(key) | PulseUncertain(key):
                    self._after(state.policy.open_deadline_ms, OpenDeadline(key))
                case DoorOpened(_, key):
                    self._after(state.policy.left_open_alarm_ms, LeftOpenDeadline(key))

    def _after(self, delay_ms: int, happening: Happening) -> None:
        clock = self._world.clock
        due_ms = clock.mono_ms() + delay_ms

        def over() -> None:
            if clock.mono_ms() - due_ms > LATE_MS:
                # All of us stood still, the eyes too: first what the sensors see now, then a verdict.
                self._after(CATCHING_UP_MS, happening)
            else:
                self._queue.put_nowait(happening)

        clock.call_at(due_ms, over)

    async def run(self) -> None:
        """Follow for ever. Raises JournalFailing where the journal does: the daemon then opens nothing."""
        while True:
            await self.settle(await self._queue.get())

    async def settle(self, happening: Happening) -> None:
        """Journal one happening and what follows from it."""
        world = self._world
        deadline_ms = world.clock.mono_ms() + world.journal.state.policy.pulse_deadline_ms
        opened = await world.journal.commit("sensor", lambda state: conclude(world, state, happening))
        if opened is not None:
            # The person waits in front of a stuck door: the next one opens for them now, or not at all.
            await pulse(world, opened, deadline_ms)


def conclude(world: World, state: LockerState, happening: Happening) -> Decided[Opened | None]:
    """The facts that one happening makes; an `Opened` where another door is to be pulsed now."""
    match happening:
        case DoorMoved(door, reading, _):
            if door not in state.compartments:
                return Decided(None)
            events = _moved(world, state, state.compartments[door], reading)
            hidden = (door,) if events and reading.position is Position.UNKNOWN else ()
            return Decided(None, (*events, *_out_of_sight(world, state, hidden)))
        case BoardLost() | BoardFound() | RelayStuck():
            events = _of_board(state, happening)
            unseen = happening.doors if events and isinstance(happening, BoardLost) else ()
            return Decided(None, (*events, *_out_of_sight(world, state, unseen)))
        case OpenDeadline(key):
            return _stuck(world, state, key)
        case LeftOpenDeadline(key):
            return Decided(None, _left_open(state, key))


def _of_board(state: LockerState, report: BoardLost | BoardFound | RelayStuck) -> tuple[Event, ...]:
    match report:
        case BoardLost(board, doors, _):
            if board in state.silent_boards:
                return ()
            return (BoardWentSilent(board, doors), *_unseen(state, doors))
        case BoardFound(board, _):
            return (BoardAnswered(board),) if board in state.silent_boards else ()
        case RelayStuck(_, doors, _):
            return tuple(event for door in doors for event in _powered(state, door))


def _moved(
    world: World, state: LockerState, compartment: Compartment, reading: DoorReading
) -> tuple[Event, ...]:
    if reading.position is compartment.position:
        return ()
    number, opening = compartment.spec.number, state.opening_of(compartment.spec.number)
    if reading.position is Position.UNKNOWN:
        # Its board answers, but not for certain of this door: nobody may believe the last reading any longer.
        return (DoorRead(number, reading.position, reading.item), *_unseen(state, (number,)))
    if compartment.position is Position.UNKNOWN:
        return _first_sight(world, state, compartment, reading, opening)
    if reading.position is Position.OPEN:
        if opening is not None and opening.phase in _COMMANDED:
            return _opened(state, number, opening)
        return _forced(world, state, number)
    return _closed(world, state, number, reading, opening)


def _first_sight(
    world: World,
    state: LockerState,
    compartment: Compartment,
    reading: DoorReading,
    opening: Opening | None,
) -> tuple[Event, ...]:
    """A door seen again after a start or a silence: settle what was left open, never pulse."""
    number = compartment.spec.number
    seen = DoorRead(number, reading.position, reading.item)
    if reading.position is Position.OPEN:
        if opening is not None and opening.phase in _COMMANDED | {Phase.UNKNOWN}:
            return (seen, *_opened(state, number, opening))
        if opening is not None and opening.phase in _STANDS_OPEN:
            return (seen,)
        return (seen, *_doubt(state, number, "found open")) if compartment.deposit else (seen,)
    if opening is not None and opening.phase in _STANDS_OPEN:
        return (seen, *_closed(world, state, number, reading, opening))
    if opening is not None and opening.phase is Phase.UNKNOWN:
        shut = DoorClosed(number, opening.grant, reading.item)
        return (seen, shut, *_doubt(state, number, "restarted during an opening"))
    return (seen,)


def _opened(state: LockerState, number: CompartmentNumber, opening: Opening) -> tuple[Event, ...]:
    fact = DoorOpened(number, opening.grant)
    return (fact, *remote_open.stood_open(state, number)) if opening.purpose is Purpose.REMOTE else (fact,)


def _closed(
    world: World,
    state: LockerState,
    number: CompartmentNumber,
    reading: DoorReading,
    opening: Opening | None,
) -> tuple[Event, ...]:
    if opening is None or opening.phase not in _STANDS_OPEN:
        return (DoorClosed(number, GrantId(""), reading.item),)
    fact = DoorClosed(number, opening.grant, reading.item)
    means = ON_CLOSED.get(opening.purpose)
    return (fact, *(means(world, state, opening, reading.item) if means else ()))


def _forced(world: World, state: LockerState, number: CompartmentNumber) -> tuple[Event, ...]:
    if state.window.stands(world.clock.mono_ms()):
        return service_window.opened(state, number)
    ticket = TicketOpened("door_forced", number, state.compartments[number].deposit)
    return (DoorForced(number), ticket, *_doubt(state, number, "opened without a grant"))


def _out_of_sight(world: World, state: LockerState, doors: Iterable[CompartmentNumber]) -> tuple[Event, ...]:
    """While hands are at work inside, a door that nobody sees may be opened."""
    if not state.window.stands(world.clock.mono_ms()):
        return ()
    return service_window.touched(state, doors, "not seen in a service window")


def _powered(state: LockerState, number: CompartmentNumber) -> tuple[Event, ...]:
    """A lock that keeps its current does not hold its door."""
    compartment = state.compartments[number]
    ticket = TicketOpened("relay_stuck", number, compartment.deposit)
    if compartment.status is Status.VACANT:
        return (CompartmentFaulted(number, "its relay stays on"), ticket)
    return (*_doubt(state, number, "its lock may not have held"), ticket)


def _unseen(state: LockerState, doors: Iterable[CompartmentNumber]) -> tuple[Event, ...]:
    """Where a visit still goes on and its door counts as stuck: the eyes may have been shut already when it
    opened. It is no longer known to be empty."""
    doubts: tuple[Event, ...] = ()
    for number in doors:
        opening = state.opening_of(number)
        deposit = state.deposits.get(opening.deposit) if opening else None
        waits = deposit is not None and deposit.phase in deposits.TENTATIVE and deposit.door == number
        if opening is not None and opening.phase is Phase.STUCK and waits:
            doubts += _doubt(state, number, "not seen while it was to open")
    return doubts


def _doubt(state: LockerState, number: CompartmentNumber, reason: str) -> tuple[Event, ...]:
    return () if state.compartments[number].doubt else (CompartmentDoubted(number, reason),)


def _stuck(world: World, state: LockerState, key: GrantId) -> Decided[Opened | None]:
    opening = state.openings.get(key)
    if opening is None or opening.phase not in {Phase.ACKNOWLEDGED, Phase.UNCERTAIN}:
        return Decided(None)
    if state.compartments[opening.door].position is Position.UNKNOWN:
        # Nobody looks: whether it opened, the sensor tells when it is back, or a person.
        return Decided(None, (OpeningUnknown(key),))
    stuck = DoorStuck(opening.door, key)
    deposit = state.deposits.get(opening.deposit)
    placing = opening.purpose in _PLACING and deposit is not None and deposit.phase is deposits.Phase.RESERVED
    if placing and deposit is not None and opening.attempt >= state.policy.tries_per_door:
        return _elsewhere(world, state, opening, deposit, stuck)
    # A technician stands before it already: nobody needs to be sent.
    if opening.purpose is Purpose.SERVICE or opening.attempt < state.policy.tries_per_visit:
        return Decided(None, (stuck,))
    return Decided(None, (stuck, TicketOpened("door_stuck", opening.door, opening.deposit)))


def _elsewhere(
    world: World, state: LockerState, opening: Opening, deposit: Deposit, stuck: DoorStuck
) -> Decided[Opened | None]:
    """A door that would not open twice is put aside; another one opens by itself if there is one."""
    events: tuple[Event, ...] = (
        stuck,
        CompartmentFaulted(opening.door, "did not open"),
        TicketOpened("door_stuck", opening.door, opening.deposit),
    )
    if opening.attempt >= state.policy.tries_per_visit:
        return Decided(None, events)
    door = choose(
        state,
        deposit.kind,
        state.compartments[opening.door].spec.size,
        without=frozenset({opening.door}),
        right=deposit.authorisation,
    )
    if door is None:
        return Decided(None, events)
    opened, requested = grant(
        world, door, opening.purpose, deposit.deposit, opening.staff, opening.attempt + 1
    )
    return Decided(opened, (*events, DepositMoved(deposit.deposit, door), requested))


def _left_open(state: LockerState, key: GrantId) -> tuple[Event, ...]:
    opening = state.openings.get(key)
    if opening is None or opening.phase is not Phase.OPEN:
        return ()
    events: tuple[Event, ...] = (
        DoorLeftOpen(opening.door, key),
        TicketOpened("door_left_open", opening.door, opening.deposit),
    )
    deposit = state.deposits.get(opening.deposit) if opening.deposit != DepositId("") else None
    exposed = opening.purpose is Purpose.DROP_OFF and deposit is not None
    if (
        exposed
        and deposit is not None
        and deposit.phase
        in {
            deposits.Phase.RESERVED,
            deposits.Phase.UNCONFIRMED,
        }
    ):
        events += (SubmissionExposed(deposit.deposit),)
    return events
