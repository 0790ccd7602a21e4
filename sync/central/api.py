"""The hub's JSON API, for a city's case system and for tools: `/api/v1`, bearer key, problem details."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from sync.central import api_models as m
from sync.central import cases, queries
from sync.central.access import gate as access
from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.desk import Refusal, Refused
from sync.central.guard import Limits, problem
from sync.central.intake import trail as trails
from sync.central.office import Office, Repeatable
from sync.central.paging import CURSOR_CHARACTERS_MAX, Keyset

STATUS: Final = {
    Refusal.UNKNOWN_LOCKER: 404,
    Refusal.UNKNOWN_AUTHORISATION: 404,
    Refusal.UNKNOWN_ITEM: 404,
    Refusal.UNKNOWN_CASE: 404,
    Refusal.UNKNOWN_ALARM: 404,
    Refusal.UNKNOWN_STAFF: 404,
    Refusal.ITEM_EXISTS: 409,
    Refusal.NO_LOCATOR: 409,
    Refusal.KEY_REUSED: 409,
    Refusal.SHOWN_ONCE: 409,
    Refusal.STAFF_ELSEWHERE: 409,
    Refusal.UNKNOWN_ACT: 404,
    Refusal.NOT_APPROVABLE: 409,
    Refusal.UNFIT: 422,
    Refusal.UNKNOWN_SLIP: 404,
    Refusal.UNKNOWN_DIFFERENCE: 404,
    Refusal.NOT_HELD: 409,
    Refusal.SAME_PERSON: 409,
    Refusal.SLIP_CLOSED: 409,
    Refusal.UNKNOWN_PLACE: 404,
    Refusal.PLACE_EXISTS: 409,
    Refusal.NOT_YOURS: 403,
    Refusal.UNKNOWN_OWED: 404,
    Refusal.ASKED_ALREADY: 409,
    Refusal.NO_COMMITMENT: 409,
    Refusal.NO_CONTACT: 409,
    Refusal.NOT_NOW: 409,
    Refusal.BAD_DAY: 422,
    Refusal.NO_REASON: 422,
    Refusal.STILL_INSIDE: 409,
    Refusal.NO_TRACKING: 422,
    Refusal.BAD_CURSOR: 422,
    Refusal.UNKNOWN_MESSAGE: 404,
    Refusal.UNKNOWN_WEBHOOK: 404,
    Refusal.UNKNOWN_DELIVERY: 404,
    Refusal.UNKNOWN_UPLOAD: 404,
    Refusal.UNKNOWN_ENTRUSTMENT: 404,
    Refusal.TOO_OFTEN: 429,
    Refusal.UNKNOWN_BOOKING: 404,
    Refusal.BOOKED_ALREADY: 409,
    Refusal.RIGHT_OVER: 409,
    Refusal.BAD_SLOT: 422,
    Refusal.NO_ROOM: 409,
    Refusal.LOCKER_AWAY: 409,
    Refusal.UNKNOWN_COMPLAINT: 404,
    Refusal.UNKNOWN_SOLUTION: 404,
    Refusal.UNKNOWN_VISIT: 404,
    Refusal.NOT_MOVABLE: 409,
    Refusal.NOTE_LACKING: 422,
    Refusal.TOO_FEW_CALLS: 409,
    Refusal.NOT_ASSIGNABLE: 422,
    Refusal.HOLDS_NUMBERS: 422,
    Refusal.ALREADY_RATED: 409,
    Refusal.UNKNOWN_AREA: 404,
    Refusal.WHOLE_FLEET: 403,
    Refusal.CHANGED_MEANWHILE: 409,
    Refusal.NO_AUTHORITY: 409,
    Refusal.LOCKER_ELSEWHERE: 409,
}
TITLE: Final = "DocLocker hub"
ROWS_MAX: Final = 1000
LEDGER: Final = Keyset("ledger")
SEQ_MAX: Final = 2**63 - 1

IdempotencyKey = Annotated[str, Header(alias="Idempotency-Key", max_length=128, pattern=r"^[!-~]*$")]
CasePath = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,24}$")]
NamePath = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,32}$")]
Problems = Callable[[Request, Any], Any]


class Application(FastAPI):
    """Takes a router's routes as they are: FastAPI would work each out again, at the first request."""

    def include_router(self, router: APIRouter) -> None:  # type: ignore[override]  # nothing is said on the way
        self.router.routes.extend(router.routes)


