"""Drop-off 交件: an applicant hands documents in, looks again, or takes them back."""

from locker.domain import deposit as deposits
from locker.domain.allocation import Wish, choose, unseen
from locker.domain.codes import Authorisation
from locker.domain.compartment import Size
from locker.domain.deposit import Deposit, Kind, Phase, Proof
from locker.domain.door import Position, Presence
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    BagNoted,
    CodeAccepted,
    CompartmentDoubted,
    CompartmentReserved,
    DepositCancelled,
    Event,
    SubmissionDeposited,
    SubmissionTakenBack,
    TokenAdmitted,
)
from locker.domain.ids import CaseNumber, DepositId, ItemId, StaffId
from locker.domain.opening import NEVER_OPENED, Opening, Purpose
from locker.domain.opening import Phase as OpeningPhase
from locker.domain.state import LockerState
from locker.operations.assist import assisted, looked_for
from locker.operations.open_door import Answer, grant, hindrance, next_attempt, open_door
from locker.operations.ports import Decided, World
from locker.operations.present_code import DropOffOffer, expired, trusted
from locker.operations.receipt import receipt_for


async def open_compartment(
    world: World, offer: DropOffOffer, wish: Wish = Wish.ANY, helper: StaffId = StaffId("")
) -> Answer:
    """Open a compartment for an accepted code: a fresh one, or the one that already holds its papers.

    ``helper``: who stands beside the person, see `assist`.
    """
    decide = assisted(world, helper, lambda state: _decide(world, state, offer, wish))
    return await open_door(world, "applicant", decide)


def _decide(world: World, state: LockerState, offer: DropOffOffer, wish: Wish) -> Decided[Answer]:
    record = state.authorisations.get(offer.authorisation)
    if record is None and offer.token is None:
        return Decided(Refusal(Reason.CODE_NOT_ACCEPTED))
    if record is not None and record.ended:
        return Decided(Refusal(Reason.CODE_NOT_ACCEPTED))
    deposit = state.deposits.get(record.deposit) if record else None
    accepted = CodeAccepted(f"authorisation/{offer.authorisation}", offer.form)
    if deposit is not None and not deposit.ended:
        return _again(world, state, deposit, accepted)
    return _fresh(world, state, offer, record, wish)


def _fresh(
    world: World, state: LockerState, offer: DropOffOffer, record: Authorisation | None, wish: Wish
) -> Decided[Answer]:
    if not world.takes_in():
        return Decided(Refusal(Reason.DISK_FULL))
    events: list[Event] = []
    if record is None:
        admitted = _admit(world, offer)
        events.append(admitted)
        size, case = admitted.size, admitted.case
    else:
        if expired(world, record.valid_until_ms):
            return Decided(Refusal(Reason.CODE_EXPIRED))
        size, case = record.size, record.case
    door = choose(state, Kind.SUBMISSION, size, wish, right=offer.authorisation)
    if door is None:
        return Decided(Refusal(Reason.BOARD_LOST if unseen(state, size) else Reason.NO_ROOM))
    deposit = DepositId(world.secrets.new_id())
    opened, requested = grant(world, door, Purpose.DROP_OFF, deposit)
    events += [
        CodeAccepted(f"authorisation/{offer.authorisation}", offer.form),
        CompartmentReserved(deposit, door, Kind.SUBMISSION, case, offer.authorisation, ItemId("")),
        requested,
    ]
    return Decided(opened, tuple(events))


def _admit(world: World, offer: DropOffOffer) -> TokenAdmitted:
    token = offer.token
    assert token is not None, "an offer without a record rests on a token"  # noqa: S101  # programmer error
    return TokenAdmitted(
        offer.authorisation,
        CaseNumber(token.case),
        Size(token.size),
        token.valid_from_ms,
        token.valid_until_ms,
        time_uncertain=not trusted(world),
    )


def _again(world: World, state: LockerState, deposit: Deposit, accepted: CodeAccepted) -> Decided[Answer]:
    if refusal := looked_for(state, deposit.door) or hindrance(state, deposit.door):
        return Decided(refusal)
    if deposit.openings >= state.policy.openings_per_drop_off:
        return Decided(Refusal(Reason.OPENINGS_USED_UP))
    attempt = next_attempt(state, deposit.door, deposit.deposit, world.clock.mono_ms())
    if attempt > state.policy.tries_per_visit:
        return Decided(Refusal(Reason.TRIES_USED_UP))
    purpose = Purpose.DROP_OFF if deposit.phase in deposits.TENTATIVE else Purpose.REOPEN
    opened, requested = grant(world, deposit.door, purpose, deposit.deposit, attempt=attempt)
    return Decided(opened, (accepted, requested))


def closed(world: World, state: LockerState, opening: Opening, item: Presence) -> tuple[Event, ...]:
    """The door of a drop-off was shut: what that means for the papers."""
    deposit = state.deposits[opening.deposit]
    if opening.purpose is Purpose.REOPEN:
        gone = item is Presence.ABSENT and deposit.phase is Phase.AWAITING_INTAKE
        return (SubmissionTakenBack(deposit.deposit, Proof.SENSED),) if gone else ()
    # In a doubted compartment the sensor may see somebody else's thing: there the person is asked.
    sure = item is Presence.PRESENT and not state.compartments[opening.door].doubt
    if sure and deposit.phase in deposits.TENTATIVE:
        return _hand_in(world, state, deposit, item)
    return ()


