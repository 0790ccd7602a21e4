"""Pickup 取件: an applicant, or a named agent, collects."""

from locker.domain.codes import CodeRecord, matches
from locker.domain.deposit import TENTATIVE, Deposit, Phase, Proof
from locker.domain.door import Position, Presence
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    CodeAccepted,
    CodeEnded,
    CompartmentDoubted,
    DepositCancelled,
    Event,
    ItemPickedUp,
    ItemRefused,
    PhoneFailed,
    TicketOpened,
)
from locker.domain.ids import CompartmentNumber, DepositId, StaffId
from locker.domain.opening import Opening, Purpose
from locker.domain.opening import Phase as OpeningPhase
from locker.domain.state import LockerState
from locker.operations.assist import assisted, looked_for
from locker.operations.open_door import Answer, grant, hindrance, next_attempt, open_door
from locker.operations.ports import Decided, World
from locker.operations.present_code import PickupOffer, asks_phone, phone_of, untimely


async def open_compartment(
    world: World, offer: PickupOffer, phone4: str = "", helper: StaffId = StaffId("")
) -> Answer:
    """Open the compartment of an accepted pickup code; ``phone4`` where the item's class asks for it.

    ``helper``: who stands beside the person, see `assist`.
    """
    decide = assisted(world, helper, lambda state: _decide(world, state, offer, phone4))
    return await open_door(world, "applicant", decide)


def _decide(world: World, state: LockerState, offer: PickupOffer, phone4: str) -> Decided[Answer]:
    code = state.codes.get(offer.code)
    deposit = state.deposits.get(offer.deposit)
    if code is None or code.ended or deposit is None or deposit.phase is not Phase.AWAITING_PICKUP:
        return Decided(Refusal(Reason.CODE_NOT_ACCEPTED))
    wrong = _second_factor(world, state, code, deposit, phone4)
    if wrong is not None:
        return wrong
    refusal = untimely(world, state, code) or looked_for(state, deposit.door)
    if refusal := refusal or hindrance(state, deposit.door):
        return Decided(refusal)
    if _looked_enough(state, deposit):
        return Decided(Refusal(Reason.CODE_NOT_ACCEPTED), collected(state, deposit, Proof.ASSUMED))
    attempt = next_attempt(state, deposit.door, deposit.deposit, world.clock.mono_ms())
    if attempt > state.policy.tries_per_visit:
        return Decided(Refusal(Reason.TRIES_USED_UP))
    opened, requested = grant(world, deposit.door, Purpose.PICK_UP, deposit.deposit, attempt=attempt)
    return Decided(opened, (CodeAccepted(f"code/{code.code}", offer.form, code.entrustment), requested))


def _second_factor(
    world: World, state: LockerState, code: CodeRecord, deposit: Deposit, phone4: str
) -> Decided[Answer] | None:
    """None where no second factor is asked, or it is right."""
    if not asks_phone(state, code):
        return None
    if code.phone_failures >= state.policy.phone_tries:
        return Decided(Refusal(Reason.TRIES_USED_UP))
    if not phone4:
        return Decided(Refusal(Reason.PHONE_ASKED))
    if matches(world.secrets.digest("phone4", f"{phone4}:{deposit.case}"), phone_of(state, code)):
        return None
    events: tuple[Event, ...] = (PhoneFailed(f"code/{code.code}"),)
    if code.phone_failures + 1 >= state.policy.phone_tries:
        events += (TicketOpened("second_factor", deposit.door, deposit.deposit),)
    return Decided(Refusal(Reason.PHONE_WRONG), events)


def _looked_enough(state: LockerState, deposit: Deposit) -> bool:
    """Without a sensor the recipient may look again twice; then the collection is assumed."""
    return awaiting_word(state, deposit) and deposit.openings > state.policy.reopen_times


