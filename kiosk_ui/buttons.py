"""The buttons of each screen: every offered act, with what it posts and how it looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kiosk_ui import round_page, service_page, together_page
from kiosk_ui.backroom import Sight
from kiosk_ui.names import Act, Screen
from kiosk_ui.offers import corner, may_rate, offered
from kiosk_ui.screens import TABS, Visit, door_of
from kiosk_ui.texts import Texts
from locker.domain.asked import GRADES, LOW, HelpCategory
from locker.domain.door import Presence
from locker.domain.state import LockerState

REASONS: Final = ("not_mine", "damaged", "incomplete")
"""Why a recipient may put an item back."""
ROUNDS: Final = ("intake", "withdraw", "check")
FINDINGS: Final = ("complete", "missing", "wrong", "empty")
CATEGORIES: Final = tuple(category.value for category in HelpCategory)
WHYS: Final = ("lock", "leaf", "sensor", "dirty", "other")
"""Why a technician takes a door out of service."""


@dataclass(frozen=True, slots=True)
class Button:
    """``word`` names its label: that of the screen where it has one, else the common one."""

    act: Act
    word: str
    look: str = "plain"
    """``primary``, ``plain``, ``quiet``, ``way_out``, ``tile``, ``tab`` or ``chosen``."""
    data: Mapping[str, Any] = field(default_factory=dict)


_LOOKS: Final = {
    Act.LEAVE: "way_out",
    Act.BACK: "way_out",
    Act.SHEET_BACK: "way_out",
    Act.MENU: "way_out",
    Act.SIGN_OUT: "way_out",
    Act.NOT_EMPTY: "quiet",
    Act.REFUSING: "quiet",
    Act.BLOCKING: "plain",
    Act.SKIPPING: "quiet",
    Act.ROUND_UNDO: "quiet",
    Act.RESUME: "way_out",
    Act.LOAD_LOW: "plain",
    Act.SECOND: "plain",
    Act.SECOND_BACK: "way_out",
    Act.SECOND_LEAVE: "quiet",
    Act.STOCK_SKIP: "quiet",
    Act.STOCK_END: "plain",
    Act.STOCKTAKE: "plain",
    Act.WINDOW: "plain",
}
# Shown as keypad, as rows of a list, or behind another button.
_NOT_AS_BUTTON: Final = frozenset(
    {Act.PHONE4, Act.PIN, Act.INTAKE_OPEN, Act.WITHDRAW_OPEN, Act.CHECK_OPEN, Act.REFUSE}
    | {Act.LOST_CASE, Act.LOST_PHONE}
    | {Act.STOCK_OPEN, Act.SECOND_PIN}
)
_LAST: Final = frozenset(
    {Screen.CANCELLED, Screen.PROBLEM, Screen.GIVE_UP, Screen.INTERRUPTED}
    | {Screen.HELP_SENT, Screen.LOST_SENT, Screen.LOST_OFFLINE, Screen.LOST_TOO_OFTEN}
    | {Screen.HELP_TOO_OFTEN}
    | {Screen.RECEIPT, Screen.COLLECTED, Screen.REFUSED_ITEM, Screen.TAKEN_BACK, Screen.ENDED}
)
"""Nothing is left to do but to go: the way out is the main button."""


def buttons(
    screen: Screen,
    visit: Visit,
    state: LockerState,
    texts: Texts,
    values: Mapping[str, object],
    sight: Sight,
) -> list[dict[str, Any]]:
    """As the page draws them, most likely first; ``values`` are what labels may mention."""
    found: list[Button] = []
    for act in offered(visit, state):
        theirs = _together(screen, act, visit, state)
        theirs = _service(screen, act, visit, state, sight) if theirs is None else theirs
        found += _of(screen, act, visit, state) if theirs is None else theirs
    return [_plain(screen, button, texts, values) for button in found]


def in_corner(visit: Visit, state: LockerState, texts: Texts) -> list[dict[str, Any]]:
    """Another code, and help: on every page of an applicant."""
    return [_plain(Screen.HOME, Button(act, act.value, "quiet"), texts, {}) for act in corner(visit, state)]


def rating(visit: Visit, state: LockerState, texts: Texts) -> dict[str, Any] | None:
    """The five grades of the national scale, the best first, once; None where nothing is asked."""
    asks = may_rate(visit, state)
    if not asks and not visit.grade:
        return None
    found = [Button(Act.RATE, f"grade_{grade}", "grade", {"grade": grade}) for grade in reversed(GRADES)]
    return {
        "title": texts.say("rating.title", {}),
        "thanks": texts.say("rating.thanks" if visit.grade > LOW else "rating.sorry", {}),
        "chosen": visit.grade,
        "grades": [_plain(Screen.RECEIPT, each, texts, {}) for each in found] if asks else [],
    }


def _of(screen: Screen, act: Act, visit: Visit, state: LockerState) -> list[Button]:
    several = _several(screen, act, visit, state)
    if several is not None:
        return several
    if act in _NOT_AS_BUTTON:
        return []
    first = act in {Act.LEAVE, Act.SHEET_BACK} and screen in _LAST
    look = "primary" if first or act is _primary(screen, visit, state) else _LOOKS.get(act, "plain")
    return [Button(act, act.value, look)]


def _several(screen: Screen, act: Act, visit: Visit, state: LockerState) -> list[Button] | None:
    """Acts that stand for a choice, a button for each; None for all others."""
    found = _of_round(act, screen, visit, state)
    if found is not None:
        return found
    match act, screen:
        case Act.OPEN | Act.LOAD_OPEN, Screen.OFFER | Screen.LABEL:
            found = [Button(act, act.value, "primary"), Button(act, "lower", "plain", {"lower": True})]
        case Act.REFUSE, Screen.REFUSING:
            found = [Button(act, f"refuse_{why}", "plain", {"reason": why}) for why in REASONS]
        case Act.REFUSE, Screen.PUT_BACK_CONFIRM:
            found = [Button(act, "refuse", "primary", {"reason": visit.refusing})]
        case Act.ROUND, _:
            found = [Button(act, f"round_{kind}", "tile", {"kind": kind}) for kind in ROUNDS]
        case Act.LOAD, _:
            found = [Button(act, "load", "tile")]
        case Act.HELP_ABOUT, _:
            found = [Button(act, f"help_{about}", "tile", {"category": about}) for about in CATEGORIES]
        case Act.HELP_PHONE, _:
            found = [Button(act, "no_call", "plain")]
        case Act.CHECK_CONFIRM, _:
            found = _check_buttons(visit, state)
    return found


def _service(screen: Screen, act: Act, visit: Visit, state: LockerState, sight: Sight) -> list[Button] | None:
    """A technician's buttons that stand for a choice; None for all others."""
    found: list[Button] | None = None
    match act, screen:
        case Act.SERVICE, Screen.SERVICE:
            found = _tabs(visit, state, sight)
        case Act.SERVICE, Screen.SERVICE_DOOR:
            doors = list(state.compartments)
            page = doors.index(visit.door) // service_page.PAGE["doors"] if visit.door in doors else 0
            found = [Button(act, "to_doors", "way_out", {"tab": "doors", "page": page})]
        case Act.SERVICE, _:
            found = [Button(act, "service", "tile", {"tab": "doors"})]
        case Act.SERVICE_DOOR, Screen.SERVICE_DOOR:
            found = [Button(act, "next_door", "plain", {"door": _next(visit, state)})]
        case Act.SERVICE_DOOR, Screen.BLOCKING:
            found = [Button(act, "back", "way_out")]
        case Act.SERVICE_DOOR, _:
            found = []  # the tiles themselves
        case Act.BLOCK, _:
            found = [Button(act, f"why_{why}", "tile", {"why": why}) for why in WHYS]
        case Act.SELF_TEST, _:
            found = [] if sight.testing else [Button(act, "self_test", "primary")]
        case Act.SELF_TEST_STOP, _:
            found = [Button(act, "self_test_stop", "plain")] if sight.testing else []
    return found


