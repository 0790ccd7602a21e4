"""What may be pressed just now: the acts of each screen, and what takes some of them away."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kiosk_ui import round_page, together_page
from kiosk_ui.flow import Step
from kiosk_ui.names import Act, Screen
from kiosk_ui.screens import WHILE_OPEN, Visit, screen_beneath, screen_of
from locker.domain.access import Action, Role, allowed
from locker.domain.allocation import being_opened
from locker.domain.door import Position
from locker.domain.state import LockerState
from locker.operations.drop_off import EMPTY_READINGS
from locker.operations.present_code import DropOffOffer, PickupOffer

_RETRY: Final = (Act.AGAIN, Act.LEAVE)
_STAFF_END: Final = (Act.MENU, Act.SIGN_OUT)
ACTS: Final[Mapping[Screen, tuple[Act, ...]]] = MappingProxyType(
    {
        Screen.HOME: (),
        Screen.PHONE: (Act.PHONE4, Act.LEAVE),
        Screen.OFFER: (Act.OPEN, Act.LEAVE),
        Screen.OFFER_AGAIN: (Act.OPEN, Act.LEAVE),
        Screen.OPENING: (),
        Screen.STUCK: _RETRY,
        Screen.GIVE_UP: (Act.LEAVE,),
        Screen.INTERRUPTED: (Act.LEAVE,),
        Screen.UNSEEN: (Act.LEAVE,),
        Screen.PLACE: (Act.NOT_EMPTY,),
        Screen.EMPTY: (Act.AGAIN, Act.CONFIRM_IN, Act.LEAVE),
        Screen.CONFIRM_IN: (Act.CONFIRM_IN, Act.AGAIN, Act.LEAVE),
        Screen.RECEIPT: (Act.LEAVE,),
        Screen.LOOK: (),
        Screen.LOOKED: (Act.STILL_INSIDE, Act.TAKE_BACK, Act.AGAIN),
        Screen.TAKEN_BACK: (Act.LEAVE,),
        Screen.CANCELLED: (Act.LEAVE,),
        Screen.NOT_EMPTY: (Act.LEAVE,),
        Screen.TAKE: (Act.REFUSING, Act.REFUSE),
        Screen.CONFIRM_TAKEN: (Act.TAKEN, Act.AGAIN, Act.REFUSING, Act.REFUSE),
        Screen.STILL_INSIDE: (Act.AGAIN, Act.REFUSING, Act.REFUSE, Act.LEAVE),
        Screen.REFUSING: (Act.REFUSE, Act.BACK),
        Screen.PUT_BACK: (Act.BACK,),
        Screen.PUT_BACK_CONFIRM: (Act.REFUSE, Act.AGAIN, Act.BACK),
        Screen.REFUSED_ITEM: (Act.LEAVE,),
        Screen.COLLECTED: (Act.LEAVE,),
        Screen.ENDED: (Act.LEAVE,),
        Screen.PROBLEM: (Act.LEAVE,),
        Screen.PIN: (Act.PIN, Act.LEAVE),
        Screen.MENU: (Act.ROUND, Act.LOAD, Act.ASSIST, Act.SERVICE, Act.SIGN_OUT),
        Screen.ROUND_INTAKE: (Act.ROUND_GO, Act.INTAKE_OPEN, Act.ROUND_UNDO, Act.ROUND_END, *_STAFF_END),
        Screen.ROUND_WITHDRAW: (Act.ROUND_GO, Act.WITHDRAW_OPEN, Act.ROUND_UNDO, Act.ROUND_END, *_STAFF_END),
        Screen.ROUND_CHECK: (Act.STOCKTAKE, Act.CHECK_OPEN, *_STAFF_END),
        Screen.LOAD: (Act.LOAD_LOW, Act.ROUND_UNDO, Act.ROUND_END, *_STAFF_END),
        Screen.LABEL: (Act.LOAD_OPEN, *_STAFF_END),
        Screen.TAKE_OUT: (Act.INTAKE_CONFIRM, Act.WITHDRAW_CONFIRM, Act.SKIPPING, Act.ROUND_UNDO),
        Screen.PUT_IN: (Act.NOT_EMPTY,),
        Screen.INSPECT: (),
        Screen.NOT_TAKEN: (Act.AGAIN, Act.SKIPPING, Act.MENU),
        Screen.INTAKE_CONFIRM: (Act.INTAKE_CONFIRM, Act.AGAIN, Act.SKIPPING, Act.MENU),
        Screen.WITHDRAW_CONFIRM: (Act.WITHDRAW_CONFIRM, Act.AGAIN, Act.SKIPPING, Act.MENU),
        Screen.CHECK_CONFIRM: (Act.CHECK_CONFIRM, Act.AGAIN, Act.MENU),
        Screen.LOAD_EMPTY: (Act.AGAIN, Act.MENU),
        Screen.SECOND_LOOK: (Act.NAME_SEEN, Act.AGAIN, Act.MENU),
        Screen.STAFF_PROBLEM: _STAFF_END,
        Screen.SERVICE: (
            *(Act.SERVICE, Act.SELF_TEST, Act.SELF_TEST_STOP, Act.SERVICE_DOOR),
            *(Act.WINDOW, *_STAFF_END),
        ),
        Screen.SERVICE_DOOR: (
            *(Act.TEST_OPEN, Act.UNBLOCK, Act.BLOCKING),
            *(Act.SERVICE_DOOR, Act.SERVICE, Act.SIGN_OUT),
        ),
        Screen.BLOCKING: (Act.BLOCK, Act.SERVICE_DOOR),
        Screen.HELP_WHAT: (Act.HELP_ABOUT, Act.SHEET_BACK),
        Screen.HELP_PHONE: (Act.HELP_PHONE, Act.SHEET_BACK),
        Screen.HELP_SENT: (Act.SHEET_BACK,),
        Screen.LOST_CASE: (Act.LOST_CASE, Act.SHEET_BACK),
        Screen.LOST_PHONE: (Act.LOST_PHONE, Act.SHEET_BACK),
        Screen.LOST_SENT: (Act.SHEET_BACK,),
        Screen.LOST_OFFLINE: (Act.SHEET_BACK,),
        Screen.LOST_TOO_OFTEN: (Act.SHEET_BACK,),
        Screen.HELP_TOO_OFTEN: (Act.SHEET_BACK,),
        Screen.SKIPPING: (Act.SKIP, Act.RESUME),
        Screen.CORRECTING: (Act.CORRECT, Act.ROUND_UNDO, Act.RESUME),
        Screen.ROUND_DONE: (Act.ROUND_END, Act.ROUND_UNDO, *_STAFF_END),
        Screen.ROUND_SLIP: _STAFF_END,
        Screen.STOCKTAKE: (Act.STOCK_BEGIN, Act.SECOND, Act.SECOND_LEAVE, *_STAFF_END),
        Screen.STOCK_LIST: (
            *(Act.STOCK_GO, Act.STOCK_OPEN, Act.SECOND, Act.SECOND_LEAVE),
            *(Act.STOCK_END, *_STAFF_END),
        ),
        Screen.STOCK_CONFIRM: (Act.STOCK_SAY, Act.AGAIN, Act.STOCK_SKIP, Act.STOCKTAKE),
        Screen.STOCK_DONE: (Act.VOUCH, Act.STOCKTAKE, Act.SECOND, *_STAFF_END),
        Screen.SECOND: (Act.SECOND_BACK, Act.SIGN_OUT),
        Screen.SECOND_PIN: (Act.SECOND_PIN, Act.SECOND_BACK, Act.SIGN_OUT),
        Screen.ASSIST: (Act.LEAVE,),
        Screen.WINDOW: (
            *(Act.WINDOW_OPEN, Act.WINDOW_CLOSE, Act.SECOND, Act.SECOND_LEAVE),
            *(Act.SERVICE, Act.SIGN_OUT),
        ),
    }
)
"""What each screen takes, most likely first; the language and a sign of life are taken everywhere."""
EVERYWHERE: Final = frozenset({Act.LANGUAGE, Act.STAY})

TAKES_CODES: Final = frozenset(
    {Screen.HOME, Screen.PHONE, Screen.OFFER, Screen.OFFER_AGAIN, Screen.PROBLEM, Screen.PIN}
    | {Screen.RECEIPT, Screen.TAKEN_BACK, Screen.CANCELLED, Screen.REFUSED_ITEM, Screen.COLLECTED}
    | {Screen.ENDED, Screen.INTERRUPTED, Screen.GIVE_UP}
    | {Screen.MENU, Screen.ROUND_INTAKE, Screen.ROUND_WITHDRAW, Screen.ROUND_CHECK}
    | {Screen.LOAD, Screen.LABEL, Screen.SECOND_LOOK, Screen.STAFF_PROBLEM}
    | {Screen.TAKE_OUT, Screen.INTAKE_CONFIRM, Screen.WITHDRAW_CONFIRM, Screen.PUT_IN, Screen.LOAD_EMPTY}
    | {Screen.SECOND, Screen.ASSIST}
)
"""Where a code is heard. Elsewhere a visit is under way, and another person's code would tear it apart."""
RATED: Final = frozenset({Screen.RECEIPT, Screen.COLLECTED, Screen.TAKEN_BACK, Screen.REFUSED_ITEM})
"""Where people are asked how it was: they may say it in passing."""
_BAGGED: Final = frozenset({Screen.PLACE, Screen.EMPTY, Screen.CONFIRM_IN, Screen.RECEIPT})
"""From when their door opens until they go."""
_LOSES: Final = frozenset({Screen.HOME, Screen.PROBLEM, Screen.PHONE})
"""Where somebody may find that they have no code, or not the right one."""

