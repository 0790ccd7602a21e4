"""Details of journals as people read them. What is not known here, by later software, is shown plainly."""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from sync.central.console.texts import Texts

_LABELS: Final = ("detail", "setting", "key")
_VALUES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "areas": ("detail_areas",),
        "by": ("detail_step",),
        "category": ("category",),
        "decision": ("standing",),
        "difference": ("difference",),
        "finding": ("standing", "verdict"),
        "grade": ("grade",),
        "kind": ("party", "detail_kind", "trouble"),
        "move": ("move",),
        "outcome": ("outcome", "resolved"),
        "roles": ("hub_role", "role"),
        "scopes": ("scope",),
        "state": ("onward", "slip_state", "complaint_state"),
        "step": ("detail_step",),
        "template": ("message",),
        "wanted": ("action",),
        "what": ("detail_what", "act_kind"),
    }
)
"""Where the words of a value are looked for, by its key."""
_ALONE: Final = frozenset({"what"})
"""What says enough without its key."""


def act(text: Texts, moment: Callable[[int], str], detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and value of each, what was done first; the label is empty where the value says enough."""
    told = sorted(detail.items(), key=lambda each: each[0] not in _ALONE)
    return [
        ("" if name in _ALONE else _first(text, _LABELS, name), _value(text, moment, name, value))
        for name, value in told
        if value != ""
    ]


def _value(text: Texts, moment: Callable[[int], str], name: str, value: Any) -> str:
    if isinstance(value, bool):
        return text.word("detail_yes", str(value).lower())
    if isinstance(value, int):
        return moment(value) if name == "until" or name.endswith("_ms") else str(value)
    sections = _VALUES.get(name, ())
    return text("page.comma").join(_first(text, sections, each) for each in _several(str(value)))


def _several(value: str) -> list[str]:
    """Lists are kept as JSON, or with commas between."""
    if value.startswith("["):
        try:
            return [str(each) for each in json.loads(value)]
        except ValueError:
            return [value]
    return value.split(",") if "," in value and " " not in value else [value]


def _first(text: Texts, sections: tuple[str, ...], name: str) -> str:
    return next((text.words[section][name] for section in sections if name in text.words[section]), name)


# --- alarms -------------------------------------------------------------------------------------------------

_SAYS: Final[tuple[tuple[str, str], ...]] = (
    ("door", r"door (?P<door>\d+)"),
    ("within", r"within (?P<first>\d+)\.\.(?P<last>\d+)"),
    ("type", r"(?P<seq>\d+): unknown type '(?P<type>.*)'"),
    ("in_force_again", r"case (?P<case>\S+): it is in force again, its phone is unknown"),
    ("loadable_again", r"case (?P<case>\S+): it may be loaded, its phone and label are unknown"),
    ("badge_works", r"their badge works there until it runs out: enrol or revoke them"),
    ("says_lost", r"the locker, at (?P<head>\d+), says of our entry (?P<seq>\d+): beyond its own; .*"),
    ("says_forked", r"the locker, at (?P<head>\d+), says of our entry (?P<seq>\d+): not its own; .*"),
    ("says_hole", r"the locker, at (?P<head>\d+), says of our entry (?P<seq>\d+): what follows .*"),
    ("says_later", r"the locker, at (?P<head>\d+), says of our entry (?P<seq>\d+): of a later epoch .*"),
    ("fewer", r"the locker has (?P<head>\d+) entries, (?P<seq>\d+) are stored here: .*"),
    ("another", r"another entry at (?P<seq>\d+): .*"),
    ("went_on", r"the locker went on in (?P<epoch>\w+) from its entry (?P<head>\d+): (?P<why>\w+)"),
    ("records_nothing", r"it can record nothing more and opens no door: .*"),
    ("not_ours", r"the locker's entry (?P<seq>\d+) is not ours"),
    ("numbered_otherwise", r"the locker follows a numbering that is not ours"),
    ("gone", r"it answered 410: gone; .*"),
    ("not_taken", r"for three days it did not take (?P<event>.+)"),
    ("too_many_wait", r"more than (?P<most>\d+) events wait; .*"),
    ("lay_there", r"door (?P<door>\d+): it lay there when the locker was emptied"),
    ("setting", r"(?P<setting>\w+) = (?P<value>.*): (?P<setting_why>\w+)"),
    ("refused", r"refused: ?(?P<directive_why>.*)"),
)
"""What the hub writes down of an alarm, in one language only: how each is told again in the reader's."""
_FORMS: Final = tuple((name, re.compile(form + r"\Z", re.DOTALL)) for name, form in _SAYS)
WORDED: Final = frozenset({"setting", "setting_why", "directive_why"})
"""Parts that are words of a section of the same name."""


def alarm(text: Texts, kind: str, detail: str) -> str:
    if kind == "settings_extra":
        return text("page.comma").join(text.word("setting", name) for name in detail.split(", "))
    for name, form in _FORMS:
        if found := form.match(detail):
            said = {
                part: text.word(part, value) if part in WORDED else value
                for part, value in found.groupdict().items()
            }
            return text(f"alarm_says.{name}", **said)
    return detail
