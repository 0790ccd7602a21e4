"""Cases: the list, and one with its whole trail, what is owed to it, and what may be done in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from sync.central.access import scope
from sync.central.access.matrix import Action, may
from sync.central.console import forms
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.console.texts import Texts
from sync.central.intake import decisions, lists, models, stages
from sync.central.intake.api import require_reason
from sync.central.intake.counter import Counter
from sync.central.intake.lists import Docket
from sync.central.intake.stages import Kind, Standing, Verdict
from sync.central.intake.trail import Told, Trail, trail
from sync.central.onward import lists as items
from sync.central.windows import departments, register

CASES: Final = f"{ROOT}/cases"
CASES_SHOWN: Final = 200
_CASE_LETTERS: Final = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_BY_SENSOR: Final = frozenset({"DoorOpened", "DoorClosed", "DoorStuck", "DoorLeftOpen", "DoorForced"})
_FINDINGS: Final = (Verdict.COMPLETE, Verdict.MISSING, Verdict.WRONG)
_DECISIONS: Final = (Verdict.ACCEPT, Verdict.RETURN, Verdict.REJECT)


def add(frame: Frame, counter: Counter) -> None:
    pages = _Pages(frame, counter)
    for path, action, page, method in (
        (CASES, Action.SEE_CASES, pages.every, "GET"),
        (f"{CASES}/{{case}}", Action.SEE_CASE, pages.one, "GET"),
        (f"{CASES}/{{case}}/check", Action.CHECK_CASE, pages.check, "POST"),
        (f"{CASES}/{{case}}/decide", Action.DECIDE_CASE, pages.decide, "POST"),
    ):
        frame.add(path, action, page, method)


@dataclass(frozen=True, slots=True)
class _Seen:
    docket: Docket
    items: list[Any]
    trail: Trail
    deferred: list[str]
    """Papers that may follow later, by pre-review."""
    department: str
    """What it is called; empty where nobody has said."""

    @property
    def standing(self) -> Standing:
        return Standing(self.docket.standings[0].standing) if self.docket.standings else Standing.UNDECIDED


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame
    counter: Counter

    async def every(self, visit: Visit) -> Response:
        wanted = visit.request.query_params.get("case", "").strip()
        if wanted and len(wanted) <= 24 and set(wanted) <= _CASE_LETTERS:  # noqa: PLR2004  # as the API has it
            return RedirectResponse(f"{CASES}/{wanted}", 303)
        found = await self.frame.office.store.read(lambda c: scope.cases(c, visit.actor, CASES_SHOWN))
        return self.frame.page(visit, "cases.html", {"cases": found, "wanted": wanted[:80]})

    async def one(self, visit: Visit) -> Response:
        case = visit.request.path_params["case"]

        def look(connection: Connection) -> _Seen:
            whole = trail(connection, visit.actor, case)
            docket = lists.docket(connection, visit.actor, case)
            later: set[str] = set()
            department = ""
            if docket.rights:
                right = decisions.right_of(connection, visit.actor, case)
                later = decisions.deferred_in(connection, right.area, case)
                place = departments.of_case(connection, right.area, case)
                department = register.called(connection).get(place, "") if place else ""
            own = items.of_case(connection, visit.actor, case)
            return _Seen(docket, own, whole, sorted(later), department)

        seen = await self.frame.office.store.read(look)
        days = groupby(seen.trail.steps, key=lambda told: self.frame.moment(_shown_ms(told))[:10])
        values = {
            "case": case,
            "seen": seen,
            "department": seen.department,
            "days": [(day, [(told, self._row(visit.text, told)) for told in steps]) for day, steps in days],
            "findings": _possible(seen, _FINDINGS) if may(visit.actor, Action.CHECK_CASE) else [],
            "decisions": _possible(seen, _DECISIONS) if may(visit.actor, Action.DECIDE_CASE) else [],
            "runs": _runs(seen.docket),
            "may_ask": may(visit.actor, Action.CHECK_CASE) and bool(seen.docket.rights),
            "supplement_fits": stages.fits(seen.standing, Verdict.MISSING),
            "deferral_fits": seen.standing not in {Standing.ACCEPTED, Standing.RETURNED, Standing.REJECTED},
            "helper_found": _helper_found(seen.trail),
            "now_ms": self.frame.office.desk.clock.wall_ms(),
        }
        return self.frame.page(visit, "case.html", values)

    async def check(self, visit: Visit) -> Response:
        form, case = await self.frame.form(visit), visit.request.path_params["case"]
        values = {"finding": forms.one(form, "finding"), "remark": forms.one(form, "remark")}
        body = forms.read(models.FindingIn, values)
        await self.counter.find(case, Verdict(body.finding), body.remark, visit.actor)
        return RedirectResponse(f"{CASES}/{case}", 303)

    async def decide(self, visit: Visit) -> Response:
        form, case = await self.frame.form(visit), visit.request.path_params["case"]
        values = {
            "decision": forms.one(form, "decision"),
            "reason": forms.one(form, "reason"),
            "came": form.get("came", []),
        }
        body = forms.read(models.DecisionIn, values)
        require_reason(body)
        await self.counter.decide(case, Verdict(body.decision), body.reason, body.came, visit.actor)
        return RedirectResponse(f"{CASES}/{case}", 303)

    def _row(self, text: Texts, told: Told) -> dict[str, Any]:
        """One step in people's words."""
        moment = told.moment
        first, last = self.frame.second(moment.not_before_ms), self.frame.second(moment.not_after_ms)
        between = text("trail.between", first=first, last=last) if first and last else ""
        if last and not first:
            between = text("trail.not_after", last=last)
        return {
            "time": self.frame.second(moment.at_ms)[11:],
            "between": between,
            "evidence": _evidence(text, told),
            "detail": self._detail(text, told.step.detail),
        }

    def _detail(self, text: Texts, detail: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What a fact says that a person wants to know, in their words."""
        known = text.words["key"]
        shown = [(key, detail[key]) for key in known if detail.get(key) and str(detail[key]) not in _PROOFS]
        return [(known[key], self._value(text, key, value)) for key, value in shown]

    def _value(self, text: Texts, key: str, value: Any) -> str:
        if isinstance(value, list):
            return text("page.comma").join(map(str, value))
        return self.frame.moment(value)[:16] if key.endswith("_ms") else text.word("value", str(value))


_PROOFS: Final = frozenset({"sensed", "declared", "assumed"})
"""Shown in a column of their own."""


def _possible(seen: _Seen, verdicts: tuple[Verdict, ...]) -> list[str]:
    if not seen.docket.rights:
        return []
    fitting = [verdict for verdict in verdicts if stages.fits(seen.standing, verdict)]
    return [verdict.value for verdict in fitting if verdict not in _held_up(seen.docket)]


def _held_up(docket: Docket) -> set[Verdict]:
    """What is not decided while papers are owed: see `sync.central.intake.decisions`."""
    held = {Verdict.RETURN, Verdict.REJECT} if _runs(docket) else set()
    asked = any(found.row.kind == Kind.SUPPLEMENT and found.state in stages.OPEN for found in docket.owed)
    return held | ({Verdict.ACCEPT} if asked else set())


def _runs(docket: Docket) -> bool:
    """Whether the applicant still has time to bring something."""
    return any(found.state in stages.RUNNING for found in docket.owed)


def _shown_ms(told: Told) -> int:
    """Under which day a step stands."""
    moment = told.moment
    return moment.at_ms or moment.not_after_ms or moment.not_before_ms


def _evidence(text: Texts, told: Told) -> str:
    """What speaks for it: a sensor, somebody's word, or nothing but likelihood."""
    if told.step.kind in _BY_SENSOR:
        return text("trail.by_sensor")
    proof = told.step.detail.get("proof")
    if told.step.kind == "SubmissionDeposited":
        proof = "sensed" if told.step.detail.get("sensed") == "present" else "declared"
    return text.word("value", str(proof)) if proof in _PROOFS else ""


def _helper_found(whole: Trail) -> str:
    """The last count by a helper who took something out; empty before."""
    kinds = {"SubmissionTaken", "FindingCorrected"}
    found = [told.step.detail.get("finding") for told in whole.steps if told.step.kind in kinds]
    return str(found[-1] or "") if found else ""
