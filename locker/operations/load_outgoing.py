"""Loading 出件: a helper loads finished licences by their labels."""

from locker.domain import deposit as deposits
from locker.domain.access import Action
from locker.domain.allocation import Wish, choose, unseen
from locker.domain.compartment import Size, Status
from locker.domain.deposit import Deposit, Kind, Proof
from locker.domain.door import Position, Presence
from locker.domain.errors import Reason, Refusal
from locker.domain.events import CompartmentReserved, DepositCancelled, ItemLoaded
from locker.domain.ids import AuthorisationId, CaseNumber, DepositId, ItemId, StaffId
from locker.domain.opening import Purpose
from locker.domain.rounds import RoundKind
from locker.domain.state import LockerState
from locker.operations import drop_off, pickup_codes
from locker.operations.open_door import Answer, grant, hindrance, next_attempt, open_door
from locker.operations.ports import Decided, World
from locker.operations.present_code import LoadOffer, expired, too_early
from locker.operations.rounds import joined
from locker.operations.sign_in import may


def refusal_of(world: World, state: LockerState, offer: LoadOffer) -> Refusal | None:
    """Why this item may not be loaded; asked before a door opens and again before it counts."""
    item = state.items.get(offer.item)
    if item is not None and item.recalled:
        return Refusal(Reason.WITHDRAWN)
    if expired(world, offer.token.valid_until_ms) or too_early(world, offer.token.valid_from_ms):
        return Refusal(Reason.CODE_EXPIRED)
    barring = deposits.HELD | {deposits.Phase.COLLECTED}
    held = any(d.item == offer.item and d.phase in barring for d in state.deposits.values())
    return Refusal(Reason.ALREADY_LOADED) if held else None


async def open_compartment(
    world: World, staff: StaffId, offer: LoadOffer, wish: Wish = Wish.ANY, *, on_round: bool = False
) -> Answer:
    """Open a compartment for a scanned label; the one already set aside for it, on a second try.

    ``on_round``: it counts for the round of loading that goes on, or begins with it.
    """

    def decide(state: LockerState) -> Decided[Answer]:
        decided = choose_for(state)
        if not on_round or isinstance(decided.answer, Refusal):
            return decided
        _, begun = joined(world, state, staff, RoundKind.LOAD)
        return Decided(decided.answer, (*begun, *decided.events))

    def choose_for(state: LockerState) -> Decided[Answer]:
        if refusal := refusal_of(world, state, offer):
            return Decided(refusal)
        for deposit in state.deposits.values():
            if deposit.item == offer.item and deposit.phase in deposits.TENTATIVE:
                if state.compartments[deposit.door].status is Status.TO_CHECK:
                    return _elsewhere(world, state, staff, offer, wish, deposit)
                return _again(world, state, staff, deposit)
        return _fresh(world, state, staff, offer, wish)

    return await open_door(world, f"staff/{staff}", decide)


def _again(world: World, state: LockerState, staff: StaffId, deposit: Deposit) -> Decided[Answer]:
    if refusal := may(world, state, staff, Action.LOAD, deposit.door) or hindrance(state, deposit.door):
        return Decided(refusal)
    attempt = next_attempt(state, deposit.door, deposit.deposit, world.clock.mono_ms())
    if attempt > state.policy.tries_per_visit:
        return Decided(Refusal(Reason.TRIES_USED_UP))
    opened, requested = grant(world, deposit.door, Purpose.LOAD, deposit.deposit, staff, attempt)
    return Decided(opened, (requested,))


def _elsewhere(
    world: World, state: LockerState, staff: StaffId, offer: LoadOffer, wish: Wish, doubted: Deposit
) -> Decided[Answer]:
    """Another compartment, where the sensor shows that nothing lies in the one set aside before a restart.

    Where nothing shows it, staff look there first.
    """
    given_back = drop_off.released(state, doubted.deposit)
    if not any(isinstance(event, DepositCancelled) for event in given_back):
        return Decided(Refusal(Reason.LOOK_FIRST))
    decided = _fresh(world, state, staff, offer, wish)
    return Decided(decided.answer, (*given_back, *decided.events) if decided.events else ())


def _fresh(world: World, state: LockerState, staff: StaffId, offer: LoadOffer, wish: Wish) -> Decided[Answer]:
    if not world.takes_in():
        return Decided(Refusal(Reason.DISK_FULL))
    size = Size(offer.token.size)
    door = choose(state, Kind.OUTGOING, size, wish)
    if door is None:
        return Decided(Refusal(Reason.BOARD_LOST if unseen(state, size) else Reason.NO_ROOM))
    if refusal := may(world, state, staff, Action.LOAD, door):
        return Decided(refusal)
    deposit = DepositId(world.secrets.new_id())
    case = CaseNumber(offer.token.case)
    reserved = CompartmentReserved(deposit, door, Kind.OUTGOING, case, AuthorisationId(""), offer.item)
    opened, requested = grant(world, door, Purpose.LOAD, deposit, staff)
    return Decided(opened, (reserved, requested))


async def confirm(world: World, staff: StaffId, deposit: DepositId, second: LoadOffer) -> Refusal | None:
    """The second look: the same label is scanned again after the door was shut, or the name on it compared.

    Only now the item counts as loaded and its pickup codes are made, sealed for the centre.
    """

    def decide(state: LockerState) -> Decided[Refusal | None]:
        record = state.deposits.get(deposit)
        if record is None:
            return Decided(Refusal(Reason.NOT_NOW))
        if refusal := _unfinished(state, staff, record, second) or refusal_of(world, state, second):
            return Decided(refusal)
        compartment = state.compartments[record.door]
        proof = Proof.SENSED if compartment.item is Presence.PRESENT else Proof.DECLARED
        made = pickup_codes.at_loading(world, state, record)
        if made is None:
            return Decided(Refusal(Reason.NO_ROOM))
        going = state.rounds.open(RoundKind.LOAD)
        part = going.part_of(staff) if going else None
        known, slip = record.item in state.items, part.slip if part else ""
        loaded = ItemLoaded(deposit, ItemId(record.item), staff, proof, known, slip)
        return Decided(None, (loaded, *made))

    return await world.journal.commit(f"staff/{staff}", decide)


def _unfinished(state: LockerState, staff: StaffId, record: Deposit, second: LoadOffer) -> Refusal | None:
    """What is still missing before this load can count; None where nothing is."""
    opening = state.opening_of(record.door)
    if opening is None or record.phase not in deposits.TENTATIVE or not record.shut_mono_ms:
        return Refusal(Reason.NOT_NOW)
    if record.item != second.item:
        return Refusal(Reason.WRONG_LABEL)
    if opening.purpose is not Purpose.LOAD or opening.staff != staff:
        return Refusal(Reason.NOT_NOW)
    compartment = state.compartments[record.door]
    if compartment.position is not Position.CLOSED:
        return Refusal(Reason.DOOR_OPEN)
    return Refusal(Reason.NOTHING_INSIDE) if compartment.item is Presence.ABSENT else None
