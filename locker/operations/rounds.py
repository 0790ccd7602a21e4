"""A helper's round, door after door: one press begins it, then a finding and a shut door open the next.

Each opening has a grant of its own. It rests on something this helper did at the locker just now: a press, a
scan, or the shutting of the door whose finding they had given no more than `GO_ON_MS` before. Where that is
longer ago nothing opens by itself: whoever shut the door need not be the helper.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from locker.domain import rounds
from locker.domain.access import Action
from locker.domain.deposit import HELD, Deposit
from locker.domain.door import Position, Presence
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    BagNoted,
    CompartmentDoubted,
    Event,
    FindingCorrected,
    RoundBegan,
    RoundEnded,
    RoundJoined,
    RoundSkipped,
    TicketOpened,
)
from locker.domain.ids import DepositId, StaffId
from locker.domain.opening import NEVER_OPENED, Phase, Purpose
from locker.domain.rounds import SLIP_DIGITS, UNDONE, Left, Round, RoundKind
from locker.domain.state import LockerState
from locker.operations import clear_submissions, withdraw_overdue
from locker.operations.open_door import Answer, Opened, no_door_opens, open_door, pulse
from locker.operations.ports import Decided, World
from locker.operations.sign_in import may, may_anywhere
from locker.operations.staff_door import decide_for_staff

GO_ON_MS: Final = 30_000
"""From a finding to the shutting of its door: as long as it takes to put papers into a bag."""
RESTS_MS: Final = 16 * 3_600_000
"""A round that nobody went on with for a working day is another one the next day."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a helper says of the door before them: a finding, or ``why`` they leave it. Exactly one is set."""

    finding: str = ""
    why: str = ""
    given_mono_ms: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """``opened``: the next door, where one could be opened."""

    refusal: Refusal | None = None
    opened: Opened | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """Of a round as it is now. ``left``: what waits and was not skipped."""

    done: int
    skipped: int
    left: int

    @property
    def size(self) -> int:
        return self.done + self.skipped + self.left


@dataclass(frozen=True, slots=True)
class _Way:
    action: Action
    purpose: Purpose
    waiting: Callable[[LockerState], list[Deposit]]
    finds: Callable[[World, LockerState, StaffId, DepositId, str, str], Refusal | tuple[Event, ...]]


WAYS: Final[Mapping[str, _Way]] = MappingProxyType(
    {
        RoundKind.INTAKE: _Way(
            Action.INTAKE, Purpose.INTAKE, clear_submissions.waiting, clear_submissions.found
        ),
        RoundKind.WITHDRAW: _Way(
            Action.WITHDRAW, Purpose.WITHDRAW, withdraw_overdue.waiting, withdraw_overdue.found
        ),
    }
)


def ahead(state: LockerState, kind: str) -> list[Deposit]:
    """What a round has before it, oldest first; what was skipped is not."""
    going = state.rounds.open(kind)
    return [each for each in waiting(state, kind) if not (going and going.left_as(each.deposit))]


def waiting(state: LockerState, kind: str) -> list[Deposit]:
    """All that waits, with what was skipped."""
    return WAYS[kind].waiting(state) if kind in WAYS else []


def count(state: LockerState, kind: str) -> Count:
    """Of the round that goes on; before one began, of what waits."""
    going = state.rounds.open(kind)
    if going is None:
        return Count(0, 0, len(waiting(state, kind)))
    return _count(state, going)


def _count(state: LockerState, going: Round) -> Count:
    still = {each.deposit for each in waiting(state, going.kind)}
    skipped = sum(each.deposit in still for each in going.skipped)
    return Count(len(going.done), skipped, len(still) - skipped)


def joined(
    world: World, state: LockerState, staff: StaffId, kind: RoundKind
) -> tuple[str, tuple[Event, ...]]:
    """The slip under which this helper works now, and the facts that make it so."""
    going = state.rounds.open(kind)
    rested = going is not None and world.clock.wall_ms() - going.parts[-1].since_ms > RESTS_MS
    part = going.part_of(staff) if going else None
    if going is not None and part is not None and not rested:
        return part.slip, ()
    slip = f"{world.secrets.draw(10**SLIP_DIGITS):0{SLIP_DIGITS}d}"
    if going is None:
        return slip, (RoundBegan(slip, kind.value, staff),)
    if rested:
        return slip, (_ended(state, going, staff), RoundBegan(slip, kind.value, staff))
    return slip, (RoundJoined(going.name, slip, staff),)


