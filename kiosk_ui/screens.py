"""Which screen is true just now: pure functions of the visit and the journal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from kiosk_ui.flow import Step
from kiosk_ui.forms import Form
from kiosk_ui.going import Going
from kiosk_ui.names import Screen
from kiosk_ui.together import Together
from locker.domain import deposit as deposits
from locker.domain import opening as openings
from locker.domain.deposit import Deposit
from locker.domain.door import Position, Presence
from locker.domain.errors import Refusal
from locker.domain.events import ReceiptIssued
from locker.domain.ids import CompartmentNumber, DepositId, StaffId
from locker.domain.opening import Opening, Purpose
from locker.domain.state import LockerState
from locker.operations.present_code import DropOffOffer, Offer


@dataclass(frozen=True, slots=True)
class Visit:
    """One person's session, in memory. The blank one is the home page."""

    visit: str = ""
    step: Step = Step.HOME
    offer: Offer | None = None
    deposit: DepositId = DepositId("")
    door: CompartmentNumber | None = None
    """The compartment commanded; all there is to go by in a check, which has no deposit."""
    name: str = ""
    """Masked, as the centre sent it."""
    typed: str = field(default="", repr=False)
    """A typed code that waits for its second factor."""
    phone4: str = field(default="", repr=False)
    staff: StaffId = StaffId("")
    names: Mapping[DepositId, str] = field(default_factory=lambda: MappingProxyType({}))
    """Masked names of a round."""
    going: Going | None = None
    """The round that they are on."""
    round_size: int = 0
    refusal: Refusal | None = None
    """What the last press was answered with: a page in a problem step, a banner elsewhere."""
    reference: str = ""
    said: str = ""
    """What went well just now: the name of a banner."""
    refusing: str = ""
    """Why the recipient puts the item back."""
    kept: bool = False
    """They looked into their submission and left it inside."""
    receipt: ReceiptIssued | None = None
    opened_mono_ms: int = 0
    """When this visit's door was seen open; 0 before."""
    tab: str = "doors"
    """What a technician looks at; of `TABS`."""
    page: int = 0
    """Of that tab, from 0."""
    form: Form | None = None
    """What lies over the page just now."""
    grade: int = 0
    """What they said of this visit; 0 before."""
    together: Together = field(default_factory=Together)
    """Of several people at once."""


TABS: Final = ("doors", "boards", "sensors", "versions", "self_test")