def _hand_in(world: World, state: LockerState, deposit: Deposit, sensed: Presence) -> tuple[Event, ...]:
    record = state.authorisations[deposit.authorisation]
    declared = len(record.papers)
    fact = SubmissionDeposited(deposit.deposit, deposit.door, sensed, declared)
    return (fact, receipt_for(world, state, deposit, declared))


async def note_bag(world: World, deposit: DepositId, bag: str) -> Refusal | None:
    """The papers are in this bag, says its label: until a helper takes them in. ``bag``: of `parse_bag`."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        stay = state.deposits.get(deposit)
        if stay is None or stay.kind is not Kind.SUBMISSION or stay.ended or not bag:
            return Decided(Refusal(Reason.NOT_NOW))
        return Decided(None, () if stay.bag == bag else (BagNoted(deposit, bag),))

    return await world.journal.commit("applicant", decide)


async def confirm(world: World, deposit: DepositId) -> Refusal | None:
    """The applicant says: my papers are in. Needed where no sensor saw them.

    Where a sensor says "empty", their word counts after the second such reading; the sensor is then suspect.
    """

    def decide(state: LockerState) -> Decided[Refusal | None]:
        record = state.deposits.get(deposit)
        if record is None or record.phase not in deposits.TENTATIVE or record.phase is Phase.EXPOSED:
            return Decided(Refusal(Reason.NOT_NOW))
        compartment = state.compartments[record.door]
        if compartment.position is not Position.CLOSED:
            return Decided(Refusal(Reason.DOOR_OPEN))
        if not record.shut_mono_ms:
            return Decided(Refusal(Reason.NOT_NOW))
        contradicted = compartment.item is Presence.ABSENT
        if contradicted and record.empty_closes < EMPTY_READINGS:
            return Decided(Refusal(Reason.NOTHING_INSIDE))
        return Decided(None, _hand_in(world, state, record, compartment.item))

    return await world.journal.commit("applicant", decide)


EMPTY_READINGS = 2
"""After this many "closed and empty" the person's word is taken against the sensor's."""


async def take_back(world: World, deposit: DepositId) -> Refusal | None:
    """The applicant says: I have taken my papers out again. Asked where no sensor can say."""

    def decide(state: LockerState) -> Decided[Refusal | None]:
        record = state.deposits.get(deposit)
        opening = state.opening_of(record.door) if record else None
        if record is None or opening is None or record.phase is not Phase.AWAITING_INTAKE:
            return Decided(Refusal(Reason.NOT_NOW))
        if opening.purpose is not Purpose.REOPEN or opening.deposit != deposit:
            return Decided(Refusal(Reason.NOT_NOW))
        if opening.phase is not OpeningPhase.CLOSED:
            # Nobody saw this door open and shut for it: the papers are where they were, for all we know.
            return Decided(Refusal(Reason.NOT_NOW))
        compartment = state.compartments[record.door]
        if compartment.position is not Position.CLOSED:
            return Decided(Refusal(Reason.DOOR_OPEN))
        if compartment.item is Presence.PRESENT:
            return Decided(Refusal(Reason.STILL_INSIDE))
        proof = Proof.SENSED if compartment.item is Presence.ABSENT else Proof.DECLARED
        return Decided(None, (SubmissionTakenBack(deposit, proof),))

    return await world.journal.commit("applicant", decide)


async def leave(world: World, deposit: DepositId) -> None:
    """The visit ends, by a press or by time: an unused compartment is given back, a doubtful one kept."""
    await world.journal.commit("applicant", lambda state: Decided(None, released(state, deposit)))


def released(state: LockerState, key: DepositId) -> tuple[Event, ...]:
    """What becomes of a tentative deposit that nobody goes on with; nothing while its door is open."""
    deposit = state.deposits.get(key)
    if deposit is None or deposit.phase not in deposits.TENTATIVE:
        return ()
    compartment, opening = state.compartments[deposit.door], state.opening_of(deposit.door)
    if compartment.position is Position.OPEN or (opening and opening.live):
        return ()
    if compartment.item is Presence.ABSENT:
        return (DepositCancelled(key, Proof.SENSED),)
    if _never_opened(opening, deposit) and compartment.item is not Presence.PRESENT:
        # It never opened for this deposit; a doubt says that it may have for somebody else.
        return (DepositCancelled(key, Proof.ASSUMED if compartment.doubt else Proof.SENSED),)
    if compartment.doubt:
        return ()
    return (CompartmentDoubted(deposit.door, "visit left without a word"),)


def _never_opened(opening: Opening | None, deposit: Deposit) -> bool:
    """The sensor saw this door shut all along; where it may not have looked there is a doubt."""
    if deposit.phase is not Phase.RESERVED or deposit.shut_mono_ms:
        return False
    return opening is None or opening.deposit != deposit.deposit or opening.phase in NEVER_OPENED