def _tabs(visit: Visit, state: LockerState, sight: Sight) -> list[Button]:
    found = [
        Button(Act.SERVICE, f"tab_{tab}", "chosen" if tab == visit.tab else "tab", {"tab": tab})
        for tab in TABS
    ]
    count = service_page.pages(visit, state, sight)
    page = min(visit.page, count - 1)
    if page > 0:
        found.append(Button(Act.SERVICE, "earlier", "tab", {"tab": visit.tab, "page": page - 1}))
    if page + 1 < count:
        found.append(Button(Act.SERVICE, "later", "tab", {"tab": visit.tab, "page": page + 1}))
    return found


def _next(visit: Visit, state: LockerState) -> int:
    doors = list(state.compartments)
    place = doors.index(visit.door) + 1 if visit.door in doors else 0
    return doors[place % len(doors)]


def _finding(found: str, visit: Visit) -> Button:
    given = visit.going.verdict if visit.going else None
    said = given is not None and given.finding == found
    look = "chosen" if said else "primary" if found == "complete" and given is None else "plain"
    # Pages of two doors look alike: a press is for the door that it was made at.
    return Button(Act.INTAKE_CONFIRM, f"finding_{found}", look, {"finding": found, "deposit": visit.deposit})


def _of_round(act: Act, screen: Screen, visit: Visit, state: LockerState) -> list[Button] | None:
    """A helper's on their round; None for all others."""
    found: list[Button] | None = None
    # Pages of two doors look alike: a press is for the door that it was made at.
    here = {"deposit": visit.deposit}
    match act:
        case Act.INTAKE_CONFIRM:
            found = [_finding(word, visit) for word in FINDINGS]
        case Act.WITHDRAW_CONFIRM:
            found = [Button(act, act.value, "primary", here)]
        case Act.ROUND_GO:
            resumed = state.rounds.open(round_page.kind_of(visit)) is not None
            found = [Button(act, "round_resume" if resumed else "round_go", "primary")]
        case Act.ROUND_END:
            found = [Button(act, act.value, "primary" if screen is Screen.ROUND_DONE else "plain")]
        case Act.LOAD_LOW:
            low = visit.going is not None and visit.going.low
            found = [Button(act, act.value, "chosen" if low else "plain")] if visit.going else []
        case Act.SKIP:
            found = [Button(act, f"skip_{why}", "tile", {"why": why, **here}) for why in round_page.WHYS]
        case Act.CORRECT:
            found = _corrections(visit, state)
        case Act.ROUND_UNDO if screen is Screen.CORRECTING:
            found = []  # the rows themselves
    return found


