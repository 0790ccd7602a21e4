"""Working lists of the hall and papers that are owed: asked for, printed, checked, extended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy import Connection, select
from starlette.responses import RedirectResponse, Response

from locker.domain.compartment import Size
from sync.central import cases
from sync.central.access import scope
from sync.central.access.matrix import Action, may
from sync.central.console import forms
from sync.central.console.pages import ROOT, Form, Frame, Visit
from sync.central.intake import decisions, lists, models, owed, stages
from sync.central.intake.counter import Counter
from sync.central.intake.lists import TopUps, Wanted
from sync.central.intake.owed import Ask, Place
from sync.central.intake.stages import Kind, Signal, State
from sync.central.office import Repeatable
from sync.central.paging import Asked, Page
from sync.central.tables import LOCKER
from sync.central.windows import departments, register

OWED: Final = f"{ROOT}/owed"
ROWS: Final = 50
USUAL_WORKDAYS: Final = 10
TEXT_MAX: Final = 80
COLONS: Final = "：:"
CURSOR_MAX: Final = 600


def add(frame: Frame, counter: Counter) -> None:
    listed, asking, one = _Lists(frame), _Asking(frame, counter), _One(frame, counter)
    for path, action, page, method in (
        (f"{ROOT}/awaiting", Action.SEE_CASES, listed.awaiting, "GET"),
        (f"{ROOT}/supplements", Action.SEE_CASES, listed.supplements, "GET"),
        (f"{ROOT}/deferrals", Action.SEE_CASES, listed.deferrals, "GET"),
        (f"{ROOT}/cases/{{case}}/supplement", Action.CHECK_CASE, asking.blank_supplement, "GET"),
        (f"{ROOT}/cases/{{case}}/supplement", Action.CHECK_CASE, asking.supplement, "POST"),
        (f"{ROOT}/cases/{{case}}/deferral", Action.CHECK_CASE, asking.blank_deferral, "GET"),
        (f"{ROOT}/cases/{{case}}/deferral", Action.CHECK_CASE, asking.deferral, "POST"),
        (f"{OWED}/{{owed}}", Action.SEE_CASE, one.look, "GET"),
        (f"{OWED}/{{owed}}/notice", Action.SEE_CASE, one.notice, "GET"),
        (f"{OWED}/{{owed}}/check", Action.CHECK_CASE, one.check, "POST"),
        (f"{OWED}/{{owed}}/extend", Action.DECIDE_CASE, one.extend, "POST"),
        (f"{OWED}/{{owed}}/top-up", Action.AUTHORISE, one.top_up, "POST"),
    ):
        frame.add(path, action, page, method)


def wanted_of(visit: Visit, states: Sequence[str] = ()) -> Wanted:
    """What a list is asked for in the query; anything else is as if it were not there."""
    query = visit.request.query_params
    state = query.get("state", "")
    return Wanted(
        locker=query.get("locker", "")[:24],
        state=state if state in states else "",
        text=query.get("text", "").strip()[:TEXT_MAX],
    )


def page_of(visit: Visit) -> Asked:
    return Asked(ROWS, visit.request.query_params.get("cursor", "")[:CURSOR_MAX])


def list_values(
    wanted: Wanted, page: Page[Any], states: Sequence[str], names: Sequence[str]
) -> dict[str, Any]:
    """What `list_sieve.html` needs."""
    asked = {"locker": wanted.locker, "state": wanted.state, "text": wanted.text}
    onward = urlencode({key: value for key, value in {**asked, "cursor": page.next or ""}.items() if value})
    return {
        "rows": page.rows,
        "wanted": wanted,
        "states": states,
        "lockers": names,
        "onward": onward if page.next else "",
    }


def locker_names(connection: Connection, visit: Visit) -> list[str]:
    query = select(LOCKER.c.locker).where(scope.sees(visit.actor, LOCKER.c.locker))
    return list(connection.execute(query.order_by(LOCKER.c.locker)).scalars())


@dataclass(frozen=True, slots=True)
class _Lists:
    frame: Frame

    async def awaiting(self, visit: Visit) -> Response:
        wanted, desk = wanted_of(visit), self.frame.office.desk

        def look(connection: Connection) -> dict[str, Any]:
            page = lists.awaiting(connection, desk, visit.actor, wanted, page_of(visit))
            return list_values(wanted, page, (), locker_names(connection, visit))

        return self.frame.page(visit, "awaiting.html", await self.frame.office.store.read(look))

    async def supplements(self, visit: Visit) -> Response:
        return await self._owed(visit, Kind.SUPPLEMENT)

    async def deferrals(self, visit: Visit) -> Response:
        return await self._owed(visit, Kind.DEFERRED)

    async def _owed(self, visit: Visit, kind: Kind) -> Response:
        states = [state.value for state in State]
        wanted, desk = wanted_of(visit, states), self.frame.office.desk

        def look(connection: Connection) -> dict[str, Any]:
            page = lists.owed(connection, desk, visit.actor, kind, wanted, page_of(visit))
            return list_values(wanted, page, states, locker_names(connection, visit))

        values = await self.frame.office.store.read(look)
        lacking = {row.owed: stages.lacking(stages.read(row.papers)) for row in values["rows"]}
        ended = wanted.state in stages.ENDED
        values |= {"kind": kind.value, "lacking": lacking, "ended": ended}
        return self.frame.page(visit, "owed_list.html", values)


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked for, or promised; what these pages accept is what the API accepts."""

    frame: Frame
    counter: Counter

    async def blank_supplement(self, visit: Visit) -> Response:
        return await self._again(visit, Kind.SUPPLEMENT, {}, ())

    async def blank_deferral(self, visit: Visit) -> Response:
        return await self._again(visit, Kind.DEFERRED, {}, ())

    async def supplement(self, visit: Visit) -> Response:
        case, form = visit.request.path_params["case"], await self.frame.form(visit)
        try:
            body = forms.read(
                models.MissingIn,
                {
                    "papers": [_lacking(line) for line in forms.lines(form, "papers")],
                    **{name: forms.one(form, name) for name in ("until", "consequence", *_BOTH)},
                },
            )
        except forms.BadForm as error:
            return await self._again(visit, Kind.SUPPLEMENT, form, error.problems)
        return await self._made(visit, form, self.counter.supplement(case, body))

    async def deferral(self, visit: Visit) -> Response:
        case, form = visit.request.path_params["case"], await self.frame.form(visit)
        until = forms.one(form, "until")
        try:
            body = forms.read(
                models.DeferralIn,
                {
                    "papers": [{"name": name, "until": until} for name in forms.lines(form, "papers")],
                    "consequence": forms.one(form, "consequence"),
                    "commitment": {name: forms.one(form, name) for name in ("by", "how", "where")},
                    **{name: forms.one(form, name) for name in _BOTH},
                },
            )
        except forms.BadForm as error:
            return await self._again(visit, Kind.DEFERRED, form, error.problems)
        return await self._made(visit, form, self.counter.deferral(case, body))

    async def _made(self, visit: Visit, form: Form, ask: Ask) -> Response:
        once = forms.one(form, "once")[:32]
        repeatable = Repeatable(f"console/{once}" if once else "", repr(ask))
        made = await self.counter.request(ask, visit.actor, repeatable)
        return RedirectResponse(f"{OWED}/{made}", 303)

    async def _again(self, visit: Visit, kind: Kind, form: Form, problems: Sequence[str]) -> Response:
        case = visit.request.path_params["case"]

        def look(connection: Connection) -> tuple[list[str], dict[str, Any]]:
            right = decisions.right_of(connection, visit.actor, case)
            living = departments.of_area(connection, visit.actor, right.area)
            known = {"departments": living, "department": departments.of_case(connection, right.area, case)}
            return sorted(decisions.deferred_in(connection, right.area, case)), known

        later, known = await self.frame.office.store.read(look)
        values = {
            **known,
            "case": case,
            "kind": kind.value,
            "form": form,
            "problems": problems,
            "usual_papers": "\n".join(later) if kind is Kind.DEFERRED else "",
            "usual_day": self.counter.workday_in(USUAL_WORKDAYS),
            "first_day": self.counter.day_in(0),
            "once": self.frame.office.desk.chance.new_id(),
        }
        return self.frame.page(visit, "owed_new.html", values, status=422 if problems else 200)


