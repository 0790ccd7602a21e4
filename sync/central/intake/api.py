"""A case at the office under `/api/v1`: working lists, supplement requests, deferred papers, decisions."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Path
from sqlalchemy import Connection

from locker.domain.compartment import Size
from sync.central import cases
from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import CasePath, IdempotencyKey, time_of
from sync.central.desk import Refusal, Refused
from sync.central.intake import lists, owed, stages
from sync.central.intake import models as m
from sync.central.intake.counter import Counter
from sync.central.intake.lists import Docket, TopUps, Wanted
from sync.central.intake.owed import Place
from sync.central.intake.stages import Kind, State, Verdict
from sync.central.notices import TRUSTED
from sync.central.office import Repeatable
from sync.central.onward import lists as items
from sync.central.paging import Listed, WhichPage

OwedPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,32}$")]
StateQuery = State | Literal[""]


def add(app: FastAPI, counter: Counter, gate: Gate) -> None:
    """To the application that `sync.central.api` has built."""
    api = APIRouter(prefix="/api/v1")
    _add_lists(api, counter, gate)
    _add_case(api, counter, gate)
    _add_owed(api, counter, gate)
    app.include_router(api)


def _add_lists(api: APIRouter, counter: Counter, gate: Gate) -> None:
    sees = Depends(gate.allowed(Action.SEE_CASES))
    office = counter.office

    @api.get("/awaiting-intake")
    async def awaiting(
        actor: Annotated[Actor, sees], page: WhichPage, locker: m.LockerQuery = "", text: m.TextQuery = ""
    ) -> Listed[m.AwaitingOut]:
        """What lies in the lockers for helpers to take out, the oldest first."""
        wanted = Wanted(locker=locker, text=text)
        found = await office.store.read(lambda c: lists.awaiting(c, office.desk, actor, wanted, page))
        return found.told(_awaiting)

    def owed_list(path: str, kind: Kind) -> None:
        @api.get(path, operation_id=f"list_{kind}")
        async def listed(
            actor: Annotated[Actor, sees],
            page: WhichPage,
            state: StateQuery = "",
            locker: m.LockerQuery = "",
            text: m.TextQuery = "",
        ) -> Listed[m.OwedOut]:
            """Open ones, the soonest due first; of one state, with ``state``."""
            wanted = Wanted(locker, str(state), text)
            found = await office.store.read(lambda c: lists.owed(c, office.desk, actor, kind, wanted, page))
            return found.told(lambda row: m.OwedOut(**_owed(row)))

    owed_list("/supplements", Kind.SUPPLEMENT)
    owed_list("/deferrals", Kind.DEFERRED)


def _add_case(api: APIRouter, counter: Counter, gate: Gate) -> None:
    sees = Depends(gate.allowed(Action.SEE_CASE))
    checks = Depends(gate.allowed(Action.CHECK_CASE))
    decides = Depends(gate.allowed(Action.DECIDE_CASE))
    office = counter.office

    @api.get("/cases/{case}")
    async def one(case: CasePath, actor: Annotated[Actor, sees]) -> m.DocketOut:
        """How it stands: what was found and decided, what is owed to it. (Its steps: the trail.)"""

        def look(connection: Connection) -> tuple[Docket, list[Any]]:
            return lists.docket(connection, actor, case), items.of_case(connection, actor, case)

        docket, own = await office.store.read(look)
        if not (docket.rights or own):
            raise Refused(Refusal.UNKNOWN_CASE, f"nothing is known of case {case!r}")
        return _docket(docket, own, office.desk.clock.wall_ms())

    @api.post("/cases/{case}/checks", status_code=204)
    async def check(case: CasePath, body: m.FindingIn, actor: Annotated[Actor, checks]) -> None:
        """The window's own check of what a helper brought."""
        await counter.find(case, Verdict(body.finding), body.remark, actor)

    @api.post("/cases/{case}/decisions", status_code=204)
    async def decide(case: CasePath, body: m.DecisionIn, actor: Annotated[Actor, decides]) -> None:
        """Accepted, returned or rejected; what the case was asked for ends with it."""
        require_reason(body)
        await counter.decide(case, Verdict(body.decision), body.reason, body.came, actor)

    @api.post("/cases/{case}/supplements", status_code=201)
    async def supplement(
        case: CasePath,
        body: m.MissingIn,
        actor: Annotated[Actor, checks],
        idempotency_key: IdempotencyKey = "",
    ) -> m.OwedDetail:
        """Ask for everything that is missing, once; the applicant gets the list, the day and what follows."""
        repeatable = Repeatable(idempotency_key, case + body.model_dump_json())
        made = await counter.request(counter.supplement(case, body), actor, repeatable)
        return await _look(counter, made, actor)

    @api.post("/cases/{case}/deferrals", status_code=201)
    async def deferral(
        case: CasePath,
        body: m.DeferralIn,
        actor: Annotated[Actor, checks],
        idempotency_key: IdempotencyKey = "",
    ) -> m.OwedDetail:
        """Write down what the applicant has promised in writing to bring later: before acceptance."""
        repeatable = Repeatable(idempotency_key, case + body.model_dump_json())
        made = await counter.request(counter.deferral(case, body), actor, repeatable)
        return await _look(counter, made, actor)