_BY_STEP: Final = MappingProxyType(
    {
        Step.HOME: Screen.HOME,
        Step.PHONE: Screen.PHONE,
        Step.REFUSING: Screen.REFUSING,
        Step.NOT_EMPTY: Screen.NOT_EMPTY,
        Step.PROBLEM: Screen.PROBLEM,
        Step.PIN: Screen.PIN,
        Step.MENU: Screen.MENU,
        Step.ROUND_INTAKE: Screen.ROUND_INTAKE,
        Step.ROUND_WITHDRAW: Screen.ROUND_WITHDRAW,
        Step.ROUND_CHECK: Screen.ROUND_CHECK,
        Step.LOAD: Screen.LOAD,
        Step.LABEL: Screen.LABEL,
        Step.STAFF_PROBLEM: Screen.STAFF_PROBLEM,
        Step.SERVICE: Screen.SERVICE,
        Step.SERVICE_DOOR: Screen.SERVICE_DOOR,
        Step.BLOCKING: Screen.BLOCKING,
        Step.SKIPPING: Screen.SKIPPING,
        Step.CORRECTING: Screen.CORRECTING,
        Step.ROUND_DONE: Screen.ROUND_DONE,
        Step.ROUND_SLIP: Screen.ROUND_SLIP,
        Step.STOCK_DONE: Screen.STOCK_DONE,
        Step.SECOND: Screen.SECOND,
        Step.SECOND_PIN: Screen.SECOND_PIN,
        Step.ASSIST: Screen.ASSIST,
        Step.WINDOW: Screen.WINDOW,
    }
)
_COMMANDED: Final = frozenset(
    {openings.Phase.REQUESTED, openings.Phase.ACKNOWLEDGED, openings.Phase.UNCERTAIN}
)
_STANDS_OPEN: Final = frozenset({openings.Phase.OPEN, openings.Phase.LEFT_OPEN})
WHILE_OPEN: Final = MappingProxyType(
    {
        Purpose.DROP_OFF: Screen.PLACE,
        Purpose.REOPEN: Screen.LOOK,
        Purpose.PICK_UP: Screen.TAKE,
        Purpose.INTAKE: Screen.TAKE_OUT,
        Purpose.WITHDRAW: Screen.TAKE_OUT,
        Purpose.LOAD: Screen.PUT_IN,
        Purpose.CHECK: Screen.INSPECT,
    }
)
ONCE_SHUT: Final[Mapping[tuple[Purpose, Presence], Screen]] = MappingProxyType(
    {
        (Purpose.DROP_OFF, Presence.PRESENT): Screen.CONFIRM_IN,
        (Purpose.DROP_OFF, Presence.ABSENT): Screen.EMPTY,
        (Purpose.DROP_OFF, Presence.UNKNOWN): Screen.CONFIRM_IN,
        (Purpose.REOPEN, Presence.PRESENT): Screen.RECEIPT,
        (Purpose.REOPEN, Presence.ABSENT): Screen.LOOKED,
        (Purpose.REOPEN, Presence.UNKNOWN): Screen.LOOKED,
        (Purpose.PICK_UP, Presence.PRESENT): Screen.STILL_INSIDE,
        (Purpose.PICK_UP, Presence.ABSENT): Screen.CONFIRM_TAKEN,
        (Purpose.PICK_UP, Presence.UNKNOWN): Screen.CONFIRM_TAKEN,
        (Purpose.INTAKE, Presence.PRESENT): Screen.NOT_TAKEN,
        (Purpose.INTAKE, Presence.ABSENT): Screen.INTAKE_CONFIRM,
        (Purpose.INTAKE, Presence.UNKNOWN): Screen.INTAKE_CONFIRM,
        (Purpose.WITHDRAW, Presence.PRESENT): Screen.NOT_TAKEN,
        (Purpose.WITHDRAW, Presence.ABSENT): Screen.WITHDRAW_CONFIRM,
        (Purpose.WITHDRAW, Presence.UNKNOWN): Screen.WITHDRAW_CONFIRM,
        (Purpose.LOAD, Presence.PRESENT): Screen.SECOND_LOOK,
        (Purpose.LOAD, Presence.ABSENT): Screen.LOAD_EMPTY,
        (Purpose.LOAD, Presence.UNKNOWN): Screen.SECOND_LOOK,
        (Purpose.CHECK, Presence.PRESENT): Screen.CHECK_CONFIRM,
        (Purpose.CHECK, Presence.ABSENT): Screen.CHECK_CONFIRM,
        (Purpose.CHECK, Presence.UNKNOWN): Screen.CHECK_CONFIRM,
    }
)
"""A door was shut and its deposit has not moved on by that alone: what is asked next."""
_OUTCOMES: Final = MappingProxyType(
    {
        deposits.Phase.COLLECTED: Screen.COLLECTED,
        deposits.Phase.REFUSED: Screen.REFUSED_ITEM,
        deposits.Phase.TAKEN_BACK: Screen.TAKEN_BACK,
        deposits.Phase.CANCELLED: Screen.CANCELLED,
        deposits.Phase.TAKEN_IN: Screen.ENDED,
        deposits.Phase.WITHDRAWN: Screen.ENDED,
    }
)


def door_of(visit: Visit, state: LockerState) -> CompartmentNumber | None:
    """The compartment this visit is about; it moves when another one opens instead."""
    deposit = state.deposits.get(visit.deposit)
    if deposit is not None:
        return deposit.door
    return visit.door


def opening_of(visit: Visit, state: LockerState) -> Opening | None:
    """The latest opening of the visit's door that was made for it.

    A technician's is nobody else's, and one from afar is nobody's who stands here.
    """
    door = door_of(visit, state)
    opening = state.opening_of(door) if door is not None else None
    if opening is None or opening.deposit != visit.deposit or opening.purpose is Purpose.REMOTE:
        return None
    tried = opening.purpose is Purpose.SERVICE
    return opening if tried is (visit.step is Step.SERVICE_DOOR) else None