_HANDS_INSIDE: Final = frozenset({Screen.OPENING, *WHILE_OPEN.values(), Screen.PUT_BACK})
"""A door stands open, or is about to: there is no way out but to shut it."""


def hears(visit: Visit, state: LockerState) -> bool:
    """Whether a code is heard now; a form that lies over the page is no reason not to."""
    return screen_beneath(visit, state) in TAKES_CODES


def hears_bag(visit: Visit, state: LockerState) -> bool:
    """Whether the label of a numbered bag belongs to what is being handed in here."""
    return bool(visit.deposit) and not visit.staff and screen_beneath(visit, state) in _BAGGED


def corner(visit: Visit, state: LockerState) -> tuple[Act, ...]:
    """What every applicant's page has beside its own: another code, help."""
    if visit.staff or visit.form:
        return ()
    return (Act.LOST, Act.HELP) if screen_of(visit, state) in _LOSES else (Act.HELP,)


def may_rate(visit: Visit, state: LockerState) -> bool:
    ended = screen_of(visit, state) in RATED and bool(visit.deposit) and not visit.kept
    return ended and not visit.grade and not visit.staff


def takes(act: Act, visit: Visit, state: LockerState) -> bool:
    """Whether this may be pressed now, wherever on the page it stands."""
    if act in EVERYWHERE or act in offered(visit, state) or act in corner(visit, state):
        return True
    return act is Act.RATE and may_rate(visit, state)