def _add_owed(api: APIRouter, counter: Counter, gate: Gate) -> None:
    sees = Depends(gate.allowed(Action.SEE_CASE))
    checks = Depends(gate.allowed(Action.CHECK_CASE))
    decides = Depends(gate.allowed(Action.DECIDE_CASE))
    authorises = Depends(gate.allowed(Action.AUTHORISE))
    office = counter.office

    @api.get("/owed/{owed}")
    async def one(owed: OwedPath, actor: Annotated[Actor, sees]) -> m.OwedDetail:
        """A supplement request or a deferral, with the authorisations that top it up."""
        return await _look(counter, owed, actor)

    @api.post("/owed/{owed}/top-ups", status_code=201)
    async def top_up(
        owed: OwedPath,
        body: m.TopUpIn,
        actor: Annotated[Actor, authorises],
        idempotency_key: IdempotencyKey = "",
    ) -> m.TopUpMade:
        """A right to hand in what still lacks: an authorisation on the same case."""
        repeatable = Repeatable(idempotency_key, owed + body.model_dump_json())
        place = Place(body.locker, Size[body.size], body.valid_hours)
        made = await counter.top_up(owed, place, actor, repeatable)
        row = await office.store.read(lambda c: scope.authorisation_row(c, actor, made))
        return m.TopUpMade(authorisation=made, token=cases.token_of(office.desk, row))

    @api.post("/owed/{owed}/checks")
    async def check(owed: OwedPath, body: m.OwedCheckIn, actor: Annotated[Actor, checks]) -> m.OwedDetail:
        """Which of its papers are in order; it ends when all are."""
        await counter.check(owed, frozenset(body.in_order), actor)
        return await _look(counter, owed, actor)

    @api.post("/owed/{owed}/extensions")
    async def extend(owed: OwedPath, body: m.ExtensionIn, actor: Annotated[Actor, decides]) -> m.OwedDetail:
        """More time for what still lacks. (Returned or rejected is the case: see its decisions.)"""
        await counter.extend(owed, body.until, body.reason, actor)
        return await _look(counter, owed, actor)


def require_reason(body: m.DecisionIn) -> None:
    """Raises Refused."""
    if body.decision != "accept" and not body.reason:
        raise Refused(Refusal.NO_REASON, "say why: the applicant is told")


# --- answers ------------------------------------------------------------------------------------------------


async def _look(counter: Counter, reference: str, actor: Actor) -> m.OwedDetail:
    def look(connection: Connection) -> TopUps:
        return lists.top_ups(connection, owed.owed_row(connection, actor, reference))

    found = await counter.office.store.read(look)
    return _detail(found, counter.office.desk.clock.wall_ms())


def _detail(found: TopUps, now_ms: int) -> m.OwedDetail:
    rights = [
        m.TopUpOut(
            authorisation=right.authorisation,
            locker=right.locker,
            state=cases.state_of(right, now_ms),
            valid_until=time_of(right.valid_until_ms),
            came=time_of(right.came_ms),
        )
        for right in found.rights
    ]
    return m.OwedDetail(**_owed(found.row), top_ups=rights)


def _owed(row: Any) -> dict[str, Any]:
    papers = stages.read(row.papers)
    return {
        "owed": row.owed,
        "kind": row.kind,
        "case": row.case_number,
        "service_item": row.service_item,
        "name": row.name,
        "locker": row.locker,
        "state": row.state,
        "since": time_of(row.since_ms),
        "deadline": time_of(row.deadline_ms),
        "consequence": row.consequence,
        "papers": [
            m.PaperOut(
                number=number,
                name=paper.name,
                why=paper.why,
                until=str(time_of(paper.until_ms)),
                in_order=paper.in_order,
            )
            for number, paper in enumerate(papers, 1)
        ],
        "reason": row.reason,
        "department": row.department,
        "promised_by": row.promised_by,
        "promised_how": row.promised_how,
        "promise": row.promise,
        "made": time_of(row.made_ms),
    }


def _docket(docket: Docket, own: list[Any], now_ms: int) -> m.DocketOut:
    return m.DocketOut(
        case=docket.case,
        standings=[
            m.StandingOut(
                area=row.area, standing=row.standing, remark=row.remark, who=row.who, at=time_of(row.at_ms)
            )
            for row in docket.standings
        ],
        owed=[_detail(found, now_ms) for found in docket.owed],
        authorisations=[right.authorisation for right in docket.rights],
        items=[item.item for item in own],
    )


def _awaiting(row: Any) -> m.AwaitingOut:
    return m.AwaitingOut(
        locker=row.locker,
        door=row.door,
        deposit=row.deposit,
        case=row.case_number,
        service_item=row.service_item or "",
        name=row.name or "",
        since=time_of(row.since_ms) if row.time_quality in TRUSTED else None,
        proof=row.proof,
        receipt=row.receipt,
        owed=row.owed or "",
    )
