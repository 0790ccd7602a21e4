"""What people could not get done: the list, one of them with what may be done now, and what was learnt."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row
from starlette.responses import RedirectResponse, Response

from sync.central.access.matrix import Action, may
from sync.central.complaints import listing, solutions, work
from sync.central.complaints.listing import Wanted, Which
from sync.central.complaints.models import ComplaintIn, SolutionIn
from sync.central.complaints.policy import LIMITS, Category
from sync.central.complaints.register import Origin
from sync.central.complaints.room import Room
from sync.central.complaints.states import CLOSED, NEEDS_NOTE, Move, State, offered
from sync.central.console import forms
from sync.central.console.intake import locker_names
from sync.central.console.pages import ROOT, Form, Frame, Visit
from sync.central.desk import Refusal, Refused
from sync.central.office import Repeatable

COMPLAINTS: Final = f"{ROOT}/complaints"
SOLUTIONS: Final = f"{ROOT}/solutions"
ONCE_CHARACTERS_MAX: Final = 32
TABS: Final = (Which.OPEN, Which.MINE, Which.OVERDUE, Which.TO_ASK, Which.CLOSED)


def add(frame: Frame) -> None:
    pages = _Pages(frame, Room(frame.office))
    frame.add(COMPLAINTS, Action.SEE_TICKETS, pages.every)
    frame.add(f"{COMPLAINTS}/new", Action.OPEN_TICKET, pages.blank)
    frame.add(f"{COMPLAINTS}/new", Action.OPEN_TICKET, pages.register, "POST")
    frame.add(f"{COMPLAINTS}/{{complaint}}", Action.SEE_TICKETS, pages.one)
    frame.add(f"{COMPLAINTS}/{{complaint}}/number", Action.WORK_TICKET, pages.number)
    frame.add(f"{COMPLAINTS}/{{complaint}}/moves", Action.WORK_TICKET, pages.move, "POST")
    frame.add(f"{COMPLAINTS}/{{complaint}}/giving-up", Action.CLOSE_TICKET_UNSATISFIED, pages.give_up, "POST")
    frame.add(f"{COMPLAINTS}/{{complaint}}/solution", Action.PUBLISH_SOLUTION, pages.publish, "POST")
    frame.add(SOLUTIONS, Action.SEE_TICKETS, pages.library)
    frame.add(f"{SOLUTIONS}/{{solution}}/withdrawal", Action.PUBLISH_SOLUTION, pages.withdraw, "POST")


@dataclass(frozen=True, slots=True)
class _Found:
    """One complaint with everything around it."""

    row: Row[Any]
    steps: Sequence[Row[Any]]
    people: dict[str, str]
    call_days: int
    published: Sequence[Row[Any]]
    alike: Sequence[Row[Any]]


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame
    room: Room

    async def every(self, visit: Visit) -> Response:
        asked, now_ms = visit.request.query_params, self.frame.office.desk.clock.wall_ms()
        which = Which(asked["which"]) if asked.get("which") in set(Which) else Which.OPEN
        category = asked.get("category", "") if asked.get("category") in set(Category) else ""
        reference = asked.get("reference", "").replace("\0", "")[:40]
        wanted = Wanted(which, category, reference=reference)

        def look(connection: Connection) -> tuple[Sequence[Row[Any]], Any]:
            found = listing.listed(connection, visit.actor, wanted, now_ms)
            return found, listing.counts(connection, visit.actor, now_ms)

        found, counts = await self.frame.office.store.read(look)
        values = {
            "complaints": found,
            "counts": counts,
            "wanted": wanted,
            "tabs": TABS,
            "categories": list(Category),
            "now_ms": now_ms,
            "may_open": may(visit.actor, Action.OPEN_TICKET),
        }
        return self.frame.page(visit, "complaints.html", values)

    async def blank(self, visit: Visit) -> Response:
        return await self._again(visit, {}, ())

    async def register(self, visit: Visit) -> Response:
        form: Form = {}
        try:
            form = await self.frame.form(visit)
            given = {name: forms.one(form, name) or None for name in ("locker", "case", "name", "phone")}
            told = {"category": forms.one(form, "category"), "text": _one_line(form, "text")}
            body = forms.read(ComplaintIn, {**told, **given})
        except forms.BadForm as error:
            return await self._again(visit, form, error.problems)
        once = forms.one(form, "once")[:ONCE_CHARACTERS_MAX]
        repeatable = Repeatable(f"console/{once}" if once else "", body.model_dump_json())
        reference = await self.room.register(body.complaint(), visit.actor, Origin.HALL, repeatable)
        return RedirectResponse(f"{COMPLAINTS}/{reference}", 303)

    async def one(self, visit: Visit) -> Response:
        return await self._page(visit, "")

    async def number(self, visit: Visit) -> Response:
        """The same page with the number on it, for whoever calls."""
        reference = visit.request.path_params["complaint"]
        return await self._page(visit, await self.room.number(reference, visit.actor))

    async def move(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        named = forms.one(form, "move")
        if named not in set(Move) or named == Move.GIVE_UP:
            raise forms.BadForm(["form"])
        return await self._moved(visit, Move(named), form)

    async def give_up(self, visit: Visit) -> Response:
        return await self._moved(visit, Move.GIVE_UP, await self.frame.form(visit))

    async def publish(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        reference = visit.request.path_params["complaint"]
        told = {name: _one_line(form, name) for name in ("title", "text")}
        body = forms.read(SolutionIn, {"complaint": reference, **told})
        await self.room.publish(reference, body.title, body.text, visit.actor)
        return RedirectResponse(f"{COMPLAINTS}/{reference}", 303)

    async def library(self, visit: Visit) -> Response:
        asked = visit.request.query_params
        words = asked.get("words", "")[: solutions.QUERY_CHARACTERS_MAX]
        category = asked.get("category", "") if asked.get("category") in set(Category) else ""
        found = await self.frame.office.store.read(lambda c: solutions.found(c, words, category))
        values = {
            "found": found,
            "words": words,
            "category": category,
            "categories": list(Category),
            "may_publish": may(visit.actor, Action.PUBLISH_SOLUTION),
        }
        return self.frame.page(visit, "solutions.html", values)

    async def withdraw(self, visit: Visit) -> Response:
        await self.frame.form(visit)
        await self.room.withdraw(visit.request.path_params["solution"], visit.actor)
        return RedirectResponse(SOLUTIONS, 303)

    async def _moved(self, visit: Visit, move: Move, form: Form) -> Response:
        reference = visit.request.path_params["complaint"]
        note, assignee = _one_line(form, "note"), forms.one(form, "assignee")
        try:
            await self.room.move(reference, move, visit.actor, note, assignee)
        except Refused as error:
            if error.reason is Refusal.UNKNOWN_COMPLAINT:
                raise
            return await self._page(visit, "", error.reason)
        return RedirectResponse(f"{COMPLAINTS}/{reference}", 303)

    async def _page(self, visit: Visit, number: str, refused: str = "") -> Response:
        desk, actor = self.frame.office.desk, visit.actor
        reference = visit.request.path_params["complaint"]

        def look(connection: Connection) -> _Found:
            row = listing.one(connection, actor, reference)
            return _Found(
                row,
                listing.history(connection, reference),
                dict(listing.assignable(connection, row.area)),
                work.call_days(connection, row, desk.utc_offset_minutes),
                solutions.of(connection, reference),
                solutions.found(connection, "", row.category)[:5],
            )

        found = await self.frame.office.store.read(look)
        state, known = State(found.row.state), bool(found.row.contact_sealed)
        learnt = state is State.SATISFIED and not found.published
        values = {
            "row": found.row,
            "found": found,
            "context": json.loads(found.row.context),
            "moves": offered(state, actor, found.call_days, callable_=known),
            "needs_note": NEEDS_NOTE,
            "closed": state in CLOSED,
            "number": number,
            "may_call": known and state not in CLOSED and may(actor, Action.WORK_TICKET),
            "may_publish": learnt and may(actor, Action.PUBLISH_SOLUTION),
            "refused": refused,
            "me": actor.who,
            "now_ms": desk.clock.wall_ms(),
            "limit": LIMITS[Category(found.row.category)],
        }
        return self.frame.page(visit, "complaint.html", values, 409 if refused else 200)

    async def _again(self, visit: Visit, form: Form, problems: Sequence[str]) -> Response:
        office = self.frame.office
        values = {
            "lockers": await office.store.read(lambda c: locker_names(c, visit)),
            "categories": [
                (each, LIMITS[each].hours) for each in Category if each is not Category.LOW_RATING
            ],
            "form": form,
            "problems": problems,
            "once": office.desk.chance.new_id(),
        }
        return self.frame.page(visit, "complaint_new.html", values, 422 if problems else 200)


def _one_line(form: Form, name: str) -> str:
    return " ".join(forms.lines(form, name))
