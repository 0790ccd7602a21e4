"""What waits for its recipient, under `/api/v1`: new codes, agents, longer holds, recalls, rights."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path
from sqlalchemy import Connection, Row

from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import IdempotencyKey, NamePath
from sync.central.office import Office, Repeatable
from sync.central.pickups import agents, codes
from sync.central.pickups import models as m
from sync.central.pickups.desk import Pickups

EntrustmentPath = Annotated[str, Path(pattern=r"^[a-z2-7]{16}$")]


def add(app: FastAPI, office: Office, gate: Gate) -> None:
    """To the application that `sync.central.api` has built."""
    api = APIRouter(prefix="/api/v1")
    pickups = Pickups(office)
    _add_codes(api, pickups, gate)
    _add_agents(api, pickups, gate)
    _add_holds(api, pickups, gate)
    _add_rights(api, pickups, gate)
    app.include_router(api)


def _add_codes(api: APIRouter, pickups: Pickups, gate: Gate) -> None:
    reissues = Depends(gate.allowed(Action.REISSUE_CODE))
    sees = Depends(gate.allowed(Action.SEE_ITEM))
    store = pickups.office.store

    @api.post("/outgoing-items/{item}/reissue", status_code=202)
    async def reissue(
        item: NamePath,
        body: m.ReissueIn,
        actor: Annotated[Actor, reissues],
        idempotency_key: IdempotencyKey = "",
    ) -> m.ReissueOut:
        """A code was lost: its locker makes another, which is sent. At most three an hour for a case."""
        repeatable = Repeatable(idempotency_key, item + body.model_dump_json())
        order = await pickups.reissue(body.lost(item), actor, repeatable)
        return _reissue(await store.read(lambda c: codes.one(c, order)))

    @api.get("/outgoing-items/{item}/reissues")
    async def reissues_of(item: NamePath, actor: Annotated[Actor, sees]) -> list[m.ReissueOut]:
        """The latest first."""

        def look(connection: Connection) -> list[Row[Any]]:
            scope.item_row(connection, actor, item)
            return codes.of_item(connection, item)

        return [_reissue(row) for row in await store.read(look)]


def _add_agents(api: APIRouter, pickups: Pickups, gate: Gate) -> None:
    entrusts = Depends(gate.allowed(Action.ENTRUST))
    sees = Depends(gate.allowed(Action.SEE_ITEM))
    store = pickups.office.store

    @api.post("/outgoing-items/{item}/entrustments", status_code=201)
    async def entrust(
        item: NamePath,
        body: m.EntrustIn,
        actor: Annotated[Actor, entrusts],
        idempotency_key: IdempotencyKey = "",
    ) -> m.EntrustmentOut:
        """An agent may collect it: with a code that goes to their own phone, and its last four digits."""
        repeatable = Repeatable(idempotency_key, item + body.model_dump_json())
        made = await pickups.entrust(body.entrusting(item), actor, repeatable)
        return _entrustment(await store.read(lambda c: agents.one(c, item, made)))

    @api.get("/outgoing-items/{item}/entrustments")
    async def entrustments(item: NamePath, actor: Annotated[Actor, sees]) -> list[m.EntrustmentOut]:
        """The latest first."""

        def look(connection: Connection) -> list[Row[Any]]:
            scope.item_row(connection, actor, item)
            return agents.of_item(connection, item)

        return [_entrustment(row) for row in await store.read(look)]

    @api.post("/outgoing-items/{item}/entrustments/{entrustment}/end", status_code=204)
    async def end(
        item: NamePath, entrustment: EntrustmentPath, body: m.ReasonGiven, actor: Annotated[Actor, entrusts]
    ) -> None:
        """The agent's code opens nothing any more, as soon as the locker has heard of it."""
        await pickups.end(item, entrustment, body.reason, actor)


def _add_holds(api: APIRouter, pickups: Pickups, gate: Gate) -> None:
    changes = Depends(gate.allowed(Action.CHANGE_ITEM))

    @api.post("/outgoing-items/{item}/hold", status_code=204)
    async def hold(item: NamePath, body: m.HoldIn, actor: Annotated[Actor, changes]) -> None:
        """Hold it longer."""
        await pickups.hold(item, body.hold_days, actor)

    @api.post("/outgoing-items/{item}/recall", status_code=204)
    async def recall(item: NamePath, body: m.ReasonGiven, actor: Annotated[Actor, changes]) -> None:
        """Not to be loaded; what lies there is taken out by a helper, and may be collected until then."""
        await pickups.recall(item, body.reason, actor)


def _add_rights(api: APIRouter, pickups: Pickups, gate: Gate) -> None:
    changes = Depends(gate.allowed(Action.CHANGE_AUTHORISATION))

    @api.post("/authorisations/{authorisation}/extension", status_code=204)
    async def extend(authorisation: NamePath, body: m.ExtensionIn, actor: Annotated[Actor, changes]) -> None:
        """Good for longer, also where it has just run out unused. The applicant is told; the code stays."""
        await pickups.extend(authorisation, body.valid_hours, actor)

    @api.post("/authorisations/{authorisation}/revocation", status_code=204)
    async def revoke(authorisation: NamePath, body: m.ReasonGiven, actor: Annotated[Actor, changes]) -> None:
        """Nothing can be handed in under it any more, once the lockers of its area have heard of it."""
        await pickups.revoke(authorisation, body.reason, actor)


def _reissue(row: Row[Any]) -> m.ReissueOut:
    return m.ReissueOut(
        order=row.order_name,
        item=row.item,
        entrustment=row.entrustment,
        stolen=row.stolen,
        reason=row.reason,
        who=row.who,
        asked_ms=row.asked_ms,
        state=row.state,
        told_ms=row.told_ms,
    )


def _entrustment(row: Row[Any]) -> m.EntrustmentOut:
    return m.EntrustmentOut(
        entrustment=row.entrustment,
        item=row.item,
        case=row.case_number,
        locker=row.locker,
        name=row.name,
        phone=row.phone,
        valid_from_ms=row.valid_from_ms,
        valid_until_ms=row.valid_until_ms,
        who=row.who,
        made_ms=row.made_ms,
        known_ms=row.known_ms,
        ended=row.ended,
        ended_ms=row.ended_ms,
    )
