"""What operators look at and fill in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from sqlalchemy import Connection, Row
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response

from sync.central import cases
from sync.central.access import scope
from sync.central.access.matrix import Action, may
from sync.central.api_models import OutgoingIn, PreReviewIn, StaffIn
from sync.central.console import (
    accounts,
    bookings,
    certificates,
    complaints,
    custody,
    figures,
    fleet,
    forms,
    imports,
    intake,
    journal,
    lockers,
    login,
    messages,
    month,
    onward,
    own,
    pickups,
    qr,
    settings,
    staff,
    webhooks,
    windows,
    workdays,
)
from sync.central.console import cases as case_pages
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.desks import Desks
from sync.central.intake.counter import Counter
from sync.central.office import Repeatable
from sync.central.outgoing import results_of
from sync.central.webhooks.subscriptions import Subscriptions
from sync.central.windows import departments

Form = Mapping[str, list[str]]


def add(app: Starlette, desks: Desks, utc_offset_minutes: int) -> None:
    """Put the console's pages into the application."""
    frame = Frame(app, desks.office, desks.front, utc_offset_minutes)
    login.add(frame)
    own.add(frame, desks.means)
    accounts.add(frame, desks.means)
    journal.add(frame, desks.means)
    messages.add(frame)
    imports.add(frame)
    webhooks.add(frame, Subscriptions(desks.office.store, desks.office.desk, desks.webhooks))
    staff.add(frame)
    looks, entries = _Looks(frame), _Entries(frame)
    complaints.add(frame)
    custody.add(frame)
    windows.add(frame)
    figures.add(frame)
    month.add(frame)
    fleet.add(frame, desks.watch)
    counter = Counter(desks.office)
    case_pages.add(frame, counter)
    intake.add(frame, counter)
    onward.add(frame)
    pickups.add(frame)
    lockers.add(frame, desks.acts)
    bookings.add(frame)
    settings.add(frame)
    workdays.add(frame)
    certificates.add(frame, desks.authority)
    frame.add(f"{ROOT}/authorisations/{{authorisation}}", Action.SEE_AUTHORISATION, looks.authorisation)
    frame.add(f"{ROOT}/items/{{item}}", Action.SEE_ITEM, looks.item)
    frame.add(f"{ROOT}/items/{{item}}/label", Action.PRINT_LABEL, looks.label)
    for path, action, blank, entered in (
        ("pre-reviews", Action.AUTHORISE, entries.blank_pre_review, entries.pre_review),
        ("outgoing", Action.ANNOUNCE_ITEM, entries.blank_outgoing, entries.outgoing),
        ("staff", Action.ENROL_STAFF, entries.blank_staff, entries.staff),
    ):
        frame.add(f"{ROOT}/{path}/new", action, blank)
        frame.add(f"{ROOT}/{path}/new", action, entered, "POST")


@dataclass(frozen=True, slots=True)
class _Looks:
    """Pages that only show."""

    frame: Frame

    async def authorisation(self, visit: Visit) -> Response:
        desk = self.frame.office.desk
        name = visit.request.path_params["authorisation"]
        row = await self.frame.office.store.read(lambda c: scope.authorisation_row(c, visit.actor, name))
        values = {
            "row": row,
            "state": cases.state_of(row, desk.clock.wall_ms()),
            "papers": json.loads(row.papers),
            "deferred": json.loads(row.deferred),
            "books": may(visit.actor, Action.BOOK_SLOT),
            **_drawn(cases.token_of(desk, row)),
        }
        return self.frame.page(visit, "authorisation.html", values)

    async def item(self, visit: Visit) -> Response:
        return await self._item(visit, "item.html")

    async def label(self, visit: Visit) -> Response:
        return await self._item(visit, "label.html")

    async def _item(self, visit: Visit, template: str) -> Response:
        name = visit.request.path_params["item"]
        row = await self.frame.office.store.read(lambda c: scope.item_row(c, visit.actor, name))
        token = cases.token_of(self.frame.office.desk, row)
        named = results_of(row)
        return self.frame.page(visit, template, {"row": row, "named": named, **_drawn(token)})


