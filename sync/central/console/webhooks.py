"""Receivers of events, what was sent to them, and once more what they did not take."""

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from sync.central.access.matrix import Action, may
from sync.central.console import forms
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.webhooks import subscriptions as subs
from sync.central.webhooks.api import WebhookIn
from sync.central.webhooks.subscriptions import Subscriptions
from sync.central.webhooks.tables import DELIVERY

WEBHOOKS: Final = f"{ROOT}/webhooks"
SHOWN: Final = 100
STATES: Final = ("due", "sent", "parked")
NUMBER_DIGITS_MAX: Final = 18


def add(frame: Frame, subscriptions: Subscriptions) -> None:
    pages = _Pages(frame, subscriptions)
    one = f"{WEBHOOKS}/{{webhook}}"
    for path, action, page, method in (
        (WEBHOOKS, Action.SEE_MESSAGES, pages.every, "GET"),
        (WEBHOOKS, Action.MANAGE_WEBHOOKS, pages.make, "POST"),
        (one, Action.SEE_MESSAGES, pages.one, "GET"),
        (f"{one}/switch", Action.MANAGE_WEBHOOKS, pages.switch, "POST"),
        (f"{one}/secret", Action.MANAGE_WEBHOOKS, pages.secret, "POST"),
        (f"{one}/remove", Action.MANAGE_WEBHOOKS, pages.remove, "POST"),
        (f"{one}/deliveries/{{number}}", Action.REPLAY_MESSAGE, pages.replay, "POST"),
    ):
        frame.add(path, action, page, method)


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame
    subscriptions: Subscriptions

    async def every(self, visit: Visit) -> Response:
        return await self._every(visit, {}, ())

    async def make(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        try:
            values = {
                "called": forms.one(form, "called"),
                "url": forms.one(form, "url"),
                "kinds": forms.lines(form, "kinds"),
                "areas": forms.one(form, "areas").replace(",", " ").split(),
            }
            body = forms.read(WebhookIn, values)
        except forms.BadForm as error:
            return await self._every(visit, form, error.problems)
        webhook, secret = await self.subscriptions.make(body.wanted(), visit.actor)
        return self._told(visit, webhook, body.called, secret)

    async def one(self, visit: Visit) -> Response:
        name, state = visit.request.path_params["webhook"], visit.request.query_params.get("state", "")
        wanted = state if state in STATES else ""

        def look(connection: Connection) -> tuple[Any, Any, Any]:
            row = subs.one(connection, visit.actor, name)
            query = subs.deliveries(name, wanted).order_by(DELIVERY.c.number.desc()).limit(SHOWN)
            return row, connection.execute(query).all(), subs.counted(connection, [name])

        row, sent, counted = await self.subscriptions.store.read(look)
        values = {
            "row": row,
            "kinds": json.loads(row.kinds),
            "areas": json.loads(row.areas),
            "deliveries": sent,
            "counts": {each: counted.get((name, each), 0) for each in STATES},
            "state": wanted,
            "manages": may(visit.actor, Action.MANAGE_WEBHOOKS),
            "replays": may(visit.actor, Action.REPLAY_MESSAGE),
        }
        return self.frame.page(visit, "webhooks_one.html", values)

    async def switch(self, visit: Visit) -> Response:
        form, name = await self.frame.form(visit), visit.request.path_params["webhook"]
        await self.subscriptions.switch(name, visit.actor, on=forms.one(form, "state") == "on")
        return RedirectResponse(f"{WEBHOOKS}/{name}", 303)

    async def secret(self, visit: Visit) -> Response:
        await self.frame.form(visit)
        name = visit.request.path_params["webhook"]
        return self._told(visit, name, name, await self.subscriptions.renew_secret(name, visit.actor))

    async def remove(self, visit: Visit) -> Response:
        await self.frame.form(visit)
        await self.subscriptions.remove(visit.request.path_params["webhook"], visit.actor)
        return RedirectResponse(WEBHOOKS, 303)

    async def replay(self, visit: Visit) -> Response:
        await self.frame.form(visit)
        name, number = visit.request.path_params["webhook"], visit.request.path_params["number"]
        wanted = int(number) if number.isdigit() and len(number) <= NUMBER_DIGITS_MAX else 0
        await self.subscriptions.replay(name, wanted, visit.actor)
        return RedirectResponse(f"{WEBHOOKS}/{name}", 303)

    async def _every(self, visit: Visit, form: Any, problems: Any) -> Response:
        def look(connection: Connection) -> tuple[Any, Any]:
            found = subs.listed(connection, visit.actor)
            return found, subs.counted(connection, [row.webhook for row in found])

        rows, counted = await self.subscriptions.store.read(look)
        values = {
            "receivers": [
                {"row": row, "counts": {each: counted.get((row.webhook, each), 0) for each in STATES}}
                for row in rows
            ],
            "form": form,
            "problems": problems,
            "manages": may(visit.actor, Action.MANAGE_WEBHOOKS),
        }
        return self.frame.page(visit, "webhooks.html", values, 422 if problems else 200)

    def _told(self, visit: Visit, webhook: str, called: str, secret: str) -> Response:
        told = {"name": called, "secret": secret, "kind": "webhook", "onward": f"{WEBHOOKS}/{webhook}"}
        return self.frame.page(visit, "secret.html", told)
