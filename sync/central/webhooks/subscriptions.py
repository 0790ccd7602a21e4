"""Who is told what: made, switched, given a new secret, removed; and single deliveries sent once more."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select

from locker.domain.encoding import canonical
from sync.central import store as rows
from sync.central.access import audit
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.desk import Desk, Refusal, Refused
from sync.central.paging import Keyset
from sync.central.store import Store
from sync.central.tables import LOCKER
from sync.central.webhooks import gather
from sync.central.webhooks.deliver import SECRET_MARK
from sync.central.webhooks.gather import KINDS
from sync.central.webhooks.settings import NotAllowed, Webhooks
from sync.central.webhooks.tables import DELIVERY, WEBHOOK

SECRET_BYTES: Final = 32
RECEIVERS_MAX: Final = 20
"""Every event is stored for each of them."""
LATEST: Final = Keyset("webhook-deliveries", (DELIVERY.c.number,), newest_first=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    called: str
    url: str
    kinds: tuple[str, ...]
    areas: frozenset[str]


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Asked by the API and the console."""

    store: Store
    desk: Desk
    settings: Webhooks

    async def make(self, wanted: Wanted, actor: Actor) -> tuple[str, str]:
        """Its name, and the secret this once. Raises Refused."""
        self._require(wanted, actor)
        webhook, secret, now_ms = self.desk.chance.new_id(), self._secret(), self.desk.clock.wall_ms()

        def work(connection: Connection) -> None:
            _require_areas(connection, wanted)
            _begin_if_first(connection, now_ms)
            known = select(func.count()).where(WEBHOOK.c.state != "removed")
            if connection.execute(known).scalar_one() >= RECEIVERS_MAX:
                raise Refused(Refusal.UNFIT, f"there are {RECEIVERS_MAX} receivers; remove one first")
            values = {
                "webhook": webhook,
                "called": wanted.called,
                "url": wanted.url,
                "kinds": canonical(list(wanted.kinds)),
                "areas": canonical(sorted(wanted.areas)),
                "secret_sealed": self.desk.sealed({"secret": secret}),
                "made_by": actor.who,
                "made_ms": now_ms,
                "state": "on",
                "why": "",
                "since_ms": now_ms,
            }
            connection.execute(WEBHOOK.insert().values(values))
            self._journal(connection, actor, webhook, "made")

        await self.store.write(work)
        return webhook, secret

    async def renew_secret(self, webhook: str, actor: Actor) -> str:
        """The new one, this once; the old one signs nothing from now on. Raises Refused."""
        secret = self._secret()

        def work(connection: Connection) -> None:
            one(connection, actor, webhook)
            sealed = {"secret_sealed": self.desk.sealed({"secret": secret})}
            rows.change(connection, WEBHOOK, {"webhook": webhook}, sealed)
            self._journal(connection, actor, webhook, "secret")

        await self.store.write(work)
        return secret

    async def switch(self, webhook: str, actor: Actor, *, on: bool) -> None:
        """While it is off nothing new is collected for it; what waited goes on waiting. Raises Refused."""
        now_ms = self.desk.clock.wall_ms()

        def work(connection: Connection) -> None:
            one(connection, actor, webhook)
            if on:
                _begin_if_first(connection, now_ms)
            state = {"state": "on" if on else "off", "why": "", "since_ms": now_ms}
            rows.change(connection, WEBHOOK, {"webhook": webhook}, state)
            # Tried at once, and for three days from now.
            due = DELIVERY.update().where(DELIVERY.c.webhook == webhook, DELIVERY.c.state == "due")
            connection.execute(due.values(made_ms=now_ms, next_ms=now_ms))
            self._journal(connection, actor, webhook, "on" if on else "off")

        await self.store.write(work)

    async def remove(self, webhook: str, actor: Actor) -> None:
        """With what waited for it. Raises Refused."""
        now_ms = self.desk.clock.wall_ms()

        def work(connection: Connection) -> None:
            one(connection, actor, webhook)
            connection.execute(DELIVERY.delete().where(DELIVERY.c.webhook == webhook))
            gone = {"state": "removed", "secret_sealed": "", "since_ms": now_ms}
            rows.change(connection, WEBHOOK, {"webhook": webhook}, gone)
            self._journal(connection, actor, webhook, "removed")

        await self.store.write(work)

    async def replay(self, webhook: str, number: int, actor: Actor) -> None:
        """Sent or parked, it is sent once more, before what waits. Raises Refused."""
        now_ms = self.desk.clock.wall_ms()

        def work(connection: Connection) -> None:
            one(connection, actor, webhook)
            again = {"state": "due", "attempts": 0, "made_ms": now_ms, "next_ms": now_ms, "done_ms": 0}
            if not rows.change(connection, DELIVERY, {"number": number, "webhook": webhook}, again):
                raise Refused(Refusal.UNKNOWN_DELIVERY, "no such delivery; they are kept for 14 days")
            detail: dict[str, str | int | bool] = {"number": number}
            audit.write(connection, now_ms, actor, Action.REPLAY_MESSAGE, webhook, detail)

        await self.store.write(work)

    def _require(self, wanted: Wanted, actor: Actor) -> None:
        try:
            self.settings.require_url(wanted.url)
        except NotAllowed as error:
            raise Refused(Refusal.UNFIT, str(error)) from error
        if not wanted.areas or not (actor.sees_all or wanted.areas <= actor.areas):
            raise Refused(Refusal.UNFIT, "at least one area, and only such as are yours")
        if not wanted.kinds or not all(each.startswith(KINDS) for each in wanted.kinds):
            raise Refused(Refusal.UNFIT, f"types of events begin with {' or '.join(KINDS)}")

    def _secret(self) -> str:
        return SECRET_MARK + base64.b64encode(self.desk.chance.random_bytes(SECRET_BYTES)).decode()

    def _journal(self, connection: Connection, actor: Actor, webhook: str, what: str) -> None:
        now_ms = self.desk.clock.wall_ms()
        audit.write(connection, now_ms, actor, Action.MANAGE_WEBHOOKS, webhook, {"what": what})