def _corrections(visit: Visit, state: LockerState) -> list[Button]:
    done = round_page.picked_of(visit, state)
    words = round_page.CORRECTIONS[-1:] if done and done.finding == "withdrawn" else round_page.CORRECTIONS
    return [
        Button(Act.CORRECT, f"correct_{word}", "plain", {"finding": word, "deposit": done.deposit})
        for word in words
        if done is not None and word != done.finding
    ]


def _together(screen: Screen, act: Act, visit: Visit, state: LockerState) -> list[Button] | None:
    """What several people do, as far as it is a choice or goes by another name; None for all others."""
    found: list[Button] | None = None
    match act, screen:
        case Act.ASSIST, _:
            found = [Button(act, "assist", "tile")]
        case Act.STOCK_BEGIN, _:
            known = together_page.scopes(state)
            found = [Button(act, f"scope_{scope}", "tile", {"scope": scope.value}) for scope in known]
        case Act.STOCK_SAY, _:
            said = together_page.says(visit, state)
            found = [
                Button(act, f"stock_{each}", "plain", {"found": each, "door": visit.door}) for each in said
            ]
            found[:1] = [replace(first, look="primary") for first in found[:1]]
        case Act.STOCK_SKIP, _:
            found = [Button(act, act.value, "quiet", {"door": visit.door})]
        case Act.STOCKTAKE, Screen.ROUND_CHECK:
            found = [Button(act, "stocktake", "primary")]
        case Act.STOCKTAKE, _:
            word = "stock_other" if screen is Screen.STOCK_DONE else "stock_pause"
            found = [Button(act, word, "plain" if screen is Screen.STOCK_DONE else "way_out")]
        case Act.SERVICE, Screen.WINDOW:
            found = [Button(act, "back", "way_out", {"tab": "doors"})]
    return found


def _primary(screen: Screen, visit: Visit, state: LockerState) -> Act | None:
    """The act that most people want here: the first that does something."""
    acts = [act for act in offered(visit, state) if act not in _LOOKS and act not in _NOT_AS_BUTTON]
    undecided = screen in {Screen.LOOKED, Screen.SECOND_LOOK, Screen.PUT_BACK_CONFIRM}
    acts = [act for act in acts if act is not Act.ROUND_END]
    return acts[0] if acts and not undecided else None


def _check_buttons(visit: Visit, state: LockerState) -> list[Button]:
    door = door_of(visit, state)
    sees_item = door is not None and state.compartments[door].item is Presence.PRESENT
    found = Button(Act.CHECK_CONFIRM, "check_found", "primary" if sees_item else "plain", {"empty": False})
    empty = Button(Act.CHECK_CONFIRM, "check_empty", "primary", {"empty": True})
    return [found] if sees_item else [empty, found]


def _plain(screen: Screen, button: Button, texts: Texts, values: Mapping[str, object]) -> dict[str, Any]:
    own = f"screen.{screen.value}.{button.word}"
    label = texts.say(own if texts.has(own) else f"act.{button.word}", values)
    return {"act": button.act.value, "label": label, "look": button.look, "data": dict(button.data)}