_BOTH: Final = ("again", "department")
"""Of either form."""


def _lacking(line: str) -> Mapping[str, str]:
    """A line of the form: a paper, and after a colon what is missing."""
    at = next((place for place, letter in enumerate(line) if letter in COLONS), len(line))
    return {"name": line[:at].strip(), "why": line[at + 1 :].strip()}


@dataclass(frozen=True, slots=True)
class _One:
    frame: Frame
    counter: Counter

    async def look(self, visit: Visit) -> Response:
        found, names = await self.frame.office.store.read(lambda c: _found(c, visit))
        called = await self.frame.office.store.read(register.called)
        now_ms, actor, state = self.frame.office.desk.clock.wall_ms(), visit.actor, found.state
        values = {
            "found": found,
            "department": called.get(found.row.department, ""),
            "rights": [(right, cases.state_of(right, now_ms)) for right in found.rights],
            "lockers": names,
            "checks": may(actor, Action.CHECK_CASE) and stages.may(state, Signal.CHECK),
            "extends": may(actor, Action.DECIDE_CASE) and stages.may(state, Signal.EXTEND),
            "ends": may(actor, Action.DECIDE_CASE) and stages.may(state, Signal.RETURN),
            "tops_up": may(actor, Action.AUTHORISE) and stages.may(state, Signal.TOP_UP),
            "usual_day": self.counter.workday_in(USUAL_WORKDAYS),
            "first_day": self.counter.day_in(0),
            "once": self.frame.office.desk.chance.new_id(),
        }
        return self.frame.page(visit, "owed.html", values)

    async def notice(self, visit: Visit) -> Response:
        found, _ = await self.frame.office.store.read(lambda c: _found(c, visit))
        called = await self.frame.office.store.read(register.called)
        days = {paper.until_ms for paper in found.papers}
        values = {
            "found": found,
            "department": called.get(found.row.department, ""),
            "day": self.counter.day_of(days.pop()) if len(days) == 1 else "",
            "made": self.counter.day_of(found.row.made_ms),
            "day_of": self.counter.day_of,
        }
        return self.frame.page(visit, "owed_notice.html", values)

    async def check(self, visit: Visit) -> Response:
        form, name = await self.frame.form(visit), visit.request.path_params["owed"]
        numbers = [int(text) for text in form.get("in_order", []) if text.isdigit() and len(text) <= 2]  # noqa: PLR2004  # at most 30
        body = forms.read(models.OwedCheckIn, {"in_order": numbers})
        await self.counter.check(name, frozenset(body.in_order), visit.actor)
        return RedirectResponse(f"{OWED}/{name}", 303)

    async def extend(self, visit: Visit) -> Response:
        form, name = await self.frame.form(visit), visit.request.path_params["owed"]
        values = {"until": forms.one(form, "until"), "reason": forms.one(form, "reason")}
        body = forms.read(models.ExtensionIn, values)
        await self.counter.extend(name, body.until, body.reason, visit.actor)
        return RedirectResponse(f"{OWED}/{name}", 303)

    async def top_up(self, visit: Visit) -> Response:
        form, name = await self.frame.form(visit), visit.request.path_params["owed"]
        values = {
            "locker": forms.one(form, "locker"),
            "size": forms.one(form, "size"),
            "valid_hours": forms.number(form, "valid_hours"),
        }
        body = forms.read(models.TopUpIn, values)
        once = forms.one(form, "once")[:32]
        repeatable = Repeatable(f"console/{once}" if once else "", name + body.model_dump_json())
        place = Place(body.locker, Size[body.size], body.valid_hours)
        made = await self.counter.top_up(name, place, visit.actor, repeatable)
        return RedirectResponse(f"{ROOT}/authorisations/{made}", 303)


def _found(connection: Connection, visit: Visit) -> tuple[TopUps, list[str]]:
    row = owed.owed_row(connection, visit.actor, visit.request.path_params["owed"])
    return lists.top_ups(connection, row), locker_names(connection, visit)
