"""Every message there is: what it may tell, what it leads to, and its words in two languages.

A variable whose name ends in ``_ms`` is a moment (wall ms) and is told as local time, without the ending.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

LANGUAGES: Final = ("zh", "en")
DEFAULT: Final = LANGUAGES[0]
MOMENT: Final = "_ms"
CODE_DIGITS: Final = 11
UCS2_ALONE: Final = 70
UCS2_PART: Final = 67
GSM_ALONE: Final = 160
GSM_PART: Final = 153
_FOLDER: Final = Path(__file__).parent / "texts"
_GSM: Final = frozenset("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà").union(
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
"""What the alphabet of SMS holds (3GPP TS 23.038) without its escapes."""


class Leads(StrEnum):
    """To whose personal page, found by the notice's subject."""

    NOWHERE = ""
    AUTHORISATION = "authorisation"
    DEPOSIT = "deposit"
    CODE = "code"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class Template:
    tells: tuple[str, ...]
    """Variables as they are told, besides ``case`` and ``locker``."""
    leads: Leads = Leads.NOWHERE
    codes: tuple[str, ...] = ()
    """What is opened from the seal: the name here, the name in there."""


_TYPED: Final = ("typed", "scan")
_PAPERS: Final = ("kind", "service_item", "papers", "deadline", "consequence")

TEMPLATES: Final[Mapping[str, Template]] = MappingProxyType(
    {
        "drop_off_code": Template(("expires",), Leads.AUTHORISATION, ("typed", "token")),
        "drop_off_unconfirmed": Template((), Leads.AUTHORISATION),
        "pickup_code": Template(("item",), Leads.CODE, _TYPED),
        "agent_code": Template(("item", "expires"), codes=_TYPED),
        "receipt": Template(("number", "time"), Leads.DEPOSIT),
        "receipt_corrected": Template(("number", "time")),
        "opened_from_afar": Template(("door", "time")),
        "pickup_reminder": Template(("item", "until"), Leads.DEPOSIT),
        "pickup_overdue": Template(("item",), Leads.DEPOSIT),
        "supplement_requested": Template(_PAPERS, Leads.AUTHORISATION),
        "deferred_promised": Template(_PAPERS, Leads.AUTHORISATION),
        "owed_extended": Template(_PAPERS, Leads.AUTHORISATION),
        "owed_reminder": Template(_PAPERS, Leads.AUTHORISATION),
        "owed_overdue": Template(_PAPERS, Leads.AUTHORISATION),
        "case_decided": Template(("decision", "reason"), Leads.AUTHORISATION),
        "item_posted": Template(("item", "service_item", "carrier", "tracking")),
        "slot_booked": Template(("begins", "until"), Leads.AUTHORISATION),
        "slot_lapsed": Template(("begins",), Leads.AUTHORISATION),
        "slot_cancelled": Template(("begins",), Leads.AUTHORISATION),
        "complaint_resolved": Template(("complaint", "solution"), Leads.COMPLAINT),
    }
)


@dataclass(frozen=True, slots=True)
class Words:
    """One language's."""

    language: str
    of: Mapping[str, Mapping[str, str]]

    def told(self, name: str, value: object, offset_minutes: int) -> tuple[str, str]:
        """A variable as people are told it: name and text."""
        if name.endswith(MOMENT):
            return name.removesuffix(MOMENT), self.moment(value, offset_minutes)
        return name, self.of["value"].get(str(value), str(value)) if name in _CHOSEN else str(value)

    def moment(self, wall_ms: object, offset_minutes: int) -> str:
        """Local time; 0, or what is no time: to be confirmed."""
        try:
            local = datetime.fromtimestamp(int(str(wall_ms)) / 1000, UTC) + timedelta(minutes=offset_minutes)
        except (OverflowError, ValueError, OSError):
            return self.of["words"]["time_pending"]
        return local.strftime("%Y-%m-%d %H:%M") if wall_ms else self.of["words"]["time_pending"]

    def title(self, template: str) -> str:
        return self.of["title"][template]

    def text(self, template: str, variables: Mapping[str, str]) -> str:
        """The whole message. Raises KeyError for a variable or a template that is lacking."""
        shown = {"place": variables["locker"], "link": "", **variables}
        if "typed" in shown:
            shown["typed"] = grouped(shown["typed"])
        return " ".join(self.of["text"][template].format(**shown).split())


_CHOSEN: Final = frozenset({"kind", "decision"})
"""Variables whose values are words of ours."""


def load() -> Mapping[str, Words]:
    return {
        language: Words(language, tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8")))
        for language in LANGUAGES
    }


def language_of(contact: Mapping[str, Any]) -> str:
    wanted = contact.get("language", DEFAULT)
    return wanted if wanted in LANGUAGES else DEFAULT


def grouped(code: str) -> str:
    """3-4-4, as people read a mobile number."""
    return f"{code[:3]} {code[3:7]} {code[7:]}" if len(code) == CODE_DIGITS else code


def parts(text: str) -> int:
    """How many SMS a text is."""
    alone, part = (GSM_ALONE, GSM_PART) if set(text) <= _GSM else (UCS2_ALONE, UCS2_PART)
    return 1 if len(text) <= alone else -(-len(text) // part)
