"""A helper takes out what was not collected, was refused, or was recalled."""

from typing import Final

from locker.domain import rounds
from locker.domain.access import Action
from locker.domain.deposit import Deposit, Kind, Phase
from locker.domain.errors import Reason, Refusal
from locker.domain.events import Event, ItemWithdrawn
from locker.domain.ids import DepositId, StaffId
from locker.domain.opening import Purpose
from locker.domain.rounds import RoundKind
from locker.domain.state import LockerState
from locker.operations.open_door import Answer
from locker.operations.pick_up import ended
from locker.operations.ports import Decided, World
from locker.operations.staff_door import open_for_staff, taken_out

FINDING: Final = "withdrawn"
"""The only one there is."""


def waiting(state: LockerState) -> list[Deposit]:
    """What a helper should take out, oldest first."""
    return sorted(
        (d for d in state.deposits.values() if d.kind is Kind.OUTGOING and _due(state, d)),
        key=lambda d: (d.since_ms, d.door),
    )


def _due(state: LockerState, deposit: Deposit) -> bool:
    item = state.items.get(deposit.item)
    recalled = item is not None and bool(item.recalled)
    waits = deposit.phase is Phase.AWAITING_PICKUP and (deposit.overdue or recalled)
    doubtful = deposit.phase in {Phase.UNCONFIRMED, Phase.EXPOSED}
    return waits or doubtful or deposit.phase is Phase.REFUSED


def undoable(state: LockerState, staff: StaffId, deposit: Deposit) -> bool:
    """Whether this helper loaded it last, on a round that goes on: they may take it out again."""
    last = rounds.last_of(state.rounds, RoundKind.LOAD, staff)
    waits = deposit.phase is Phase.AWAITING_PICKUP
    return waits and last is not None and last[1].deposit == deposit.deposit


async def open_compartment(world: World, staff: StaffId, deposit: DepositId) -> Answer:
    state = world.journal.state
    record = state.deposits.get(deposit)
    if record is None or record.kind is not Kind.OUTGOING:
        return Refusal(Reason.NOT_NOW)
    if not _due(state, record) and not undoable(state, staff, record):
        return Refusal(Reason.NOT_NOW)
    return await open_for_staff(world, staff, Action.WITHDRAW, Purpose.WITHDRAW, record.door, deposit)


async def confirm(world: World, staff: StaffId, deposit: DepositId) -> Refusal | None:
    """The helper has it in hand and the door is shut; until now the recipient's code was good."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        made = found(world, state, staff, deposit, FINDING, "")
        return Decided(made) if isinstance(made, Refusal) else Decided(None, made)

    return await world.journal.commit(f"staff/{staff}", decide)


def found(
    world: World, state: LockerState, staff: StaffId, deposit: DepositId, finding: str, slip: str
) -> Refusal | tuple[Event, ...]:
    """The facts of a withdrawal, or why it is none (yet). ``slip``: of the helper's round."""
    record = state.deposits.get(deposit)
    if record is None or finding != FINDING or not (_due(state, record) or undoable(state, staff, record)):
        return Refusal(Reason.NOT_NOW)
    proof = taken_out(world, state, staff, Action.WITHDRAW, Purpose.WITHDRAW, record)
    if isinstance(proof, Refusal):
        return proof
    return (ItemWithdrawn(deposit, staff, proof, slip), *ended(state, record, "withdrawn"))
