"""What the page shows, as data: a pure function of the visit, the journal's state and the time.

The page draws what it is given and decides nothing: labels come in the visit's language, and every button
carries the act that it posts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from kiosk_ui import course, lists, round_page, service_page, together_page
from kiosk_ui.backroom import Offline, Sight
from kiosk_ui.buttons import buttons, in_corner, rating
from kiosk_ui.names import Screen
from kiosk_ui.offers import hears, hears_bag, may_open_again
from kiosk_ui.screens import Visit, opening_of, screen_of
from kiosk_ui.stages import ENTRIES, STAGES
from kiosk_ui.texts import Texts
from locker.domain import opening as openings
from locker.domain.access import Role
from locker.domain.door import Position
from locker.domain.errors import Reason, Refusal
from locker.domain.opening import Purpose
from locker.domain.state import LockerState

View = dict[str, Any]

_STAYS_TRUE: Final = frozenset(
    {Screen.RECEIPT, Screen.COLLECTED, Screen.TAKEN_BACK, Screen.CANCELLED, Screen.REFUSED_ITEM}
    | {Screen.SERVICE}
)
"""Ends that are on disk, and the machine's own figures: also while nothing can be recorded."""
_LISTS: Final = frozenset({Screen.ROUND_INTAKE, Screen.ROUND_WITHDRAW, Screen.ROUND_CHECK})
_PROBLEMS: Final = frozenset({Screen.PROBLEM, Screen.STAFF_PROBLEM})
_QUOTED: Final = frozenset(
    {Screen.GIVE_UP, Screen.NOT_EMPTY, Screen.INTERRUPTED, Screen.UNSEEN, Screen.STUCK, Screen.HELP_SENT}
)
"""Where something went wrong, or was told: a reference stands there for whoever calls about it."""
_WAITS_FOR_LINK: Final = frozenset({Screen.HOME, Screen.RECEIPT, Screen.REFUSED_ITEM, Screen.HELP_SENT})
"""Where people would wonder whether what they did is known."""
_CAUTIONS: Final = frozenset({"unannounced"})
"""Good news with a "but": shown as a warning is."""
_STAND_OPEN: Final = frozenset(
    {Screen.PLACE, Screen.LOOK, Screen.TAKE, Screen.PUT_BACK, Screen.TAKE_OUT, Screen.PUT_IN, Screen.INSPECT}
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says of this kiosk."""

    place: str = ""
    """Where it stands, as people call it; shown on every page."""
    help_line: str = ""
    language: str = "zh"
    scanner: str = "serial"
    """``screen``: the page has a box that stands for the scanner."""
    bags: bool = False
    """Numbered bags are handed out here: the page asks for their labels."""
    cool_down_ms: int = 3_000
    """How long a lock rests between two pulses."""


@dataclass(frozen=True, slots=True)
class Now:
    """The moment a view is made for."""

    mono_ms: int
    wait_s: int = 0
    """Until the keypad listens again."""
    ask_ends_mono_ms: int = 0
    """When a session that was asked "still there?" ends; 0 while nobody was asked."""
    failing: bool = False
    """Nothing can be recorded, so no door opens."""
    sight: Sight = field(default_factory=Sight)
    """Of the machine, for the service page."""
    asks_mono_ms: int = 0
    """When the page will ask whether somebody is still there; 0 where it will not."""
    offline: Offline | None = None
    """Since when the centre cannot be reached; None while it can."""


def view_of(visit: Visit, state: LockerState, now: Now, texts: Texts, settings: Settings) -> View:
    """Everything the page needs, ready for JSON."""
    screen = screen_of(visit, state)
    refusal = visit.refusal
    stuck = now.failing and screen not in _STAYS_TRUE
    if stuck:
        # Nothing moves on any more, and what a page at a door says would soon be false.
        screen = screen if screen in _PROBLEMS else Screen.PROBLEM
        refusal = Refusal(Reason.JOURNAL_FAILING)
    if refusal is not None and refusal.reason is Reason.TOO_MANY_TRIES:
        refusal = Refusal(refusal.reason, now.wait_s)
    place = service_page.place(screen, visit, state, now.sight)
    values = lists.values(visit, state, settings) | {
        "wait": refusal.wait_s if refusal else 0,
        "place": place,
        "other": lists.named(refusal, state, texts),
        **together_page.values(visit, state, now.mono_ms),
    }
    values["help"] = values["help"] or texts.say("word.help_unknown", {})
    door = lists.shown_door(visit, state)
    bag = settings.bags and hears_bag(visit, state)
    listens = bag or hears(visit, state)
    view: View = {
        "screen": screen.value,
        "visit": visit.visit,
        "lang": texts.language,
        "stage": _stage(screen, visit, state, refusal),
        "staff": bool(visit.staff),
        "place": settings.place,
        "help": texts.say("word.help", values) if values["help"] else "",
        "night": {"from": state.policy.night_from_h, "until": state.policy.night_until_h},
        "other_lang": texts.say("word.other_language", {}),
        **_words(screen, visit, state, refusal, texts, values),
        **course.of(screen, visit, state, now.mono_ms, now.asks_mono_ms, texts),
        "facts": _facts(screen, visit, state, now, texts),
        "papers": lists.papers(screen, visit, state, texts),
        "rows": lists.rows(screen, visit, state, texts),
        "door": door if door is not None and screen not in {Screen.HOME, Screen.PROBLEM} else None,
        "cabinet": lists.cabinet(state) if door is not None else None,
        "acts": []
        if stuck and screen_of(visit, state) not in _PROBLEMS
        else buttons(screen, visit, state, texts, values, now.sight),
        "ready_in_ms": _ready_in_ms(screen, visit, state, now, settings),
        "warn_in_ms": _warn_in_ms(screen, visit, state, now),
        "entry": _entry(screen, now, texts),
        "scanner": settings.scanner == "screen" and listens,
        "receipt": lists.receipt(screen, visit, state, texts),
        "slip": round_page.slip(screen, visit, state, texts),
        "ask": _ask(now, texts),
        "service": service_page.content(screen, visit, state, now.sight, texts),
        "notices": together_page.notices(visit, texts)
        + _notices(screen, state, now, texts)
        + _asks_for_bag(screen, visit, state, texts, asks=bag),
        "corner": [] if stuck else in_corner(visit, state, texts),
        "rating": None if now.failing else rating(visit, state, texts),
        "neighbours": lists.neighbours(refusal, state, texts),
        "hears": listens,
        "labels": _labels(texts),
    }
    return view if view["ask"] is None else view | _blank(view)


_PERSONAL_STAGES: Final = frozenset({"papers", "receipt", "rows", "slip"})


def _blank(view: View) -> View:
    """Nobody answers just now: what is anybody's own is not shown to whoever comes by. The question stands in
    the place of the page's words, so that it is spoken too."""
    nothing: View = {"facts": [], "papers": [], "rows": [], "receipt": None, "slip": None, "notices": []}
    said: View = {"title": view["ask"]["title"], "lead": view["ask"]["lead"], "banner": "", "said": ""}
    return nothing | said | ({"stage": "done"} if view["stage"] in _PERSONAL_STAGES else {})


def _facts(screen: Screen, visit: Visit, state: LockerState, now: Now, texts: Texts) -> list[dict[str, Any]]:
    if screen is Screen.LOST_OFFLINE and now.offline is not None:
        return [lists.since(now.offline, now.mono_ms, texts)]
    if screen is Screen.SERVICE_DOOR:
        return service_page.facts(visit, state, now.sight, texts)
    if screen in _PROBLEMS:
        return lists.as_known(visit.refusal, state, texts)
    own = together_page.facts(screen, visit, state, texts)
    return own + round_page.facts(screen, visit, state, texts) + lists.facts(screen, visit, state, texts)


def _words(
    screen: Screen,
    visit: Visit,
    state: LockerState,
    refusal: Refusal | None,
    texts: Texts,
    values: Mapping[str, object],
) -> View:
    refused = {"reason": refusal.reason.value, "wait_s": refusal.wait_s} if refusal else None
    if screen in _PROBLEMS and refusal is not None:
        key, variant = f"reason.{refusal.reason.value}", f"_{refusal.hint}" if refusal.hint else ""
        lead = texts.say(f"{key}.todo{variant}", values)
        title, banner = texts.say(f"{key}.title{variant}", values), ""
    else:
        key, variant = f"screen.{screen.value}", _variant(screen, visit, state)
        lead = texts.say(f"{key}.lead{variant}", values)
        title = texts.say(f"{key}.title{variant}", values)
        banner = texts.say(f"reason.{refusal.reason.value}.banner", values) if refusal else ""
    if visit.form is not None and visit.form.wrong:
        banner = texts.say("word.wrong_number", values)
    said = texts.say(f"said.{visit.said}", values) if visit.said else ""
    if visit.said in _CAUTIONS and not banner:
        banner, said = said, ""
    shows_reference = screen in _PROBLEMS | _QUOTED
    return {
        "title": title,
        "lead": lead,
        "banner": banner,
        "said": said,
        "refused": refused,
        "reference": texts.say("word.reference", values) if shows_reference else "",
    }


def _stage(screen: Screen, visit: Visit, state: LockerState, refusal: Refusal | None) -> str:
    if screen in _PROBLEMS and refusal is not None and refusal.wait_s:
        return "countdown"
    stage = STAGES.get(screen, "cabinet")
    if stage == "papers" and not lists.has_papers(visit, state):
        return "scan" if screen is Screen.OFFER else "cabinet"
    if stage == "receipt" and visit.kept and visit.receipt is None:
        return "cabinet"
    return stage


def _variant(screen: Screen, visit: Visit, state: LockerState) -> str:
    """Some screens speak in two ways."""
    deposit = state.deposits.get(visit.deposit)
    if screen in {Screen.OPENING, Screen.PLACE} and deposit is not None:
        opening = opening_of(visit, state)
        return "_other" if opening is not None and opening.attempt > state.policy.tries_per_door else ""
    if screen is Screen.RECEIPT and visit.kept:
        return "_kept"
    if screen is Screen.STUCK:
        return _stuck_variant(visit, state)
    if screen in {Screen.INTERRUPTED, Screen.GIVE_UP} and visit.staff:
        return "_staff"
    if screen in _LISTS and not lists.waiting(screen, state):
        return "_none"
    own = together_page.variant(screen, visit, state)
    return own or round_page.variant(screen, visit, state) or _service_variant(screen, visit, state)


def _service_variant(screen: Screen, visit: Visit, state: LockerState) -> str:
    if screen is Screen.SERVICE:
        return f"_{visit.tab}"
    record = state.staff.get(visit.staff)
    alone = record is not None and record.roles == {Role.TECHNICIAN}
    return "_technician" if screen is Screen.MENU and alone else ""


def _stuck_variant(visit: Visit, state: LockerState) -> str:
    if not may_open_again(visit):
        return "_code"
    opening = opening_of(visit, state)
    if opening is not None and opening.phase is openings.Phase.NOT_SENT:
        # The door cannot be blamed: no byte left for it, most often because its lock still rested.
        return "_rest"
    return "_staff" if visit.staff else ""


def _ready_in_ms(screen: Screen, visit: Visit, state: LockerState, now: Now, settings: Settings) -> int:
    """How long the lock must still rest before it can be tried again."""
    opening = opening_of(visit, state)
    if screen is not Screen.STUCK or opening is None:
        return 0
    rested_ms = now.mono_ms - opening.requested_ms
    return min(settings.cool_down_ms, max(0, settings.cool_down_ms - rested_ms))


def _warn_in_ms(screen: Screen, visit: Visit, state: LockerState, now: Now) -> int | None:
    """When the page should begin to ask insistently for the door to be shut; None where none is open."""
    opening = opening_of(visit, state)
    if screen not in _STAND_OPEN or opening is None:
        return None
    if opening.phase is openings.Phase.LEFT_OPEN or not visit.opened_mono_ms:
        return 0
    return max(0, visit.opened_mono_ms + state.policy.left_open_warning_ms - now.mono_ms)


def _entry(screen: Screen, now: Now, texts: Texts) -> View | None:
    if screen not in ENTRIES:
        return None
    kind, least, most = ENTRIES[screen]
    send = texts.say("page.send", {}) if least < most else ""
    wait_s = now.wait_s if kind == "code" else 0
    letters = screen is Screen.LOST_CASE
    return {"kind": kind, "length": most, "min": least, "send": send, "wait_s": wait_s, "letters": letters}


def _ask(now: Now, texts: Texts) -> View | None:
    if not now.ask_ends_mono_ms:
        return None
    left_ms = max(0, now.ask_ends_mono_ms - now.mono_ms)
    words = {name: texts.say(f"ask.{name}", {}) for name in ("title", "lead", "stay", "leave")}
    return {"ends_in_ms": left_ms, **words}


def _notices(screen: Screen, state: LockerState, now: Now, texts: Texts) -> list[str]:
    """What anybody at the home page should know; of a door that moves by itself, whoever stands there."""
    afar = [str(o.door) for o in state.openings.values() if o.purpose is Purpose.REMOTE and o.live]
    found = [texts.say("notice.remote_open", {"doors": " · ".join(afar)})] if afar else []
    if now.offline is not None and screen in _WAITS_FOR_LINK:
        found.append(texts.say("notice.offline", {}))
    found += round_page.notices(screen, texts, offline=now.offline is not None)
    if screen is not Screen.HOME:
        return found
    standing = [str(n) for n, c in state.compartments.items() if c.position is Position.OPEN]
    if standing:
        found.append(texts.say("notice.door_open", {"doors": " · ".join(standing)}))
    if state.surroundings.mains_lost:
        found.append(texts.say("notice.power_failing", {}))
    if state.history.awaited:
        found.append(texts.say("notice.history_awaited", {}))
    if state.silent_boards or state.surroundings.supply_cut:
        found.append(texts.say("notice.board_silent", {}))
    return found


def _asks_for_bag(screen: Screen, visit: Visit, state: LockerState, texts: Texts, *, asks: bool) -> list[str]:
    """While their door stands open, and until they did."""
    stay = state.deposits.get(visit.deposit)
    wanted = asks and screen is Screen.PLACE and stay is not None and not stay.bag
    return [texts.say("notice.bag", {})] if wanted else []


@cache
def _labels(texts: Texts) -> View:
    """The few words that the page itself puts together: the same in every view."""
    names = ("clear", "backspace", "slip", "wait", "offline", "scan_box", "scan_send", "door", "digits")
    typed = ("letters", "numbers")
    aids = {key.removeprefix("aid."): text for key, text in texts.entries.items() if key.startswith("aid.")}
    return {name: texts.entries[f"page.{name}"] for name in (*names, *typed)} | {"aid": aids}