def listed(connection: Connection, actor: Actor) -> list[Row[Any]]:
    """Those whose areas all lie within the actor's, in the order in which they were made."""
    query = select(WEBHOOK).where(WEBHOOK.c.state != "removed")
    rows = connection.execute(query.order_by(WEBHOOK.c.made_ms, WEBHOOK.c.webhook)).all()
    return [row for row in rows if _sees(actor, row)]


def one(connection: Connection, actor: Actor, webhook: str) -> Row[Any]:
    """Raises Refused."""
    row = rows.find(connection, WEBHOOK, {"webhook": webhook})
    if row is None or row.state == "removed" or not _sees(actor, row):
        raise Refused(Refusal.UNKNOWN_WEBHOOK, "no such receiver")
    return row


def deliveries(webhook: str, state: str = "") -> Select[Any]:
    query = select(DELIVERY).where(DELIVERY.c.webhook == webhook)
    return query.where(DELIVERY.c.state == state) if state else query


def counted(connection: Connection, webhooks: Sequence[str]) -> dict[tuple[str, str], int]:
    """How many deliveries there are, by receiver and state."""
    query = select(DELIVERY.c.webhook, DELIVERY.c.state, func.count().label("how_many"))
    found = query.where(DELIVERY.c.webhook.in_(webhooks)).group_by(DELIVERY.c.webhook, DELIVERY.c.state)
    return {(row.webhook, row.state): row.how_many for row in connection.execute(found)}


def _sees(actor: Actor, row: Row[Any]) -> bool:
    return actor.sees_all or set(json.loads(row.areas)) <= actor.areas


def _require_areas(connection: Connection, wanted: Wanted) -> None:
    known = set(connection.execute(select(LOCKER.c.area).distinct()).scalars()) | {"*"}
    if strange := sorted(wanted.areas - known):
        raise Refused(Refusal.UNFIT, f"no locker stands in {', '.join(strange)}")


def _begin_if_first(connection: Connection, now_ms: int) -> None:
    if not gather.receivers(connection):
        gather.begin(connection, now_ms)
