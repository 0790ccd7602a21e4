"""What the pages of a stocktake, of a second person, of a service window and of assisted service show."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from kiosk_ui.names import Act, Screen
from kiosk_ui.screens import Visit
from kiosk_ui.texts import Texts
from locker.domain.access import Role
from locker.domain.compartment import Compartment
from locker.domain.door import Presence
from locker.domain.ids import CompartmentNumber
from locker.domain.state import LockerState
from locker.domain.stocktakes import Found, Scope, Stocktake
from locker.operations import stocktake
from locker.operations.vouch import looked_everywhere

_EMPTY_SAYS: Final = (Found.EMPTY, Found.UNKNOWN_ITEM, Found.REMOVED)
_HOLDING_SAYS: Final = (Found.EXPECTED, Found.UNKNOWN_ITEM, Found.MISSING, Found.UNSURE)
_BY_KEY: Final = frozenset({"opened by key", "not seen in a service window"})
_MINUTE_MS: Final = 60_000


def second_of(visit: Visit, state: LockerState, now_ms: int) -> str:
    """The number of whoever stands beside; empty where nobody does, or not any more."""
    return state.pair.beside(visit.staff, now_ms)


def fits(act: Act, visit: Visit, state: LockerState) -> bool:
    """Whether a button of these pages is of use just now. Who may, the operation says."""
    if state.window.staff and state.window.staff == visit.staff and act in {Act.MENU, Act.SIGN_OUT}:
        # Nobody leaves a window standing open.
        return False
    known = _FITS.get(act)
    return known is None or known(visit, state)


def _beside(visit: Visit, state: LockerState) -> bool:
    return state.pair.first == visit.staff and bool(state.pair.second)


_FITS: Final[Mapping[Act, Callable[[Visit, LockerState], bool]]] = MappingProxyType(
    {
        Act.ASSIST: lambda visit, state: _roles(visit, state) != {Role.TECHNICIAN},
        Act.SECOND: lambda visit, state: not _beside(visit, state) and not state.window.staff,
        Act.SECOND_LEAVE: lambda visit, state: _beside(visit, state) and not state.window.staff,
        Act.STOCK_GO: lambda visit, state: bool(_ahead(visit, state)),
        Act.STOCK_SKIP: lambda visit, _: visit.together.taking,
        Act.VOUCH: lambda _, state: state.history.awaited and looked_everywhere(state),
        Act.WINDOW: lambda visit, state: Role.TECHNICIAN in _roles(visit, state),
        Act.WINDOW_OPEN: lambda _, state: not state.window.staff,
        Act.WINDOW_CLOSE: lambda _, state: bool(state.window.staff),
    }
)


def _roles(visit: Visit, state: LockerState) -> frozenset[str]:
    record = state.staff.get(visit.staff)
    return record.roles if record else frozenset()


def _ahead(visit: Visit, state: LockerState) -> list[Compartment]:
    return [c for c in stocktake.left(state) if c.spec.number not in visit.together.skipped]


def says(visit: Visit, state: LockerState) -> tuple[Found, ...]:
    """What can be said of the door that was looked into, most likely first; a sensor takes some away."""
    compartment = state.compartments.get(visit.door or CompartmentNumber(0))
    if compartment is None:
        return ()
    every = _HOLDING_SAYS if compartment.deposit else _EMPTY_SAYS
    emptied = {Found.EMPTY, Found.MISSING, Found.REMOVED}
    if compartment.item is Presence.PRESENT:
        return tuple(each for each in every if each not in emptied)
    if compartment.item is Presence.ABSENT:
        return tuple(each for each in every if each in emptied)
    return every


def scopes(state: LockerState) -> Mapping[Scope, int]:
    """How many doors each kind of stocktake would be about; those of none are left out."""
    counts = {scope: len(Stocktake(scope=scope).to_look(state.compartments)) for scope in Scope}
    return {scope: count for scope, count in counts.items() if count}


def values(visit: Visit, state: LockerState, now_ms: int) -> dict[str, object]:
    """What texts may mention. What is to be looked into is counted for staff alone."""
    left = stocktake.left(state)
    counts = scopes(state) if visit.staff else {}
    return {
        "to_look": len(left),
        "looked": len(state.stocktake.looked),
        "skipped_doors": len(left) - len(_ahead(visit, state)),
        "doubts": counts.get(Scope.DOUBTS, 0),
        "all": counts.get(Scope.ALL, 0),
        "second": visit.together.second_name or second_of(visit, state, now_ms) or state.window.second,
        "helper": visit.together.helper_name or visit.together.helper,
        "window_minutes": -(-max(0, state.window.until_mono_ms - now_ms) // _MINUTE_MS),
        "touched": len(_touched(state)) if visit.staff else 0,
    }


def _touched(state: LockerState) -> list[int]:
    return [n for n, c in state.compartments.items() if c.doubt in _BY_KEY]


def facts(screen: Screen, visit: Visit, state: LockerState, texts: Texts) -> list[dict[str, Any]]:
    """What should lie behind the door; how a stocktake ended; what a window has touched."""
    found: dict[str, str] = {}
    if visit.together.taking and screen in {Screen.INSPECT, Screen.STOCK_CONFIRM}:
        found = {"expected_here": _expected(state, visit.door, texts), "name": visit.name}
    if screen is Screen.STOCK_DONE:
        counted = state.stocktake.counted()
        found = {f"stock_{each}": str(counted[each]) for each in Found if counted[each]}
        found["stock_left"] = str(len(state.stocktake.to_look(state.compartments)))
    if screen is Screen.WINDOW:
        found = {
            "service_key": texts.say(f"key.{'on' if state.surroundings.service_key else 'off'}", {}),
            "technician": state.window.staff,
            "second": state.window.second or (state.pair.second if state.pair.first == visit.staff else ""),
            "touched": " · ".join(map(str, _touched(state))),
        }
    return [{"label": texts.say(f"word.{key}", {}), "value": text} for key, text in found.items() if text]


def _expected(state: LockerState, door: CompartmentNumber | None, texts: Texts) -> str:
    deposit = state.deposit_in(door) if door in state.compartments and door is not None else None
    if deposit is None:
        return texts.say("word.nothing", {})
    item, right = state.items.get(deposit.item), state.authorisations.get(deposit.authorisation)
    what = right.service_item if right else item.service_item if item else ""
    return " · ".join(part for part in (deposit.case, what, deposit.bag) if part)


def rows(visit: Visit, state: LockerState, texts: Texts) -> list[dict[str, Any]]:
    """A row for each door that the stocktake has before it; what was skipped stands last."""
    ahead = {c.spec.number for c in _ahead(visit, state)}
    left = sorted(stocktake.left(state), key=lambda c: c.spec.number not in ahead)
    return [_row(c, state, texts, skipped=c.spec.number not in ahead) for c in left]


def _row(compartment: Compartment, state: LockerState, texts: Texts, *, skipped: bool) -> dict[str, Any]:
    door = compartment.spec.number
    note = "skipped" if skipped else "two" if stocktake.needs_two(state, door) else ""
    doubt = "doubt." + compartment.doubt.replace(" ", "_")
    return {
        "door": door,
        "title": texts.say("word.expects", {"what": _expected(state, door, texts)}),
        "text": texts.say(doubt if texts.has(doubt) else "doubt.other", {}) if compartment.doubt else "",
        "note": texts.say(f"stock_note.{note}", {}) if note else "",
        "act": Act.STOCK_OPEN.value,
        "data": {"door": door},
        "label": texts.say("act.open_door", {"door": door}),
    }


def notices(visit: Visit, texts: Texts) -> list[str]:
    """Whoever has the code sees on every page who stands beside them."""
    name = visit.together.helper_name or visit.together.helper
    return [texts.say("notice.assisted", {"helper": name})] if visit.together.helper else []


def variant(screen: Screen, visit: Visit, state: LockerState) -> str:
    """Which of its ways of speaking a page has; see `kiosk_ui.view`."""
    if screen is Screen.INSPECT and visit.together.taking:
        return "_stock"
    if screen is Screen.WINDOW:
        return "_open" if state.window.staff else ""
    awaited = screen in {Screen.STOCKTAKE, Screen.STOCK_LIST, Screen.STOCK_DONE} and state.history.awaited
    return "_awaited" if awaited else ""