def offered(visit: Visit, state: LockerState) -> tuple[Act, ...]:
    """What the page's own buttons are now."""
    screen = screen_of(visit, state)
    acts = ACTS[screen]
    if visit.form:
        return acts
    if screen in {Screen.STUCK, Screen.GIVE_UP, Screen.INTERRUPTED, Screen.UNSEEN} and visit.staff:
        skips = () if screen is Screen.UNSEEN else (Act.SKIPPING,)
        acts = (*(act for act in acts if act is not Act.LEAVE), *skips, *_STAFF_END)
    if visit.staff:
        stock = (Act.STOCK_SKIP, Act.STOCKTAKE) if visit.together.taking and screen in _NO_LOOK else ()
        acts = (*acts[:-2], *stock, *acts[-2:]) if stock else acts
        acts = tuple(act for act in acts if round_page.fits(act, visit, state))
        acts = tuple(act for act in acts if together_page.fits(act, visit, state))
    if visit.step in _BY_RIGHTS:
        return tuple(act for act in acts if _fits(act, visit, state))
    if screen is Screen.EMPTY and not _word_counts(visit, state):
        acts = tuple(act for act in acts if act is not Act.CONFIRM_IN)
    if not may_open_again(visit):
        # Found again after a restart: the right to open is proven anew, by the code.
        acts = tuple(act for act in acts if act is not Act.AGAIN)
        return acts if Act.LEAVE in acts or screen in _HANDS_INSIDE else (*acts, Act.LEAVE)
    return acts


_NO_LOOK: Final = frozenset({Screen.STUCK, Screen.GIVE_UP, Screen.UNSEEN, Screen.INTERRUPTED})
"""Where a door of a stocktake cannot be looked into just now."""
_BY_RIGHTS: Final = frozenset({Step.MENU, Step.SERVICE, Step.SERVICE_DOOR})
"""Pages whose buttons depend on who signed in, or on what a door is good for just now."""


def _fits(act: Act, visit: Visit, state: LockerState) -> bool:
    record = state.staff.get(visit.staff)
    roles = record.roles if record else frozenset()
    door = state.compartments.get(visit.door) if visit.door is not None else None
    fits = True
    match act:
        case Act.ROUND | Act.LOAD:
            fits = roles != {Role.TECHNICIAN}
        case Act.SERVICE:
            fits = Role.TECHNICIAN in roles
        case Act.SELF_TEST | Act.SELF_TEST_STOP:
            fits = visit.tab == "self_test"
        case Act.TEST_OPEN if door is not None:
            shut = door.position is Position.CLOSED and not being_opened(state, door.spec.number)
            fits = shut and not door.occupied and allowed(roles, Action.TEST_OPEN, door.status)
        case Act.BLOCKING if door is not None:
            fits = not door.occupied and allowed(roles, Action.BLOCK, door.status)
        case Act.UNBLOCK if door is not None:
            fits = bool(door.fault or door.blocked or door.barred)
    return fits


def may_open_again(visit: Visit) -> bool:
    """Whether the code or badge that was shown is still in memory."""
    known = bool(visit.staff) or isinstance(visit.offer, DropOffOffer | PickupOffer)
    return known or visit.step is not Step.DOOR


def _word_counts(visit: Visit, state: LockerState) -> bool:
    deposit = state.deposits.get(visit.deposit)
    return deposit is not None and deposit.empty_closes >= EMPTY_READINGS
