"""How a screen is laid out: what fills the larger part of it, and what is typed there."""

from collections.abc import Mapping
from typing import Final

from kiosk_ui import asking
from kiosk_ui.names import Screen
from locker.domain.codes import TYPED_DIGITS

ENTRIES: Final[Mapping[Screen, tuple[str, int, int]]] = {
    Screen.HOME: ("code", TYPED_DIGITS, TYPED_DIGITS),
    Screen.PHONE: ("phone4", 4, 4),
    Screen.PIN: ("pin", 6, 6),
    Screen.SECOND_PIN: ("second_pin", 6, 6),
    Screen.ASSIST: ("code", TYPED_DIGITS, TYPED_DIGITS),
    Screen.HELP_PHONE: ("help_phone", asking.CALL_DIGITS_MIN, asking.CALL_DIGITS_MAX),
    Screen.LOST_CASE: ("lost_case", asking.CASE_MIN, asking.CASE_MAX),
    Screen.LOST_PHONE: ("lost_phone", asking.PHONE_DIGITS, asking.PHONE_DIGITS),
}
"""Screens with a keypad: what is typed there, and how many digits at least and at most."""
STAGES: Final[Mapping[Screen, str]] = {
    Screen.HOME: "keypad",
    Screen.PHONE: "keypad",
    Screen.PIN: "keypad",
    Screen.OFFER: "papers",
    Screen.INTAKE_CONFIRM: "papers",
    Screen.RECEIPT: "receipt",
    Screen.TAKEN_BACK: "done",
    Screen.CANCELLED: "done",
    Screen.REFUSED_ITEM: "done",
    Screen.COLLECTED: "done",
    Screen.LOAD: "scan",
    Screen.LABEL: "scan",
    Screen.SECOND_LOOK: "scan",
    Screen.INTERRUPTED: "scan",
    Screen.MENU: "tiles",
    Screen.ROUND_INTAKE: "rows",
    Screen.ROUND_WITHDRAW: "rows",
    Screen.ROUND_CHECK: "rows",
    Screen.CORRECTING: "rows",
    Screen.ENDED: "alert",
    Screen.PROBLEM: "alert",
    Screen.STAFF_PROBLEM: "alert",
    Screen.SERVICE: "service",
    Screen.BLOCKING: "tiles",
    Screen.HELP_WHAT: "tiles",
    Screen.HELP_PHONE: "keypad",
    Screen.HELP_SENT: "done",
    Screen.LOST_CASE: "keypad",
    Screen.LOST_PHONE: "keypad",
    Screen.LOST_SENT: "done",
    Screen.LOST_OFFLINE: "alert",
    Screen.LOST_TOO_OFTEN: "alert",
    Screen.HELP_TOO_OFTEN: "alert",
    Screen.STOCKTAKE: "tiles",
    Screen.STOCK_LIST: "rows",
    Screen.STOCK_DONE: "done",
    Screen.SECOND: "scan",
    Screen.SECOND_PIN: "keypad",
    Screen.ASSIST: "keypad",
    Screen.WINDOW: "alert",
    Screen.SKIPPING: "tiles",
    Screen.ROUND_DONE: "slip",
    Screen.ROUND_SLIP: "slip",
}
"""What fills the larger part of a screen; the others show the cabinet."""
