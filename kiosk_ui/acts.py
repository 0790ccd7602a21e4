"""What the page may post: checked here, once, before anything is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from kiosk_ui.buttons import CATEGORIES, FINDINGS, REASONS, ROUNDS, WHYS
from kiosk_ui.names import Act, Screen
from kiosk_ui.round_page import CORRECTIONS
from kiosk_ui.round_page import WHYS as WHYS_SKIPPED
from kiosk_ui.screens import TABS
from kiosk_ui.texts import LANGUAGES
from locker.domain.stocktakes import Found, Scope

TEXT_MAX: Final = 64
CODE_MAX: Final = 2_000
"""Longer than anything a scanner reads; the domain judges the rest."""


class BadRequest(ValueError):
    """A body that does not fit. ``reason`` is one word for programs. Remedy: see `kiosk_ui.web`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class NotHere(Exception):
    """The act is known, but the screen that is true now does not have it. Remedy: look at the view again."""

    def __init__(self, act: str, screen: Screen) -> None:
        super().__init__(f"{act} on {screen}")
        self.act = act
        self.screen = screen


@dataclass(frozen=True, slots=True)
class CodeShown:
    """Exactly one of ``typed`` and ``scanned`` is set."""

    typed: str = field(default="", repr=False)
    scanned: str = field(default="", repr=False)
    phone4: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Press:
    act: Act
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Field:
    kind: type
    needed: bool = True
    of: tuple[str, ...] = ()
    """The only values; empty where any text of at most `TEXT_MAX` characters will do."""


_DEPOSIT: Final = {"deposit": Field(str)}
FIELDS: Final[Mapping[Act, Mapping[str, Field]]] = MappingProxyType(
    {
        Act.OPEN: {"lower": Field(bool, needed=False)},
        Act.LOAD_OPEN: {"lower": Field(bool, needed=False)},
        Act.REFUSE: {"reason": Field(str, of=REASONS)},
        Act.PHONE4: {"digits": Field(str)},
        Act.PIN: {"digits": Field(str)},
        Act.LANGUAGE: {"lang": Field(str, of=LANGUAGES)},
        Act.ROUND: {"kind": Field(str, of=ROUNDS)},
        Act.INTAKE_OPEN: _DEPOSIT,
        Act.INTAKE_CONFIRM: {"finding": Field(str, of=FINDINGS), "deposit": Field(str, needed=False)},
        Act.WITHDRAW_OPEN: _DEPOSIT,
        Act.WITHDRAW_CONFIRM: {"deposit": Field(str, needed=False)},
        Act.CHECK_OPEN: {"door": Field(int)},
        Act.SERVICE: {"tab": Field(str, needed=False, of=TABS), "page": Field(int, needed=False)},
        Act.SERVICE_DOOR: {"door": Field(int, needed=False)},
        Act.TEST_OPEN: {"door": Field(int, needed=False)},
        Act.BLOCK: {"why": Field(str, of=WHYS)},
        Act.UNBLOCK: {"door": Field(int, needed=False)},
        Act.HELP_ABOUT: {"category": Field(str, of=CATEGORIES)},
        Act.HELP_PHONE: {"digits": Field(str, needed=False)},
        Act.LOST_CASE: {"digits": Field(str)},
        Act.LOST_PHONE: {"digits": Field(str)},
        Act.RATE: {"grade": Field(int)},
        Act.SKIP: {"why": Field(str, of=WHYS_SKIPPED), **_DEPOSIT},
        Act.STOCK_BEGIN: {"scope": Field(str, of=tuple(Scope))},
        Act.STOCK_OPEN: {"door": Field(int)},
        Act.STOCK_SAY: {"found": Field(str, of=tuple(Found)), "door": Field(int, needed=False)},
        Act.STOCK_SKIP: {"door": Field(int, needed=False)},
        Act.SECOND_PIN: {"digits": Field(str)},
        Act.ROUND_UNDO: {"deposit": Field(str, needed=False)},
        Act.CORRECT: {"finding": Field(str, of=CORRECTIONS), **_DEPOSIT},
        Act.CHECK_CONFIRM: {"empty": Field(bool), "door": Field(int, needed=False)},
    }
)
"""What each act carries; those not named carry nothing."""


def read_press(body: Mapping[str, Any]) -> tuple[Press, str]:
    """The press in a body, and the visit it was meant for ("" where it does not say). Raises BadRequest."""
    name = body.get("act")
    if not isinstance(name, str) or name not in set(Act):
        raise BadRequest("unknown_act", "“act” must name one of the acts of the view")
    act = Act(name)
    known = FIELDS.get(act, {})
    data = {key: value for key, value in body.items() if key not in {"act", "visit"}}
    _check(data, known)
    return Press(act, data), _text(body, "visit", TEXT_MAX)


def read_code(body: Mapping[str, Any]) -> CodeShown:
    """The code in a body. Raises BadRequest; whether the code is right is not judged here."""
    if unknown := set(body) - {"typed", "scanned", "phone4"}:
        raise BadRequest("unknown_field", f"unknown field “{min(unknown)}”")
    shown = CodeShown(
        _text(body, "typed", CODE_MAX), _text(body, "scanned", CODE_MAX), _text(body, "phone4", TEXT_MAX)
    )
    if bool(shown.typed) == bool(shown.scanned):
        raise BadRequest("wrong_code", "one of “typed” and “scanned” is needed")
    return shown


def _text(body: Mapping[str, Any], name: str, longest: int) -> str:
    text = body.get(name, "")
    if not isinstance(text, str):
        raise BadRequest("wrong_type", f"“{name}” must be a text")
    if len(text) > longest:
        raise BadRequest("too_long", f"“{name}” is longer than {longest} characters")
    return text


def _check(data: Mapping[str, Any], known: Mapping[str, Field]) -> None:
    if unknown := set(data) - set(known):
        raise BadRequest("unknown_field", f"unknown field “{min(unknown)}”")
    for name, wanted in known.items():
        if name not in data:
            if wanted.needed:
                raise BadRequest("missing_field", f"“{name}” is needed")
            continue
        value = data[name]
        if type(value) is not wanted.kind:
            raise BadRequest("wrong_type", f"“{name}” must be of type {wanted.kind.__name__}")
        if isinstance(value, str) and len(value) > TEXT_MAX:
            raise BadRequest("too_long", f"“{name}” is longer than {TEXT_MAX} characters")
        if wanted.of and value not in wanted.of:
            raise BadRequest("wrong_value", f"“{name}” must be one of {', '.join(wanted.of)}")
