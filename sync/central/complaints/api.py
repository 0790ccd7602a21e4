"""Complaints, ratings and solutions under `/api/v1`."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Query

from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import SEQ_MAX, IdempotencyKey
from sync.central.complaints import listing, ratings, solutions
from sync.central.complaints import models as m
from sync.central.complaints.listing import Wanted, Which
from sync.central.complaints.ratings import Rated
from sync.central.complaints.register import Origin
from sync.central.complaints.room import Room
from sync.central.complaints.states import Move
from sync.central.office import Office, Repeatable
from sync.central.paging import Listed, WhichPage

ComplaintPath = Annotated[str, Path(pattern=r"^[a-z2-7]{16}$")]


def add(app: FastAPI, office: Office, gate: Gate) -> None:
    """To the application that `sync.central.api` has built."""
    api, room = APIRouter(prefix="/api/v1"), Room(office)
    _add_complaints(api, room, gate)
    _add_solutions(api, room, gate)
    _add_ratings(api, room, gate)
    app.include_router(api)


def _add_complaints(api: APIRouter, room: Room, gate: Gate) -> None:
    opens = Depends(gate.allowed(Action.OPEN_TICKET))
    sees = Depends(gate.allowed(Action.SEE_TICKETS))
    works = Depends(gate.allowed(Action.WORK_TICKET))
    gives_up = Depends(gate.allowed(Action.CLOSE_TICKET_UNSATISFIED))
    office = room.office

    @api.post("/complaints", status_code=201)
    async def register(
        body: m.ComplaintIn, actor: Annotated[Actor, opens], idempotency_key: IdempotencyKey = ""
    ) -> m.Registered:
        """Somebody could not get it done. Its deadline follows from its category."""
        repeatable = Repeatable(idempotency_key, body.model_dump_json())
        return m.Registered(complaint=await room.register(body.complaint(), actor, Origin.API, repeatable))

    @api.get("/complaints")
    async def listed(
        actor: Annotated[Actor, sees],
        page: WhichPage,
        which: Which = Which.OPEN,
        category: Annotated[str, Query(pattern=r"^[a-z_]{0,24}$")] = "",
        locker: Annotated[str, Query(pattern=r"^[a-z0-9-]{0,24}$")] = "",
        reference: Annotated[str, Query(pattern=r"^[^\x00]{0,40}$")] = "",
    ) -> Listed[m.ComplaintOut]:
        """The latest first. ``reference``: as it stood on the screen of a kiosk, ``hall-1 · 7`` or ``7``."""
        wanted = Wanted(which, category, locker, reference)
        query = listing.asked(actor, wanted, office.desk.clock.wall_ms())
        found = await office.store.read(lambda c: listing.ORDER.page(c, office.desk, query, page))
        return found.told(m.complaint_out)

    @api.get("/complaints/{complaint}")
    async def one(complaint: ComplaintPath, actor: Annotated[Actor, sees]) -> m.ComplaintDetail:
        """With every step of it."""

        def look(connection: Any) -> m.ComplaintDetail:
            row = listing.one(connection, actor, complaint)
            return m.detail_out(row, listing.history(connection, complaint))

        return await office.store.read(look)

    @api.post("/complaints/{complaint}/moves", status_code=201)
    async def move(complaint: ComplaintPath, body: m.MoveIn, actor: Annotated[Actor, works]) -> m.Moved:
        """Take it, resolve it, write down what the applicant says."""
        state = await room.move(complaint, Move(body.move), actor, body.note, body.assignee)
        return m.Moved(complaint=complaint, state=state)

    @api.post("/complaints/{complaint}/giving-up", status_code=201)
    async def give_up(
        complaint: ComplaintPath, body: m.GiveUpIn, actor: Annotated[Actor, gives_up]
    ) -> m.Moved:
        """Close it unsatisfied: after three calls on three days, with the reason. It is counted apart."""
        state = await room.move(complaint, Move.GIVE_UP, actor, body.reason)
        return m.Moved(complaint=complaint, state=state)


def _add_solutions(api: APIRouter, room: Room, gate: Gate) -> None:
    sees = Depends(gate.allowed(Action.SEE_TICKETS))
    publishes = Depends(gate.allowed(Action.PUBLISH_SOLUTION))
    office = room.office

    @api.get("/solutions")
    async def found(
        actor: Annotated[Actor, sees],  # noqa: ARG001  # whoever sees complaints; they are about nobody
        words: Annotated[str, Query(max_length=solutions.QUERY_CHARACTERS_MAX)] = "",
        category: Annotated[str, Query(pattern=r"^[a-z_]{0,24}$")] = "",
    ) -> list[m.SolutionOut]:
        """Those in which every word stands, at most 50, the latest first."""
        rows = await office.store.read(lambda c: solutions.found(c, words, category))
        return [m.solution_out(row) for row in rows]

    @api.post("/solutions", status_code=201)
    async def publish(body: m.SolutionIn, actor: Annotated[Actor, publishes]) -> dict[str, str]:
        """What was learnt from a complaint that ended well. Numbers of people are refused."""
        return {"solution": await room.publish(body.complaint, body.title, body.text, actor)}

    @api.delete("/solutions/{solution}", status_code=204)
    async def withdraw(solution: ComplaintPath, actor: Annotated[Actor, publishes]) -> None:
        await room.withdraw(solution, actor)


def _add_ratings(api: APIRouter, room: Room, gate: Gate) -> None:
    rates = Depends(gate.allowed(Action.RATE_VISIT))
    sees = Depends(gate.allowed(Action.SEE_RATINGS))
    office = room.office

    @api.post("/ratings", status_code=201)
    async def rate(
        body: m.RatingIn, actor: Annotated[Actor, rates], idempotency_key: IdempotencyKey = ""
    ) -> dict[str, int]:
        """What an applicant said on the city's own page. The two lowest grades open a complaint."""
        repeatable = Repeatable(idempotency_key, body.model_dump_json())
        rated = Rated(body.kind, body.reference)
        return {"number": int(await room.rate(rated, body.grade, body.text, actor, repeatable))}

    @api.get("/ratings")
    async def listed(
        actor: Annotated[Actor, sees],
        page: WhichPage,
        since_ms: Annotated[int, Query(ge=0, le=SEQ_MAX)] = 0,
    ) -> Listed[m.RatingOut]:
        """The oldest first, for the city's evaluation platform: go on with ``next``, or its last time."""
        query = ratings.listed(actor, office.desk.clock.wall_ms(), since_ms)
        found = await office.store.read(lambda c: ratings.ORDER.page(c, office.desk, query, page))
        return found.told(m.rating_out)
