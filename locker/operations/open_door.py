"""THE way a door is opened; the only caller of `Doors.pulse`.

A durable grant first, then one pulse, then what the wire said, durable again. Never a second pulse: trying
again is a new act of the person with a new grant.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from locker.domain.door import Position, PulseOutcome, PulseResult
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    Event,
    OpeningRequested,
    PulseAcknowledged,
    PulseNotSent,
    PulseRefused,
    PulseUncertain,
)
from locker.domain.ids import CompartmentNumber, DepositId, GrantId, StaffId
from locker.domain.opening import NEVER_OPENED, Purpose
from locker.domain.state import LockerState
from locker.operations.ports import Decided, World

VISIT_GAP_MS: Final = 120_000
"""A try this long after the last one belongs to another visit."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A door was commanded; whether it opens, its sensor says."""

    grant: GrantId
    door: CompartmentNumber
    deposit: DepositId


Answer = Opened | Refusal


async def open_door(
    world: World,
    cause: str,
    decide: Callable[[LockerState], Decided[Answer]],
    until_ms: int | None = None,
    *,
    on_site: bool = False,
) -> Answer:
    """Commit a decision that ends in one `OpeningRequested`, then pulse that door once.

    The person's last act is now: past the deadline counted from here no pulse leaves, nor past ``until_ms``
    (monotonic) where the right itself ends then. ``on_site``: ``decide`` sees to it that two staff stand here
    who look behind the door, which may be done while the centre's memory is awaited.
    """
    deadline_ms = world.clock.mono_ms() + world.journal.state.policy.pulse_deadline_ms
    if until_ms is not None:
        deadline_ms = min(deadline_ms, until_ms)
    answer = await world.journal.commit(cause, lambda state: _while_powered(state, decide, on_site=on_site))
    if isinstance(answer, Opened):
        await pulse(world, answer, deadline_ms)
    return answer


def _while_powered(
    state: LockerState, decide: Callable[[LockerState], Decided[Answer]], *, on_site: bool
) -> Decided[Answer]:
    """What is about to lose its power begins nothing: who opened a door must be able to end their visit.

    Nor does a locker that may have forgotten which rights have ended.
    """
    refusal = no_door_opens(state, on_site=on_site)
    return Decided(refusal) if refusal else decide(state)


def no_door_opens(state: LockerState, *, on_site: bool = False) -> Refusal | None:
    """Why this locker opens nothing just now; None where it does."""
    around = state.surroundings
    if around.mains_lost:
        return Refusal(Reason.POWER_FAILING)
    if around.supply_cut:
        return Refusal(Reason.BOARD_LOST)
    return Refusal(Reason.HISTORY_AWAITED) if state.history.awaited and not on_site else None


async def pulse(world: World, opened: Opened, deadline_ms: int) -> None:
    """Use a durable grant once."""
    if world.clock.mono_ms() > deadline_ms:
        result = PulseResult(PulseOutcome.NOT_SENT, "late")
    else:
        result = await world.doors.pulse(opened.door, deadline_ms)
    fact = _fact(opened.grant, result)
    await world.journal.commit("wire", lambda _state: Decided(None, (fact,)))


def _fact(grant: GrantId, result: PulseResult) -> Event:
    match result.outcome:
        case PulseOutcome.ACKNOWLEDGED:
            return PulseAcknowledged(grant)
        case PulseOutcome.UNCERTAIN:
            return PulseUncertain(grant)
        case PulseOutcome.REFUSED:
            return PulseRefused(grant, result.reason)
        case PulseOutcome.NOT_SENT:
            return PulseNotSent(grant, result.reason)


def hindrance(state: LockerState, door: CompartmentNumber) -> Refusal | None:
    """Why this door cannot be opened just now; None where it can."""
    compartment = state.compartments[door]
    if compartment.position is Position.UNKNOWN:
        return Refusal(Reason.BOARD_LOST)
    if compartment.position is Position.OPEN:
        return Refusal(Reason.DOOR_OPEN)
    opening = state.opening_of(door)
    return Refusal(Reason.DOOR_BUSY) if opening and opening.live else None


def next_attempt(state: LockerState, door: CompartmentNumber, deposit: DepositId, now_ms: int) -> int:
    """Which try of this visit the next one is, from 1."""
    last = state.opening_of(door)
    again = (
        last is not None
        and last.deposit == deposit
        and last.phase in NEVER_OPENED
        and now_ms - last.requested_ms < VISIT_GAP_MS
    )
    return last.attempt + 1 if last is not None and again else 1


def grant(
    world: World,
    door: CompartmentNumber,
    purpose: Purpose,
    deposit: DepositId = DepositId(""),
    staff: StaffId = StaffId(""),
    attempt: int = 1,
) -> tuple[Opened, OpeningRequested]:
    """A fresh grant for a door, and the fact that makes it durable."""
    key = GrantId(world.secrets.new_id())
    fact = OpeningRequested(key, door, purpose, deposit, staff, attempt)
    return Opened(key, door, deposit), fact
