"""Outgoing items as a list, and those that left a locker uncollected, under `/api/v1`."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import Connection

from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import NamePath, time_of
from sync.central.api_models import Strict, Text40, printable
from sync.central.intake.lists import Wanted
from sync.central.intake.models import LockerQuery, Remark, TextQuery
from sync.central.office import Office
from sync.central.onward import lists, moves, ways
from sync.central.onward.moves import Move
from sync.central.onward.ways import Signal, State
from sync.central.paging import Listed, WhichPage

Stage = Literal[
    "", "announced", "awaiting_pickup", "overdue", "refused", "withdrawn", "recalled", "collected"
]
Carrier = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(printable)]
Tracking = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{4,40}$", examples=["EA123456789CN"])]


class MoveIn(Strict):
    """``carrier`` and ``tracking`` for ``post``."""

    step: Signal = Field(strict=False)
    carrier: Carrier | None = None
    tracking: Tracking | None = None
    remark: Remark = ""
    window: Text40 | None = None
    """For ``receive`` and ``come_back``: where, by id or name. Else where it is, the caller's own,
    or the only one of the area."""

    def asked(self) -> Move:
        return Move(self.step, self.carrier or "", self.tracking or "", self.remark, self.window or "")


class OnwardOut(BaseModel):
    item: str
    state: State
    carrier: str
    tracking: str
    remark: str
    who: str
    at: str | None
    steps: list[Signal]
    """What may be done next."""


class OutgoingRow(BaseModel):
    item: str
    case: str
    service_item: str
    results: list[str]
    locker: str
    size: str
    name: str
    state: str
    door: int
    """0: in no locker."""
    since: str | None
    """From when it lies there."""
    overdue: bool
    onward: State
    carrier: str
    tracking: str
    made: str | None


def add(app: FastAPI, office: Office, gate: Gate) -> None:
    """To the application that `sync.central.api` has built."""
    api = APIRouter(prefix="/api/v1")
    lists_items = Depends(gate.allowed(Action.SEE_ITEMS))
    sees = Depends(gate.allowed(Action.SEE_ITEM))
    changes = Depends(gate.allowed(Action.CHANGE_ITEM))

    @api.get("/outgoing-items")
    async def listed(
        actor: Annotated[Actor, lists_items],
        page: WhichPage,
        state: Stage = "",
        locker: LockerQuery = "",
        text: TextQuery = "",
    ) -> Listed[OutgoingRow]:
        """Whatever is not collected, the oldest first; or of one state."""
        wanted = Wanted(locker, state, text)
        found = await office.store.read(lambda c: lists.outgoing(c, office.desk, actor, wanted, page))
        return found.told(_row)

    @api.get("/outgoing-items/{item}/onward")
    async def onward(item: NamePath, actor: Annotated[Actor, sees]) -> OnwardOut:
        """Where it is after a locker: on its way to the window, posted, delivered."""
        return await _look(office, item, actor)

    @api.post("/outgoing-items/{item}/onward")
    async def move(item: NamePath, body: MoveIn, actor: Annotated[Actor, changes]) -> OnwardOut:
        """One step of what was withdrawn or refused, to the window or out by post."""
        await office.store.write(lambda c: moves.move(c, office.desk, actor, item, body.asked()))
        return await _look(office, item, actor)

    app.include_router(api)


async def _look(office: Office, item: str, actor: Actor) -> OnwardOut:
    def look(connection: Connection) -> Any:
        scope.item_row(connection, actor, item)
        return moves.onward_row(connection, item)

    row = await office.store.read(look)
    state = State(row.state) if row else State.NOWHERE
    return OnwardOut(
        item=item,
        state=state,
        carrier=row.carrier if row else "",
        tracking=row.tracking if row else "",
        remark=row.remark if row else "",
        who=row.who if row else "",
        at=time_of(row.at_ms) if row else None,
        steps=list(ways.signals(state)),
    )


def _row(row: Any) -> OutgoingRow:
    return OutgoingRow(
        item=row.item,
        case=row.case_number,
        service_item=row.service_item,
        results=json.loads(row.results),
        locker=row.locker,
        size=row.size,
        name=row.name,
        state=row.state,
        door=row.door or 0,
        since=time_of(row.since_ms or 0),
        overdue=bool(row.overdue),
        onward=State(row.onward or State.NOWHERE),
        carrier=row.carrier or "",
        tracking=row.tracking or "",
        made=time_of(row.made_ms),
    )