async def go_on(world: World, staff: StaffId, kind: str, pick: DepositId = DepositId("")) -> Answer:
    """A press: begin a round, or go on with one, also a colleague's. Opens the next door, or ``pick``'s."""

    def decide(state: LockerState) -> Decided[Answer]:
        _, begun = joined(world, state, staff, RoundKind(kind))
        found = (
            [each for each in waiting(state, kind) if each.deposit == pick] if pick else ahead(state, kind)
        )
        decided = _first(world, state, staff, kind, found)
        if isinstance(decided.answer, Refusal):
            return decided
        return Decided(decided.answer, (*begun, *decided.events))

    return await open_door(world, f"staff/{staff}", decide)


def _first(
    world: World, state: LockerState, staff: StaffId, kind: str, found: list[Deposit]
) -> Decided[Answer]:
    """The first of these that can be opened; else why the first one cannot."""
    why: Decided[Answer] = Decided(Refusal(Reason.NOT_NOW))
    way = WAYS[kind]
    for each in found:
        decided = decide_for_staff(world, state, staff, way.action, way.purpose, each.door, each.deposit)
        if isinstance(decided.answer, Opened):
            return decided
        why = decided if each is found[0] else why
    return why


async def settle(
    world: World, staff: StaffId, kind: str, deposit: DepositId, verdict: Verdict, *, until_ms: int = 0
) -> Settled:
    """What the helper says becomes journal, and in the same transaction the next door gets its grant.

    ``until_ms``: monotonic, until when that may be; 0: no door is opened. The door of ``deposit`` is shut.
    """
    now_ms = world.clock.mono_ms()
    deadline_ms = min(until_ms, now_ms + world.journal.state.policy.pulse_deadline_ms)

    def decide(state: LockerState) -> Decided[Settled]:
        made = _judged(world, state, staff, kind, deposit, verdict)
        if isinstance(made, Refusal):
            return Decided(Settled(made))
        if world.clock.mono_ms() > deadline_ms or no_door_opens(state):
            return Decided(Settled(), made)
        further = [each for each in ahead(state, kind) if each.deposit != deposit]
        decided = _first(world, state, staff, kind, further)
        if isinstance(decided.answer, Refusal):
            return Decided(Settled(), made)
        return Decided(Settled(None, decided.answer), (*made, *decided.events))

    settled = await world.journal.commit(f"staff/{staff}", decide)
    if settled.opened is not None:
        await pulse(world, settled.opened, deadline_ms)
    return settled


def _judged(
    world: World, state: LockerState, staff: StaffId, kind: str, deposit: DepositId, verdict: Verdict
) -> Refusal | tuple[Event, ...]:
    slip, begun = joined(world, state, staff, RoundKind(kind))
    if verdict.why:
        made = _left(world, state, staff, kind, deposit, verdict.why)
    else:
        made = WAYS[kind].finds(world, state, staff, deposit, verdict.finding, slip)
    return made if isinstance(made, Refusal) else (*begun, *made)


def _left(
    world: World, state: LockerState, staff: StaffId, kind: str, deposit: DepositId, why: str
) -> Refusal | tuple[Event, ...]:
    """It stays where it is, and why."""
    record, going = state.deposits.get(deposit), state.rounds.open(kind)
    if record is None or going is None or record not in waiting(state, kind):
        return Refusal(Reason.NOT_NOW)
    refusal = may(world, state, staff, WAYS[kind].action, record.door) or _belied(state, staff, record, why)
    if refusal is not None:
        return refusal
    return (RoundSkipped(going.name, deposit, record.door, staff, why), *_follows(state, record, why))


def _belied(state: LockerState, staff: StaffId, record: Deposit, why: str) -> Refusal | None:
    """What is known of the door, where it speaks against what was said of it."""
    compartment, opening = state.compartments[record.door], state.opening_of(record.door)
    if compartment.position is Position.OPEN or (opening is not None and opening.live):
        return Refusal(Reason.DOOR_OPEN)
    looked = opening is not None and opening.phase is Phase.CLOSED and opening.staff == staff
    if why == Left.NOTHING_INSIDE and not looked:
        return Refusal(Reason.NOT_NOW)
    if why == Left.NOTHING_INSIDE:
        return Refusal(Reason.STILL_INSIDE) if compartment.item is Presence.PRESENT else None
    # It is not where it is said to have been left.
    gone = looked and compartment.item is Presence.ABSENT and record.phase in HELD
    return Refusal(Reason.NOTHING_INSIDE) if gone else None