def build(office: Office, gate: Gate, url: str, health: Callable[[], tuple[bool, dict[str, int]]]) -> FastAPI:
    """The application without the console. ``health``: is the broker there, and what was dropped so far."""
    app = Application(
        title=TITLE, version="1", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )
    app.add_middleware(Limits)
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)

    @app.get("/healthz")
    async def healthz() -> m.Health:
        broker, dropped = health()
        return m.Health(ok=True, broker=broker, dropped=dropped)

    api = APIRouter(prefix="/api/v1")
    _add_cases(api, office, gate)
    _add_items(api, office, gate, url)
    _add_staff(api, office, gate)
    _add_lockers(api, office, gate)
    app.include_router(api)
    return app


# --- cases -------------------------------------------------------------------------------------------------


def _add_cases(api: APIRouter, office: Office, gate: Gate) -> None:
    authorises = Depends(gate.allowed(Action.AUTHORISE))
    sees_authorisation = Depends(gate.allowed(Action.SEE_AUTHORISATION))
    sees_case = Depends(gate.allowed(Action.SEE_CASE))

    @api.post("/pre-reviews", status_code=201)
    async def passed(
        body: m.PreReviewIn, actor: Annotated[Actor, authorises], idempotency_key: IdempotencyKey = ""
    ) -> m.Authorised:
        """A case passed pre-review: it may be handed in. The typed code goes to the applicant by message."""
        repeatable = Repeatable(idempotency_key, body.model_dump_json())
        row = await office.pre_review(body.passed(), actor, repeatable)
        return m.Authorised(
            authorisation=row.authorisation,
            case=row.case_number,
            locker=row.locker,
            state=cases.state_of(row, office.desk.clock.wall_ms()),
            valid_from=_required_time(row.valid_from_ms),
            valid_until=_required_time(row.valid_until_ms),
            token=cases.token_of(office.desk, row),
        )

    @api.get("/authorisations/{authorisation}")
    async def authorisation(
        authorisation: NamePath, actor: Annotated[Actor, sees_authorisation]
    ) -> m.AuthorisationOut:
        row = await office.store.read(lambda c: scope.authorisation_row(c, actor, authorisation))
        return m.AuthorisationOut(
            authorisation=row.authorisation,
            case=row.case_number,
            service_item=row.service_item,
            papers=json.loads(row.papers),
            deferred=json.loads(row.deferred),
            size=row.size,
            locker=row.locker,
            name=row.name,
            phone=row.phone,
            state=cases.state_of(row, office.desk.clock.wall_ms()),
            valid_from=_required_time(row.valid_from_ms),
            valid_until=_required_time(row.valid_until_ms),
        )

    @api.get("/cases/{case}/trail")
    async def trail(case: CasePath, actor: Annotated[Actor, sees_case]) -> m.Trail:
        """Everything that is known of a case, in order."""
        found = await office.store.read(lambda c: trails.trail(c, actor, case))
        return m.Trail(
            case=case,
            steps=[_step(told) for told in found.steps],
            doubts=[m.DoubtOut(locker=d.locker, why=d.why, count=d.count) for d in found.doubts],
        )


def _step(told: trails.Told) -> m.StepOut:
    step, moment = told.step, told.moment
    return m.StepOut(
        at=time_of(moment.at_ms),
        clock=moment.clock,
        not_before=time_of(moment.not_before_ms),
        not_after=time_of(moment.not_after_ms),
        lacking_before=told.lacking_before,
        source=step.source,
        kind=step.kind,
        actor=step.actor,
        detail=dict(step.detail),
        epoch=step.epoch,
        seq=step.seq,
        hash=step.hash,
    )


