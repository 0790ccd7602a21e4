"""How far a visit has come, what follows, and how long is left: the line that stands on every page of one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from kiosk_ui import round_page
from kiosk_ui.names import Screen
from kiosk_ui.screens import Visit, at_work, door_of, opening_of
from kiosk_ui.texts import Texts
from locker.domain.opening import Phase, Purpose
from locker.domain.state import LockerState
from locker.operations.present_code import DropOffOffer, LoadOffer, PickupOffer

WAYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "drop_off": ("check", "open", "put", "receipt"),
        "reopen": ("check", "open", "look", "done"),
        "pick_up": ("code", "open", "take", "done"),
        "load": ("label", "open", "put", "scan"),
        "intake": ("open", "take", "count"),
        "withdraw": ("open", "take", "note"),
        "check": ("open", "inspect", "note"),
    }
)
"""The steps of each kind of visit, in order; the words are ``course.<step>``."""
_AT: Final[Mapping[Screen, str]] = MappingProxyType(
    {
        Screen.PHONE: "code",
        Screen.OFFER: "check",
        Screen.OFFER_AGAIN: "check",
        Screen.LABEL: "label",
        **dict.fromkeys((Screen.OPENING, Screen.STUCK), "open"),
        **dict.fromkeys((Screen.PLACE, Screen.EMPTY, Screen.CONFIRM_IN, Screen.PUT_IN), "put"),
        **dict.fromkeys((Screen.LOOK, Screen.LOOKED), "look"),
        **dict.fromkeys((Screen.TAKE, Screen.TAKE_OUT, Screen.STILL_INSIDE, Screen.NOT_TAKEN), "take"),
        **dict.fromkeys((Screen.CONFIRM_TAKEN, Screen.REFUSING), "take"),
        **dict.fromkeys((Screen.PUT_BACK, Screen.PUT_BACK_CONFIRM), "take"),
        Screen.LOAD_EMPTY: "put",
        Screen.INSPECT: "inspect",
        Screen.RECEIPT: "receipt",
        **dict.fromkeys((Screen.COLLECTED, Screen.TAKEN_BACK, Screen.REFUSED_ITEM), "done"),
        Screen.SECOND_LOOK: "scan",
        Screen.INTAKE_CONFIRM: "count",
        Screen.SKIPPING: "take",
        **dict.fromkeys((Screen.WITHDRAW_CONFIRM, Screen.CHECK_CONFIRM, Screen.STOCK_CONFIRM), "note"),
    }
)
"""The step that a screen belongs to; a screen without one shows no course."""
_OFFERS: Final = ((DropOffOffer, "drop_off"), (PickupOffer, "pick_up"), (LoadOffer, "load"))


def of(
    screen: Screen, visit: Visit, state: LockerState, now_mono_ms: int, asks_mono_ms: int, texts: Texts
) -> dict[str, Any]:
    """``course``: ``{"at", "of"}`` or None; ``next``: a sentence or ""; ``left_ms``: milliseconds or None.

    ``asks_mono_ms`` is when the session will be asked whether somebody is still there, 0 where it will not.
    """
    way = _way(screen, visit, state)
    return {
        "course": _course(screen, way, texts),
        "next": _next(screen, way, round_page.follows(screen, visit, state), texts),
        "left_ms": None if screen is Screen.HOME else _left_ms(visit, state, now_mono_ms, asks_mono_ms),
    }


def _way(screen: Screen, visit: Visit, state: LockerState) -> str:
    opening = opening_of(visit, state)
    if opening is not None and opening.purpose.value in WAYS:
        return opening.purpose.value
    if screen is Screen.OFFER_AGAIN:
        return "reopen"
    if screen is Screen.PHONE:
        return "pick_up"
    return next((way for kind, way in _OFFERS if isinstance(visit.offer, kind)), "")


def _course(screen: Screen, way: str, texts: Texts) -> dict[str, Any] | None:
    steps = WAYS.get(way, ())
    # Papers looked at again and left inside end where the first visit ended: with the receipt.
    step = "done" if screen is Screen.RECEIPT and "receipt" not in steps else _AT.get(screen, "")
    if step not in steps:
        return None
    return {"at": steps.index(step), "of": [texts.entries[f"course.{each}"] for each in steps]}


def _next(screen: Screen, way: str, variant: str, texts: Texts) -> str:
    for key in (f"next.{screen.value}_{variant}", f"next.{screen.value}_{way}", f"next.{screen.value}"):
        if texts.has(key):
            return texts.entries[key]
    return ""


def _left_ms(visit: Visit, state: LockerState, now_mono_ms: int, asks_mono_ms: int) -> int | None:
    """At a door that stands open: until somebody is sent for it; elsewhere until the page asks."""
    door = door_of(visit, state)
    opening = opening_of(visit, state)
    if at_work(visit, state) and door is not None and opening is not None and visit.opened_mono_ms:
        kept_ms = state.policy.left_open_alarm_ms if opening.purpose is not Purpose.SERVICE else 0
        left_ms = visit.opened_mono_ms + kept_ms - now_mono_ms
        return max(0, left_ms) if opening.phase is Phase.OPEN and kept_ms else None
    return max(0, asks_mono_ms - now_mono_ms) if asks_mono_ms else None
