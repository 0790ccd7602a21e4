"""Receivers of webhooks under `/api/v1`: for administrators; deliveries also for who sees messages."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Path
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import time_of
from sync.central.api_models import Strict, Text80
from sync.central.paging import Keyset, Listed, WhichPage
from sync.central.webhooks import subscriptions as subs
from sync.central.webhooks.settings import URL_CHARACTERS_MAX
from sync.central.webhooks.subscriptions import Subscriptions, Wanted

RECEIVERS = Keyset("receivers")
WebhookPath = Annotated[str, Path(pattern=r"^[a-z2-7]{16}$")]
NumberPath = Annotated[int, Path(ge=1, lt=2**63)]
Kind = Annotated[str, Field(pattern=r"^doclocker\.(locker|centre)\.([A-Za-z_]{1,60}|[A-Za-z_]{0,60}\*)$")]
Area = Annotated[str, Field(pattern=r"^(\*|[a-z0-9-]{1,24})$")]


class WebhookIn(Strict):
    called: Text80
    url: Annotated[str, Field(min_length=8, max_length=URL_CHARACTERS_MAX)]
    """https; http only into networks of ``[webhooks] private_networks``."""
    kinds: Annotated[list[Kind], Field(min_length=1, max_length=100)]
    """Types of events, such as ``doclocker.locker.ItemPickedUp`` or ``doclocker.centre.*``."""
    areas: Annotated[list[Area], Field(min_length=1, max_length=200)]

    def wanted(self) -> Wanted:
        return Wanted(self.called, self.url, tuple(self.kinds), frozenset(self.areas))


class StateIn(Strict):
    state: Literal["on", "off"]


class WebhookOut(BaseModel):
    webhook: str
    called: str
    url: str
    kinds: list[str]
    areas: list[str]
    made_by: str
    made: str | None
    state: Literal["on", "off"]
    why: str
    since: str | None


class SecretOut(BaseModel):
    """Shown this once."""

    webhook: str
    secret: str


class DeliveryOut(BaseModel):
    number: int
    event: str
    """``webhook-id`` in every attempt."""
    type: str
    case: str
    state: Literal["due", "sent", "parked"]
    detail: str
    attempts: int
    made: str | None
    next: str | None
    done: str | None


def add(app: FastAPI, subscriptions: Subscriptions, gate: Gate) -> None:
    api = APIRouter(prefix="/api/v1")
    _add_receivers(api, subscriptions, gate)
    _add_deliveries(api, subscriptions, gate)
    app.include_router(api)


def _add_receivers(api: APIRouter, subscriptions: Subscriptions, gate: Gate) -> None:
    sees = Depends(gate.allowed(Action.SEE_MESSAGES))
    manages = Depends(gate.allowed(Action.MANAGE_WEBHOOKS))

    @api.get("/webhooks")
    async def listed(actor: Annotated[Actor, sees], page: WhichPage) -> Listed[WebhookOut]:
        found = await subscriptions.store.read(lambda c: subs.listed(c, actor))
        return RECEIVERS.page_of(
            subscriptions.desk, found, page, lambda row: [row.made_ms, row.webhook]
        ).told(_webhook)

    @api.post("/webhooks", status_code=201)
    async def made(body: WebhookIn, actor: Annotated[Actor, manages]) -> SecretOut:
        """Told from now on. Every call is signed with the secret: docs/webhooks.md."""
        webhook, secret = await subscriptions.make(body.wanted(), actor)
        return SecretOut(webhook=webhook, secret=secret)

    @api.put("/webhooks/{webhook}/state", status_code=204)
    async def switched(webhook: WebhookPath, body: StateIn, actor: Annotated[Actor, manages]) -> None:
        """While it is off nothing new is collected for it."""
        await subscriptions.switch(webhook, actor, on=body.state == "on")

    @api.post("/webhooks/{webhook}/secret", status_code=201)
    async def renewed(webhook: WebhookPath, actor: Annotated[Actor, manages]) -> SecretOut:
        return SecretOut(webhook=webhook, secret=await subscriptions.renew_secret(webhook, actor))

    @api.delete("/webhooks/{webhook}", status_code=204)
    async def removed(webhook: WebhookPath, actor: Annotated[Actor, manages]) -> None:
        """With what waited for it."""
        await subscriptions.remove(webhook, actor)


def _add_deliveries(api: APIRouter, subscriptions: Subscriptions, gate: Gate) -> None:
    sees = Depends(gate.allowed(Action.SEE_MESSAGES))
    replays = Depends(gate.allowed(Action.REPLAY_MESSAGE))

    @api.get("/webhooks/{webhook}/deliveries")
    async def deliveries(
        webhook: WebhookPath,
        actor: Annotated[Actor, sees],
        page: WhichPage,
        state: Literal["", "due", "sent", "parked"] = "",
    ) -> Listed[DeliveryOut]:
        """The latest first; those that are done with are kept for 14 days."""

        def look(connection: Connection) -> Any:
            subs.one(connection, actor, webhook)
            query = subs.deliveries(webhook, state)
            return subs.LATEST.page(connection, subscriptions.desk, query, page)

        found = await subscriptions.store.read(look)
        return found.told(_delivery)  # type: ignore[no-any-return]  # a page of rows

    @api.post("/webhooks/{webhook}/deliveries/{number}/replay", status_code=204)
    async def replayed(webhook: WebhookPath, number: NumberPath, actor: Annotated[Actor, replays]) -> None:
        """Sent once more, before what waits."""
        await subscriptions.replay(webhook, number, actor)


def _webhook(row: Any) -> WebhookOut:
    return WebhookOut(
        webhook=row.webhook,
        called=row.called,
        url=row.url,
        kinds=json.loads(row.kinds),
        areas=json.loads(row.areas),
        made_by=row.made_by,
        made=time_of(row.made_ms),
        state=row.state,
        why=row.why,
        since=time_of(row.since_ms),
    )


def _delivery(row: Any) -> DeliveryOut:
    return DeliveryOut(
        number=row.number,
        event=row.event,
        type=row.type,
        case=row.case_number,
        state=row.state,
        detail=row.detail,
        attempts=row.attempts,
        made=time_of(row.made_ms),
        next=time_of(row.next_ms) if row.state == "due" else None,
        done=time_of(row.done_ms),
    )
