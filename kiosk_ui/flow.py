"""Where a visit stands: a table and one function, and what the screen shows for it.

A `Step` is what the person is busy with; it lives in memory and moves by `NEXT`. A `Screen` is what they see.
At a door the screen is derived from the journal's state alone, so that it never says more than is known, and
says it again after a reload or a restart.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from locker.domain.errors import IllegalTransition


class Step(StrEnum):
    HOME = "home"
    PHONE = "phone"
    OFFER = "offer"
    DOOR = "door"
    REFUSING = "refusing"
    NOT_EMPTY = "not_empty"
    PROBLEM = "problem"
    PIN = "pin"
    MENU = "menu"
    ROUND_INTAKE = "round_intake"
    ROUND_WITHDRAW = "round_withdraw"
    ROUND_CHECK = "round_check"
    LOAD = "load"
    LABEL = "label"
    STAFF_DOOR = "staff_door"
    STAFF_PROBLEM = "staff_problem"
    SERVICE = "service"
    SERVICE_DOOR = "service_door"
    BLOCKING = "blocking"
    SKIPPING = "skipping"
    CORRECTING = "correcting"
    ROUND_DONE = "round_done"
    ROUND_SLIP = "round_slip"
    STOCKTAKE = "stocktake"
    STOCK_DONE = "stock_done"
    SECOND = "second"
    SECOND_PIN = "second_pin"
    ASSIST = "assist"
    WINDOW = "window"


class Signal(StrEnum):
    """What a person did, or what became of it."""

    DROP_OFF = "drop_off"
    """A drop-off code was accepted."""
    PHONE_ASKED = "phone_asked"
    BADGE = "badge"
    LABEL = "label"
    """The label of an outgoing item was scanned."""
    OPENED = "opened"
    """A door was commanded."""
    REFUSED = "refused"
    """The answer was a refusal that needs a page of its own."""
    REFUSE = "refuse"
    """The recipient does not want to keep what lies there."""
    REASON_GIVEN = "reason_given"
    NOT_EMPTY = "not_empty"
    INTERRUPTED = "interrupted"
    """The daemon was restarted while somebody stood in front of an open compartment."""
    SIGNED_IN = "signed_in"
    INTAKE = "intake"
    WITHDRAW = "withdraw"
    CHECK = "check"
    LOAD = "load"
    SERVICE = "service"
    """A technician looks at the machine."""
    SERVICE_DOOR = "service_door"
    BLOCKING = "blocking"
    SKIPPING = "skipping"
    CORRECTING = "correcting"
    RESUME = "resume"
    """Back to the door of the round."""
    ROUND_DONE = "round_done"
    SLIP = "slip"
    STOCKTAKE = "stocktake"
    STOCK_DONE = "stock_done"
    """Every door was looked into, or it was broken off."""
    SECOND = "second"
    """What asks for two needs another badge."""
    ASSIST = "assist"
    """A helper steps beside whoever has a code, and is signed in no more."""
    WINDOW = "window"
    BACK = "back"
    LEAVE = "leave"


_ENTRANCES: Final = (Step.HOME, Step.PHONE, Step.OFFER, Step.PROBLEM, Step.PIN, Step.DOOR)
"""Where the next code is welcome (at a door: once nothing is under way there)."""
_ROUNDS: Final = (Step.ROUND_INTAKE, Step.ROUND_WITHDRAW, Step.ROUND_CHECK)
_SERVICE: Final = (Step.SERVICE, Step.SERVICE_DOOR, Step.BLOCKING)
_CORRECTED: Final = (*_ROUNDS, Step.STAFF_DOOR, Step.ROUND_DONE)
"""From where a finding is corrected."""
_STOCK: Final = (Step.STOCKTAKE, Step.STOCK_DONE, Step.STAFF_DOOR)
_SECOND: Final = (Step.SECOND, Step.SECOND_PIN)
_STAFF: Final = (
    *(Step.MENU, *_ROUNDS, Step.LOAD, Step.LABEL, Step.STAFF_DOOR, Step.STAFF_PROBLEM),
    *(Step.SKIPPING, Step.CORRECTING, Step.ROUND_DONE, Step.ROUND_SLIP),
    *(Step.STOCKTAKE, Step.STOCK_DONE, Step.SECOND, Step.SECOND_PIN, Step.WINDOW),
    *_SERVICE,
)
_ANSWERS: Final = {
    Signal.DROP_OFF: Step.OFFER,
    Signal.PHONE_ASKED: Step.PHONE,
    Signal.BADGE: Step.PIN,
    Signal.OPENED: Step.DOOR,
    Signal.REFUSED: Step.PROBLEM,
    Signal.LEAVE: Step.HOME,
}
_TASKS: Final = {
    Signal.INTAKE: Step.ROUND_INTAKE,
    Signal.WITHDRAW: Step.ROUND_WITHDRAW,
    Signal.CHECK: Step.ROUND_CHECK,
    Signal.LOAD: Step.LOAD,
}

NEXT: Final[Mapping[tuple[Step, Signal], Step]] = MappingProxyType(
    {(step, signal): after for step in _ENTRANCES for signal, after in _ANSWERS.items()}
    | {
        (Step.HOME, Signal.INTERRUPTED): Step.DOOR,
        (Step.DOOR, Signal.REFUSE): Step.REFUSING,
        (Step.DOOR, Signal.NOT_EMPTY): Step.NOT_EMPTY,
        (Step.REFUSING, Signal.REASON_GIVEN): Step.DOOR,
        (Step.REFUSING, Signal.BACK): Step.DOOR,
        (Step.REFUSING, Signal.REFUSED): Step.PROBLEM,
        (Step.REFUSING, Signal.LEAVE): Step.HOME,
        # The compartment turned out to be usable no more; the same code gets another one.
        (Step.NOT_EMPTY, Signal.DROP_OFF): Step.OFFER,
        (Step.NOT_EMPTY, Signal.REFUSED): Step.PROBLEM,
        (Step.NOT_EMPTY, Signal.LEAVE): Step.HOME,
        (Step.PIN, Signal.SIGNED_IN): Step.MENU,
    }
    | {(Step.MENU, signal): after for signal, after in _TASKS.items()}
    # A door done with leads back to where it came from.
    | {(Step.STAFF_DOOR, signal): after for signal, after in _TASKS.items()}
    | {(step, Signal.SERVICE): Step.SERVICE for step in (Step.MENU, *_SERVICE)}
    | {(step, Signal.SERVICE_DOOR): Step.SERVICE_DOOR for step in _SERVICE}
    | {(Step.SERVICE_DOOR, Signal.BLOCKING): Step.BLOCKING}
    | {(step, Signal.LABEL): Step.LABEL for step in _STAFF}
    | {(step, Signal.REFUSED): Step.STAFF_PROBLEM for step in _STAFF}
    | {(step, Signal.BACK): Step.MENU for step in _STAFF}
    | {(step, Signal.LEAVE): Step.HOME for step in _STAFF}
    | {(step, Signal.OPENED): Step.STAFF_DOOR for step in (*_ROUNDS, Step.LABEL, Step.STAFF_DOOR)}
    | {(step, Signal.OPENED): Step.STAFF_DOOR for step in (Step.LOAD, Step.ROUND_DONE, Step.SKIPPING)}
    | {(step, signal): after for step in (*_ROUNDS, Step.CORRECTING) for signal, after in _TASKS.items()}
    | {(step, Signal.ROUND_DONE): Step.ROUND_DONE for step in (Step.STAFF_DOOR, Step.CORRECTING)}
    | {(step, Signal.CORRECTING): Step.CORRECTING for step in (*_CORRECTED, Step.CORRECTING)}
    | {(step, Signal.SLIP): Step.ROUND_SLIP for step in (*_ROUNDS, Step.LOAD, Step.ROUND_DONE)}
    | {
        (Step.STAFF_DOOR, Signal.SKIPPING): Step.SKIPPING,
        (Step.SKIPPING, Signal.RESUME): Step.STAFF_DOOR,
        (Step.CORRECTING, Signal.RESUME): Step.STAFF_DOOR,
    }
    # Beside somebody with a code: what follows is their visit, and no badge is heard.
    | {(Step.MENU, Signal.ASSIST): Step.ASSIST}
    | {(Step.ASSIST, signal): after for signal, after in _ANSWERS.items() if signal is not Signal.BADGE}
    | {(step, Signal.STOCKTAKE): Step.STOCKTAKE for step in (*_STOCK, Step.MENU, Step.ROUND_CHECK, *_SECOND)}
    | {(step, Signal.STOCK_DONE): Step.STOCK_DONE for step in _STOCK}
    | {(step, Signal.OPENED): Step.STAFF_DOOR for step in _STOCK}
    | {(step, Signal.SECOND): Step.SECOND for step in (Step.STOCKTAKE, Step.STOCK_DONE, Step.WINDOW)}
    | {(Step.SECOND, Signal.BADGE): Step.SECOND_PIN}
    | {(step, Signal.WINDOW): Step.WINDOW for step in (Step.SERVICE, Step.WINDOW, *_SECOND)}
    | {(Step.WINDOW, Signal.SERVICE): Step.SERVICE}
)


def advance(step: Step, signal: Signal) -> Step:
    """The step after ``signal``. Raises IllegalTransition."""
    try:
        return NEXT[step, signal]
    except KeyError:
        raise IllegalTransition("visit", step, signal) from None