@dataclass(frozen=True, slots=True)
class _Entries:
    """Pages that take something down; what they accept is what the API accepts."""

    frame: Frame

    async def blank_pre_review(self, visit: Visit) -> Response:
        return await self._again(visit, "pre_review.html", {}, ())

    async def pre_review(self, visit: Visit) -> Response:
        form: Form = {}
        try:
            form = await self.frame.form(visit)
            body = forms.read(
                PreReviewIn,
                {
                    "case": forms.one(form, "case"),
                    "service_item": forms.one(form, "service_item"),
                    "papers": forms.lines(form, "papers"),
                    "deferred": forms.lines(form, "deferred"),
                    "size": forms.one(form, "size"),
                    "applicant": _person(form),
                    "locker": forms.one(form, "locker"),
                    "valid_hours": forms.number(form, "valid_hours"),
                    "department": forms.one(form, "department"),
                },
            )
        except forms.BadForm as error:
            return await self._again(visit, "pre_review.html", form, error.problems)
        made = await self.frame.office.pre_review(
            body.passed(), visit.actor, _once(form, body.model_dump_json())
        )
        return RedirectResponse(f"{ROOT}/authorisations/{made.authorisation}", 303)

    async def blank_outgoing(self, visit: Visit) -> Response:
        return await self._again(visit, "outgoing.html", {}, ())

    async def outgoing(self, visit: Visit) -> Response:
        form: Form = {}
        try:
            form = await self.frame.form(visit)
            body = forms.read(
                OutgoingIn,
                {
                    "item": forms.one(form, "item") or None,
                    "case": forms.one(form, "case"),
                    "service_item": forms.one(form, "service_item"),
                    "size": forms.one(form, "size"),
                    "recipient": _person(form),
                    "locker": forms.one(form, "locker"),
                    "second_factor": forms.one(form, "second_factor") == "yes",
                    "results": forms.lines(form, "results"),
                },
            )
        except forms.BadForm as error:
            return await self._again(visit, "outgoing.html", form, error.problems)
        reference = await self.frame.office.outgoing_item(
            body.ready(), visit.actor, _once(form, body.model_dump_json())
        )
        return RedirectResponse(f"{ROOT}/items/{reference}", 303)

    async def blank_staff(self, visit: Visit) -> Response:
        return await self._again(visit, "staff.html", {}, ())

    async def staff(self, visit: Visit) -> Response:
        form: Form = {}
        try:
            form = await self.frame.form(visit)
            body = forms.read(
                StaffIn,
                {
                    "staff": forms.one(form, "staff"),
                    "name": forms.one(form, "name"),
                    "roles": form.get("roles", []),
                    "pin": forms.one(form, "pin"),
                    "lockers": form.get("lockers", []),
                },
            )
        except forms.BadForm as error:
            return await self._again(visit, "staff.html", form, error.problems)
        badge = await self.frame.office.enrol_staff(
            body.enrolment(), visit.actor, _once(form, body.model_dump_json())
        )
        values = {"person": body, **_drawn(badge)}
        return self.frame.page(visit, "badge.html", values)

    async def _again(self, visit: Visit, template: str, form: Form, problems: Sequence[str]) -> Response:
        """The form, filled in as it was; a PIN is typed anew."""

        def look(connection: Connection) -> tuple[list[str], Sequence[Row[Any]]]:
            return intake.locker_names(connection, visit), departments.of_area(connection, visit.actor)

        lockers, living = await self.frame.office.store.read(look)
        values = {
            "lockers": lockers,
            "departments": living,
            "form": {name: entries for name, entries in form.items() if name != "pin"},
            "problems": problems,
            "once": self.frame.office.desk.chance.new_id(),
        }
        return self.frame.page(visit, template, values, status=422 if problems else 200)


def _person(form: Form) -> dict[str, str]:
    return {"name": forms.one(form, "name"), "phone": forms.one(form, "phone")}


def _once(form: Form, body: str) -> Repeatable:
    """A form sent twice, by a nervous finger or a reload, is done once."""
    return Repeatable(f"console/{forms.one(form, 'once')[:32]}" if forms.one(form, "once") else "", body)


def _drawn(digits: str) -> dict[str, str]:
    return {"code": Markup(qr.svg(digits)), "digits": digits}  # noqa: S704  # our own drawing of our own digits
