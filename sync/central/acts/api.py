"""Acts under `/api/v1`: asked for by one person, approved by two others, seen by whoever sees the locker."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Path, Query
from pydantic import BaseModel, Field

from locker.domain.acts import ActKind
from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.acts.approvals import State, Thing
from sync.central.acts.sending import LISTED_MAX, Acts, View, Wish
from sync.central.api_models import LockerName, Strict, Text120

ActPath = Annotated[str, Path(pattern=r"^[a-z2-7]{16}$")]
Door = Annotated[int, Field(ge=0, le=1000)]


class ActIn(Strict):
    locker: LockerName
    kind: Literal["open", "self_test"]
    door: Door = 0
    reason: Text120

    def wish(self) -> Wish:
        return Wish(self.locker, ActKind(self.kind), self.door, self.reason)


class ApprovalIn(Strict):
    """What the approver looked at, word for word: agreeing to anything else counts for nothing."""

    locker: LockerName
    door: Door
    reason: Text120
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]

    def thing(self) -> Thing:
        return Thing(self.locker, self.door, self.reason, self.nonce)


class ActOut(BaseModel):
    act: str
    locker: str
    kind: str
    door: int
    reason: str
    nonce: str
    case: str
    requested_by: str
    requested_ms: int
    approvers: list[str]
    agreed_ms: int
    """The second approval; 0 before."""
    state: State
    why: str
    since_ms: int


def add(app: FastAPI, acts: Acts, gate: Gate) -> None:
    """To the application that `sync.central.api` has built."""
    api = APIRouter(prefix="/api/v1")
    asks = Depends(gate.allowed(Action.ASK_REMOTE_OPEN))
    approves = Depends(gate.allowed(Action.APPROVE_REMOTE_OPEN))
    sees = Depends(gate.allowed(Action.SEE_LOCKER))

    @api.post("/acts", status_code=201)
    async def request(body: ActIn, actor: Annotated[Actor, asks]) -> ActOut:
        """It waits 15 minutes for two others to approve; then it is sent at once, or refused."""
        return _out(await acts.one(await acts.request(body.wish(), actor), actor))

    @api.post("/acts/{act}/approvals", status_code=201)
    async def approve(act: ActPath, body: ApprovalIn, actor: Annotated[Actor, approves]) -> ActOut:
        return _out(await acts.approve(act, body.thing(), actor))

    @api.get("/acts")
    async def listed(
        actor: Annotated[Actor, sees],
        locker: Annotated[str, Query(pattern=r"^[a-z0-9-]{0,24}$")] = "",
        limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = LISTED_MAX,
    ) -> list[ActOut]:
        """The latest first."""
        return [_out(view) for view in await acts.listed(actor, locker, limit)]

    @api.get("/acts/{act}")
    async def one(act: ActPath, actor: Annotated[Actor, sees]) -> ActOut:
        return _out(await acts.one(act, actor))

    app.include_router(api)


def _out(view: View) -> ActOut:
    row: Any = view.row
    return ActOut(
        act=row.act,
        locker=row.locker,
        kind=row.kind,
        door=row.door,
        reason=row.reason,
        nonce=row.nonce,
        case=row.case_number,
        requested_by=row.requested_by,
        requested_ms=row.requested_ms,
        approvers=list(view.approvers),
        agreed_ms=row.agreed_ms,
        state=State(row.state),
        why=row.why,
        since_ms=row.since_ms,
    )