# --- outgoing items ----------------------------------------------------------------------------------------


def _add_items(api: APIRouter, office: Office, gate: Gate, url: str) -> None:
    announces = Depends(gate.allowed(Action.ANNOUNCE_ITEM))
    sees_item = Depends(gate.allowed(Action.SEE_ITEM))

    @api.post("/outgoing-items", status_code=201)
    async def announce(
        body: m.OutgoingIn, actor: Annotated[Actor, announces], idempotency_key: IdempotencyKey = ""
    ) -> m.Announced:
        """A result is ready to be loaded: print its label, or make one of ``label_token``."""
        repeatable = Repeatable(idempotency_key, body.model_dump_json())
        item = await office.outgoing_item(body.ready(), actor, repeatable)
        row = await office.store.read(lambda c: scope.item_row(c, actor, item))
        token = cases.token_of(office.desk, row)
        return m.Announced(**_item(row), label_url=f"{url}/console/items/{item}/label", label_token=token)

    @api.get("/outgoing-items/{item}")
    async def item(item: NamePath, actor: Annotated[Actor, sees_item]) -> m.ItemOut:
        return m.ItemOut(**_item(await office.store.read(lambda c: scope.item_row(c, actor, item))))


def _item(row: Any) -> dict[str, Any]:
    return {
        "item": row.item,
        "case": row.case_number,
        "service_item": row.service_item,
        "results": json.loads(row.results),
        "size": row.size,
        "locker": row.locker,
        "name": row.name,
        "phone": row.phone,
        "second_factor": row.second_factor,
        "state": row.state,
    }


# --- staff -------------------------------------------------------------------------------------------------


def _add_staff(api: APIRouter, office: Office, gate: Gate) -> None:
    enrols = Depends(gate.allowed(Action.ENROL_STAFF))
    revokes = Depends(gate.allowed(Action.REVOKE_STAFF))

    @api.post("/staff", status_code=201)
    async def enrol(
        body: m.StaffIn, actor: Annotated[Actor, enrols], idempotency_key: IdempotencyKey = ""
    ) -> m.Badge:
        """Enrol, or enrol again with a new badge and PIN. The badge is returned this once, to be printed."""
        repeatable = Repeatable(idempotency_key, body.model_dump_json())
        return m.Badge(staff=body.staff, badge=await office.enrol_staff(body.enrolment(), actor, repeatable))

    @api.delete("/staff/{staff}", status_code=204)
    async def revoke(staff: NamePath, actor: Annotated[Actor, revokes]) -> None:
        """Their badge opens nothing any more at your lockers, as soon as each has heard of it."""
        await office.revoke_staff(staff, actor)


# --- lockers -----------------------------------------------------------------------------------------------