def _follows(state: LockerState, record: Deposit, why: str) -> tuple[Event, ...]:
    """Somebody is sent where something is wrong with the door or with what should lie behind it."""
    door, opening = record.door, state.opening_of(record.door)
    if why == Left.NOTHING_INSIDE:
        ticket = TicketOpened("item_missing", door, record.deposit)
        doubted = bool(state.compartments[door].doubt)
        return (ticket,) if doubted else (CompartmentDoubted(door, "found empty on a round"), ticket)
    # After the last try of a visit there is a ticket already.
    told = opening is not None and opening.attempt >= state.policy.tries_per_visit
    sent = why == Left.STUCK and not (told and opening is not None and opening.phase in NEVER_OPENED)
    return (TicketOpened("door_stuck", door, record.deposit),) if sent else ()


async def correct(
    world: World, staff: StaffId, kind: str, deposit: DepositId, finding: str
) -> Refusal | None:
    """A finding of this helper was a slip of the finger. What stands on a slip that was closed is not
    corrected here any more: it has been handed on."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        going, record = state.rounds.open(kind), state.deposits.get(deposit)
        part = going.part_of(staff) if going else None
        theirs = any(each.deposit == deposit for each in rounds.own(state.rounds, kind, staff))
        if part is None or record is None or not theirs or kind not in WAYS:
            return Decided(Refusal(Reason.NOT_NOW))
        if refusal := _barred(world, state, staff, kind):
            return Decided(refusal)
        fact = FindingCorrected(deposit, part.slip, staff, finding)
        if finding == UNDONE:
            made = _still_there(state, record)
        elif kind == RoundKind.INTAKE and finding in clear_submissions.FINDINGS:
            made = clear_submissions.flagged(record, finding)
        else:
            made = Refusal(Reason.NOT_NOW)
        return Decided(made) if isinstance(made, Refusal) else Decided(None, (fact, *made))

    return await world.journal.commit(f"staff/{staff}", decide)


def _still_there(state: LockerState, record: Deposit) -> Refusal | tuple[Event, ...]:
    """It was not taken out at all, says who had said so: nobody is sent to that door before people looked."""
    compartment = state.compartments[record.door]
    if compartment.deposit or compartment.position is not Position.CLOSED:
        return Refusal(Reason.NOT_NOW)
    if compartment.item is Presence.ABSENT:
        return Refusal(Reason.NOTHING_INSIDE)
    doubt = () if compartment.doubt else (CompartmentDoubted(record.door, "not taken out after all"),)
    return (*doubt, TicketOpened("unknown_item", record.door, record.deposit))


async def note_label(world: World, staff: StaffId, deposit: DepositId, label: str) -> Refusal | None:
    """The helper puts a numbered label on what had none. ``label``: of `codes.parse_bag`."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        record = state.deposits.get(deposit)
        if record is None or record.ended or record.bag:
            return Decided(Refusal(Reason.NOT_NOW))
        if any(each.bag == label and not each.ended for each in state.deposits.values()):
            return Decided(Refusal(Reason.WRONG_LABEL))
        return Decided(None, (BagNoted(deposit, label),))

    return await world.journal.commit(f"staff/{staff}", decide)


async def end(world: World, staff: StaffId, kind: str) -> Refusal | None:
    """The round is over, whatever it leaves: its slips are handed over from now on."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        going = state.rounds.open(kind)
        if going is None:
            return Decided(Refusal(Reason.NOT_NOW))
        if refusal := _barred(world, state, staff, kind):
            return Decided(refusal)
        return Decided(None, (_ended(state, going, staff),))

    return await world.journal.commit(f"staff/{staff}", decide)


def _ended(state: LockerState, going: Round, staff: StaffId) -> RoundEnded:
    counted = _count(state, going)
    return RoundEnded(going.name, staff, counted.done, counted.skipped, counted.left)


def _barred(world: World, state: LockerState, staff: StaffId, kind: str) -> Refusal | None:
    return may_anywhere(world, state, staff, Action.LOAD if kind == RoundKind.LOAD else WAYS[kind].action)
