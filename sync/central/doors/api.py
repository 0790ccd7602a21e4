"""Under `/api/v1`: doors barred from afar, and what became of what a locker was told."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path
from pydantic import BaseModel
from sqlalchemy import Connection

from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import NamePath
from sync.central.api_models import Strict, Text120
from sync.central.doors import bars
from sync.central.doors.life import Life, State, lives
from sync.central.office import Office
from sync.central.paging import Listed, Page, WhichPage

DoorPath = Annotated[int, Path(ge=1, le=1000)]


class BarIn(Strict):
    reason: Text120


class LifeOut(BaseModel):
    dn_epoch: str
    seq: int
    kind: str
    about: dict[str, str | int]
    state: State
    why: str
    made_ms: int
    told_ms: int
    """0 before its outcome was heard."""


def add(app: FastAPI, office: Office, gate: Gate) -> None:
    """To the application that `sync.central.api` has built."""
    api = APIRouter(prefix="/api/v1")
    directs = Depends(gate.allowed(Action.DIRECT_LOCKER))
    sees = Depends(gate.allowed(Action.SEE_LOCKER))

    @api.put("/lockers/{locker}/doors/{door}/bar", status_code=204)
    async def bar(locker: NamePath, door: DoorPath, body: BarIn, actor: Annotated[Actor, directs]) -> None:
        """Nothing new goes into it. What lies in it is collected as ever."""
        await bars.bar(office, actor, locker, door, body.reason)

    @api.delete("/lockers/{locker}/doors/{door}/bar", status_code=204)
    async def unbar(locker: NamePath, door: DoorPath, actor: Annotated[Actor, directs]) -> None:
        await bars.unbar(office, actor, locker, door)

    @api.get("/lockers/{locker}/directives")
    async def directives(locker: NamePath, actor: Annotated[Actor, sees], page: WhichPage) -> Listed[LifeOut]:
        """What it was told and what it made of it, the latest first."""

        def look(connection: Connection) -> Page[Life]:
            row = scope.locker_row(connection, actor, locker)
            return lives(connection, office.desk, row, office.pump.sent_to(locker), page)

        return (await office.store.read(look)).told(_out)

    app.include_router(api)


def _out(life: Life) -> LifeOut:
    return LifeOut(
        dn_epoch=life.dn_epoch,
        seq=life.seq,
        kind=life.kind,
        about=dict(life.about),
        state=life.state,
        why=life.why,
        made_ms=life.made_ms,
        told_ms=life.told_ms,
    )
