"""Intake 待收件: a helper takes submissions out for the service windows."""

from locker.domain.access import Action
from locker.domain.deposit import Deposit, Kind, Phase
from locker.domain.errors import Reason, Refusal
from locker.domain.events import DepositCancelled, Event, SubmissionTaken, TicketOpened
from locker.domain.ids import DepositId, StaffId
from locker.domain.opening import Purpose
from locker.domain.state import LockerState
from locker.operations.open_door import Answer
from locker.operations.ports import Decided, World
from locker.operations.staff_door import open_for_staff, taken_out

FINDINGS = frozenset({"complete", "missing", "wrong", "empty"})
"""``empty``: the compartment held nothing, though a person may have left something in it."""


def waiting(state: LockerState) -> list[Deposit]:
    """The round: what awaits intake, and what may be a submission, oldest first."""
    due = {Phase.AWAITING_INTAKE, Phase.EXPOSED}
    return sorted(
        (
            d
            for d in state.deposits.values()
            if d.kind is Kind.SUBMISSION
            and (d.phase in due or (not d.ended and state.compartments[d.door].doubt))
        ),
        key=lambda d: (d.since_ms, d.door),
    )


async def open_compartment(world: World, staff: StaffId, deposit: DepositId) -> Answer:
    record = world.journal.state.deposits.get(deposit)
    if record is None or record.kind is not Kind.SUBMISSION or record.ended:
        return Refusal(Reason.NOT_NOW)
    return await open_for_staff(world, staff, Action.INTAKE, Purpose.INTAKE, record.door, deposit)


async def confirm(world: World, staff: StaffId, deposit: DepositId, finding: str) -> Refusal | None:
    """The helper has it in hand and the door is shut. ``finding`` is one of `FINDINGS`."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        made = found(world, state, staff, deposit, finding, "")
        return Decided(made) if isinstance(made, Refusal) else Decided(None, made)

    return await world.journal.commit(f"staff/{staff}", decide)


def found(
    world: World, state: LockerState, staff: StaffId, deposit: DepositId, finding: str, slip: str
) -> Refusal | tuple[Event, ...]:
    """The facts of a finding, or why it is none (yet). ``slip``: of the helper's round."""
    record = state.deposits.get(deposit)
    if record is None or record.ended or finding not in FINDINGS:
        return Refusal(Reason.NOT_NOW)
    proof = taken_out(world, state, staff, Action.INTAKE, Purpose.INTAKE, record)
    if isinstance(proof, Refusal):
        return proof
    if finding == "empty" and record.phase in {Phase.RESERVED, Phase.UNCONFIRMED, Phase.EXPOSED}:
        return (DepositCancelled(deposit, proof),)
    if record.phase is Phase.RESERVED:
        return Refusal(Reason.NOT_NOW)
    return (SubmissionTaken(deposit, staff, proof, finding, slip), *flagged(record, finding))


def flagged(record: Deposit, finding: str) -> tuple[Event, ...]:
    """Whatever is not complete is looked after by somebody."""
    return () if finding == "complete" else (TicketOpened(f"intake_{finding}", record.door, record.deposit),)