def _add_lockers(api: APIRouter, office: Office, gate: Gate) -> None:
    sees_locker = Depends(gate.allowed(Action.SEE_LOCKER))
    sees_ledger = Depends(gate.allowed(Action.SEE_LEDGER))
    resolves = Depends(gate.allowed(Action.RESOLVE_LOCKER))

    @api.get("/lockers/{locker}")
    async def locker(locker: NamePath, actor: Annotated[Actor, sees_locker]) -> m.LockerDetail:
        now_ms = office.desk.clock.wall_ms()

        def look(connection: Any) -> tuple[queries.Overview, Any, Any]:
            scope.locker_row(connection, actor, locker)
            view = queries.overview(connection, locker, now_ms)
            return view, queries.tickets(connection, locker), queries.alarms(connection, locker)

        view, tickets, troubles = await office.store.read(look)
        return m.LockerDetail(
            **_locker(view),
            dropped=dict(view.dropped),
            snapshot=dict(view.snapshot),
            compartments=[_door(door) for door in view.doors],
            tickets=[
                m.TicketOut(seq=t.seq, kind=t.kind, door=t.door, deposit=t.deposit, at=time_of(t.at_ms))
                for t in tickets
            ],
            troubles=[
                m.TroubleOut(
                    kind=t.kind, subject=t.subject, detail=t.detail, count=t.count, last=time_of(t.last_ms)
                )
                for t in troubles
            ],
        )

    @api.post("/lockers/{locker}/epochs/{epoch}/confirmation", status_code=204)
    async def confirm(
        locker: NamePath,
        epoch: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
        actor: Annotated[Actor, resolves],
    ) -> None:
        """Somebody has seen that the card with this epoch is the true one: acts are done there again."""
        await office.confirm_history(locker, epoch, actor)

    @api.get("/lockers/{locker}/ledger")
    async def ledger(
        locker: NamePath,
        actor: Annotated[Actor, sees_ledger],
        after: Annotated[int, Query(ge=0, le=SEQ_MAX)] = 0,
        limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 200,
        epoch: Annotated[str, Query(pattern=r"^([0-9a-f]{32})?$")] = "",
        cursor: Annotated[str, Query(max_length=CURSOR_CHARACTERS_MAX)] = "",
    ) -> m.LedgerPage:
        """A locker's journal as it is stored here; of its latest epoch unless another is named.

        ``cursor`` goes on where a page ended, in its epoch; ``after`` begins behind any entry.
        """
        start = LEDGER.position(office.desk, cursor) or [epoch, after]

        def look(connection: Any) -> dict[str, Any]:
            scope.locker_row(connection, actor, locker)
            return queries.ledger(connection, locker, str(start[0]), int(start[1]), limit)

        found = await office.store.read(look)
        last = found["rows"][-1]["seq"] if found["rows"] else found["stored_to"]
        more = last < found["stored_to"]
        onward = LEDGER.cursor(office.desk, [found["epoch"], last]) if more else None
        return m.LedgerPage(**found, next=onward)


def _locker(view: queries.Overview) -> dict[str, Any]:
    return {
        "locker": view.locker,
        "area": view.area,
        "presence": view.presence,
        "last_heard": time_of(view.last_heard_ms),
        "software": view.software,
        "epoch": view.epoch,
        "head": view.head,
        "stored_to": view.stored_to,
        "unsynced": view.unsynced,
        "dn_head": view.dn_head,
        "dn_stored_to": view.dn_stored_to,
        "rooms": {size: m.RoomOut(**room) for size, room in view.room().items()},
        "alarms": view.alarms,
    }


def _door(door: queries.Door) -> m.DoorOut:
    return m.DoorOut(
        number=door.number,
        cabinet=door.cabinet,
        size=door.size,
        row=door.row,
        column=door.column,
        status=door.status,
        position=door.position,
        item=door.item,
        doubt=door.doubt,
        fault=door.fault,
        blocked=door.blocked,
        case=door.case,
        phase=door.phase,
        since=time_of(door.since_ms),
        overdue=door.overdue,
    )


# --- how things are told -----------------------------------------------------------------------------------


def time_of(wall_ms: int) -> str | None:
    """RFC 3339 in UTC; None for no time, or one that no calendar holds."""
    try:
        return (
            datetime.fromtimestamp(wall_ms / 1000, UTC).isoformat(timespec="milliseconds")
            if wall_ms
            else None
        )
    except (OverflowError, ValueError, OSError):
        return None


def _required_time(wall_ms: int) -> str:
    return time_of(wall_ms) or ""


async def _on_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Where and why, never what: the value may be a phone number."""
    errors = [
        {"where": ".".join(map(str, entry["loc"])), "why": str(entry["msg"])} for entry in error.errors()
    ]
    return problem(422, "invalid", "the request does not fit; nothing was changed", errors[:20])


async def _on_refused(_request: Request, error: Refused) -> JSONResponse:
    return problem(STATUS[error.reason], error.reason, error.detail)


async def _on_http(_request: Request, error: HTTPException) -> JSONResponse:
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, "http", str(error.detail), headers=headers)


_HANDLERS: Final[dict[type[Exception], Problems]] = {
    RequestValidationError: _on_invalid,
    Refused: _on_refused,
    HTTPException: _on_http,
    **access.HANDLERS,
}