def screen_of(visit: Visit, state: LockerState) -> Screen:
    """What is to be seen now: a form, or what is true for this visit."""
    return Screen(visit.form.sheet) if visit.form else screen_beneath(visit, state)


def screen_beneath(visit: Visit, state: LockerState) -> Screen:
    """What is true for this visit now, whatever form lies over it."""
    if visit.step is Step.OFFER:
        return _offer_screen(visit, state)
    if visit.step in {Step.DOOR, Step.STAFF_DOOR}:
        return _door_screen(visit, state)
    if visit.step is Step.STOCKTAKE:
        return Screen.STOCK_LIST if state.stocktake.under_way else Screen.STOCKTAKE
    return _BY_STEP[visit.step]


def _offer_screen(visit: Visit, state: LockerState) -> Screen:
    record = None
    if isinstance(visit.offer, DropOffOffer):
        record = state.authorisations.get(visit.offer.authorisation)
    deposit = state.deposits.get(record.deposit) if record else None
    return Screen.OFFER_AGAIN if deposit is not None and not deposit.ended else Screen.OFFER


def _door_screen(visit: Visit, state: LockerState) -> Screen:
    deposit = state.deposits.get(visit.deposit)
    if deposit is not None and deposit.phase in _OUTCOMES and visit.step is Step.DOOR:
        return _OUTCOMES[deposit.phase]
    opening = opening_of(visit, state)
    if opening is None:
        return Screen.ENDED
    if _handed_in(deposit, opening):
        return Screen.RECEIPT
    return _opening_screen(visit, state, opening)


def _opening_screen(visit: Visit, state: LockerState, opening: Opening) -> Screen:
    if opening.phase in _COMMANDED:
        return Screen.OPENING
    if opening.phase is openings.Phase.UNKNOWN:
        return Screen.INTERRUPTED
    if opening.phase in openings.NEVER_OPENED:
        return Screen.GIVE_UP if _hopeless(opening, state) else Screen.STUCK
    return _moved_screen(visit, state, opening)


def _handed_in(deposit: Deposit | None, opening: Opening) -> bool:
    return (
        deposit is not None
        and deposit.phase is deposits.Phase.AWAITING_INTAKE
        and opening.purpose is Purpose.DROP_OFF
    )


def _hopeless(opening: Opening, state: LockerState) -> bool:
    tried_enough = opening.attempt >= state.policy.tries_per_visit
    return tried_enough or bool(state.compartments[opening.door].fault)


def _moved_screen(visit: Visit, state: LockerState, opening: Opening) -> Screen:
    """The door was seen open under this opening, and perhaps shut again."""
    compartment = state.compartments[opening.door]
    if compartment.position is Position.UNKNOWN:
        return Screen.UNSEEN
    putting_back = bool(visit.refusing) and opening.purpose is Purpose.PICK_UP
    if opening.phase in _STANDS_OPEN or compartment.position is Position.OPEN:
        return Screen.PUT_BACK if putting_back else WHILE_OPEN[opening.purpose]
    if putting_back:
        return Screen.PUT_BACK_CONFIRM
    if visit.kept and opening.purpose is Purpose.REOPEN:
        return Screen.RECEIPT
    if visit.together.taking and opening.purpose is Purpose.CHECK:
        return Screen.STOCK_CONFIRM
    return ONCE_SHUT[opening.purpose, compartment.item]


def at_work(visit: Visit, state: LockerState) -> bool:
    """Whether the visit's door stands open: then its own deadline holds, not that of the page."""
    opening = opening_of(visit, state)
    return visit.step in _AT_A_DOOR and opening is not None and opening.phase is openings.Phase.OPEN


_AT_A_DOOR: Final = frozenset(
    {Step.DOOR, Step.REFUSING, Step.NOT_EMPTY, Step.STAFF_DOOR, Step.SERVICE_DOOR}
    | {Step.SKIPPING, Step.CORRECTING}
)