def awaiting_word(state: LockerState, deposit: Deposit) -> bool:
    """The recipient shut the door, no sensor saw the item go, and nobody has said so yet."""
    if deposit.phase is not Phase.AWAITING_PICKUP:
        return False
    opening = state.opening_of(deposit.door)
    return (
        opening is not None
        and opening.purpose is Purpose.PICK_UP
        and opening.phase is OpeningPhase.CLOSED
        and state.compartments[deposit.door].item is Presence.UNKNOWN
    )


def closed(world: World, state: LockerState, opening: Opening, item: Presence) -> tuple[Event, ...]:
    """The door of a pickup was shut: collected only where the sensor shows the compartment empty."""
    del world
    deposit = state.deposits[opening.deposit]
    if item is Presence.ABSENT and deposit.phase is Phase.AWAITING_PICKUP:
        return collected(state, deposit, Proof.SENSED)
    return ()


def collected(state: LockerState, deposit: Deposit, proof: Proof) -> tuple[Event, ...]:
    """The collection, the end of every live code of the deposit, and what doubt remains."""
    picked_up = ItemPickedUp(deposit.deposit, proof, deposit.code)
    events: tuple[Event, ...] = (picked_up, *ended(state, deposit, "collected"))
    if proof is Proof.ASSUMED and not state.policy.assumed_frees:
        events += (CompartmentDoubted(deposit.door, "collection assumed"),)
    return events


def ended(state: LockerState, deposit: Deposit, reason: str) -> tuple[Event, ...]:
    live = (c for c in state.codes.values() if c.deposit == deposit.deposit and not c.ended)
    return tuple(CodeEnded(code.code, reason) for code in live)


async def confirm_taken(world: World, deposit: DepositId) -> Refusal | None:
    """The recipient says: everything taken. Asked where no sensor can say."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        record = state.deposits.get(deposit)
        if record is None or not awaiting_word(state, record):
            return Decided(Refusal(Reason.NOT_NOW))
        return Decided(None, collected(state, record, Proof.DECLARED))

    return await world.journal.commit("applicant", decide)


async def refuse(world: World, deposit: DepositId, reason: str) -> Refusal | None:
    """The recipient has put the item back and shut the door: not mine, damaged, incomplete.

    ``reason``: ``not_mine``, ``damaged`` or ``incomplete``. The code ends; staff take over.
    """

    def decide(state: LockerState) -> Decided[Refusal | None]:
        record = state.deposits.get(deposit)
        opening = state.opening_of(record.door) if record else None
        if record is None or opening is None or record.phase is not Phase.AWAITING_PICKUP:
            return Decided(Refusal(Reason.NOT_NOW))
        if opening.deposit != deposit or opening.purpose is not Purpose.PICK_UP:
            return Decided(Refusal(Reason.NOT_NOW))
        compartment = state.compartments[record.door]
        if compartment.position is not Position.CLOSED or opening.phase is not OpeningPhase.CLOSED:
            return Decided(Refusal(Reason.DOOR_OPEN))
        if compartment.item is Presence.ABSENT:
            return Decided(Refusal(Reason.NOTHING_INSIDE))
        ticket = TicketOpened(f"refused_{reason}", record.door, deposit)
        return Decided(None, (ItemRefused(deposit, reason), *ended(state, record, "refused"), ticket))

    return await world.journal.commit("applicant", decide)


async def report_not_empty(world: World, door: CompartmentNumber) -> None:
    """Somebody found a thing that is not theirs: nobody is sent to this compartment until staff looked.

    A drop-off or load that was just being put there is called off; its code or label gets another door.
    """

    def decide(state: LockerState) -> Decided[None]:
        compartment, deposit = state.compartments[door], state.deposit_in(door)
        if compartment.doubt:
            return Decided(None)
        events: tuple[Event, ...] = ()
        if deposit is not None and deposit.phase in TENTATIVE:
            events = (DepositCancelled(deposit.deposit, Proof.ASSUMED),)
        ticket = TicketOpened("not_empty", door, compartment.deposit)
        return Decided(None, (*events, CompartmentDoubted(door, "reported not empty"), ticket))

    await world.journal.commit("applicant", decide)
