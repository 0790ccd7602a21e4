"""Settings of lockers: for all of them, for an area, for one, each on a page with one form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import RedirectResponse, Response

from sync.central.access import scope
from sync.central.access.matrix import Action, may
from sync.central.console import forms, lockers
from sync.central.console.pages import ROOT, Form, Frame, Visit
from sync.central.console.texts import Texts
from sync.central.desk import Refusal, Refused
from sync.central.settings.levels import FLEET, Level, Target
from sync.central.settings.views import Sheet, Shown, behind, sheet
from sync.central.settings.wishes import areas, change

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "visit": (
        "session_idle_s",
        "session_ask_s",
        "left_open_warning_ms",
        "left_open_alarm_ms",
        "openings_per_drop_off",
    ),
    "keeping": ("hold_days", "slot_grace_ms", "reserve_share_percent", "personal_days"),
    "place": ("help_line", "night_from_h", "night_until_h"),
}
"""As people look for them; a test says that none is forgotten."""
UNITS: Final[Mapping[str, tuple[str, int]]] = {
    "left_open_warning_ms": ("s", 1_000),
    "left_open_alarm_ms": ("s", 1_000),
    "session_idle_s": ("s", 1),
    "session_ask_s": ("s", 1),
    "slot_grace_ms": ("min", 60_000),
    "hold_days": ("days", 1),
    "personal_days": ("days", 1),
    "reserve_share_percent": ("percent", 1),
    "openings_per_drop_off": ("times", 1),
    "night_from_h": ("clock", 1),
    "night_until_h": ("clock", 1),
}
"""What a person types, and how many of the wire's units that is."""


def add(frame: Frame) -> None:
    pages = _Pages(frame)
    for path, level in (
        (f"{ROOT}/settings", Level.FLEET),
        (f"{ROOT}/settings/areas/{{place}}", Level.AREA),
        (f"{ROOT}/lockers/{{place}}/settings", Level.LOCKER),
    ):
        look, enter = pages.of(level)
        frame.add(path, Action.SEE_SETTINGS, look)
        frame.add(path, Action.CHANGE_SETTINGS, enter, "POST")


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame

    def of(self, level: Level) -> tuple[Any, Any]:
        async def look(visit: Visit) -> Response:
            return await self._page(visit, _target(visit, level), None, "")

        async def enter(visit: Visit) -> Response:
            return await self._enter(visit, _target(visit, level))

        return look, enter

    async def _enter(self, visit: Visit, target: Target) -> Response:
        form = await self.frame.form(visit)
        try:
            values = _read(visit.text, form)
            await change(self.frame.office, visit.actor, target, values, forms.one(form, "revision")[:32])
        except _NotRead as error:
            return await self._page(visit, target, form, error.problem)
        except Refused as refused:
            if refused.reason is not Refusal.UNFIT:
                raise
            return await self._page(visit, target, form, _problem(visit.text, refused.detail))
        return RedirectResponse(visit.request.url.path, 303)

    async def _page(self, visit: Visit, target: Target, form: Form | None, problem: str) -> Response:
        store, actor, now_ms = self.frame.office.store, visit.actor, self.frame.office.desk.clock.wall_ms()
        shown = await store.read(lambda c: sheet(c, actor, target))
        values: dict[str, Any] = {
            "sheet": shown,
            "level": target.level.value,
            "groups": _groups(visit.text, shown, form),
            "changes": may(actor, Action.CHANGE_SETTINGS) and (actor.sees_all or target != FLEET),
            "problem": problem,
            "action": visit.request.url.path,
        }
        if target.level is Level.LOCKER:
            row = await store.read(lambda c: scope.locker_row(c, actor, target.place))
            values |= lockers.head(visit, row, "settings", now_ms)
        elif target.level is Level.FLEET:
            values["areas"] = await store.read(lambda c: areas(c, actor))
            found = await store.read(lambda c: behind(c, actor))
            values["behind"] = [
                (each, [visit.text.word("setting", name) for name in each.refused]) for each in found
            ]
        template = "locker_settings.html" if target.level is Level.LOCKER else "settings.html"
        return self.frame.page(visit, template, values, 422 if problem else 200)


def _target(visit: Visit, level: Level) -> Target:
    return FLEET if level is Level.FLEET else Target(level, visit.request.path_params["place"])


class _NotRead(Exception):
    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def _read(text: Texts, form: Form) -> dict[str, int | str]:
    """What is wished; what is left empty is not. Raises _NotRead."""
    values: dict[str, int | str] = {}
    for name in (name for names in GROUPS.values() for name in names):
        typed = forms.one(form, name)
        if not typed:
            continue
        if name not in UNITS:
            values[name] = typed
            continue
        number = forms.number(form, name)
        if not isinstance(number, int):
            raise _NotRead(_problem(text, f"{name}:"))
        values[name] = number * UNITS[name][1]
    return values


def _problem(text: Texts, detail: str) -> str:
    """A refusal of the room as people read it: which setting, and what it must be."""
    name, _, _ = detail.partition(":")
    return text("settings.unfit", setting=text.word("setting", name))


def _groups(text: Texts, shown: Sheet, form: Form | None) -> list[tuple[str, list[dict[str, Any]]]]:
    known = {each.name: each for each in shown.settings}
    return [(group, [_row(text, known[name], form) for name in names]) for group, names in GROUPS.items()]


def _row(text: Texts, each: Shown, form: Form | None) -> dict[str, Any]:
    typed = forms.one(form, each.name) if form is not None else _plain(each.name, each.wish)
    unit = UNITS[each.name][0] if each.name in UNITS else ""
    below = each.above.value if each.above else each.default
    return {
        "name": each.name,
        "typed": typed,
        "unit": text.word("unit", unit) if unit else "",
        "low": _plain(each.name, each.low),
        "high": _plain(each.name, each.high),
        "is_text": each.is_text,
        "else": _worded(text, each.name, below),
        "from": each.above.level.value if each.above else "",
        "held": "" if each.held is None else _worded(text, each.name, each.held),
        "standing": each.standing.value if each.standing else "",
        "why": each.why,
    }


def _plain(name: str, value: int | str | None) -> str:
    """As it is typed."""
    if value is None:
        return ""
    if isinstance(value, int) and name in UNITS:
        return str(value // UNITS[name][1])
    return str(value)


def _worded(text: Texts, name: str, value: int | str) -> str:
    """With its unit."""
    if name not in UNITS:
        return str(value) or text("settings.none")
    return text(f"settings.with_{UNITS[name][0]}", value=_plain(name, value))
