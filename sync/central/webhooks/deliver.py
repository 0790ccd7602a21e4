"""Deliveries go out: one after the other to each receiver, several receivers at a time.

A receiver gets its events in the order in which they were taken over; one that it does not take holds the
next ones back, until it is parked after `TRIED_MS`. It may get an event twice: the answer can be lost.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import httpx
from sqlalchemy import Connection, Row, func, select

from sync.central import store as rows
from sync.central.alarms import Trouble, raise_alarm
from sync.central.desk import Desk
from sync.central.store import Store
from sync.central.webhooks import gather
from sync.central.webhooks.events import CONTENT_TYPE
from sync.central.webhooks.settings import NotAllowed, Webhooks
from sync.central.webhooks.tables import DELIVERY, WEBHOOK
from sync.seal import SealError

log = logging.getLogger(__name__)

LOOK_MS: Final = 1_000
TIMEOUT_S: Final = 10.0
AT_ONCE: Final = 8
"""Receivers; one that is slow holds back nobody else's."""
IN_A_ROW: Final = 50
"""To one receiver before the others are looked at again."""
FIRST_WAIT_MS: Final = 2_000
LONGEST_WAIT_MS: Final = 3_600_000
TRIED_MS: Final = 3 * 86_400_000
KEPT_MS: Final = 14 * 86_400_000
"""What was sent or parked, for looking and for replays."""
GONE: Final = 410
SECRET_MARK: Final = "whsec_"  # noqa: S105  # pragma: allowlist secret  # what a secret begins with
REFUSED: Final = "webhook_gone"
PARKED: Final = "webhook_parked"

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Addresses of a host. Raises OSError."""


async def resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True)
class _Answer:
    """``problem`` is empty if the event was taken."""

    problem: str = ""
    gone: bool = False


class Courier:
    """One round is `step`; `run` repeats it until it is cancelled. One process of a fleet's hub does it."""

    def __init__(
        self,
        store: Store,
        desk: Desk,
        client: httpx.AsyncClient,
        settings: Webhooks,
        resolved: Resolve = resolve,
    ) -> None:
        self._store, self._desk, self._client = store, desk, client
        self._settings, self._resolve = settings, resolved

    async def run(self) -> None:
        clock = self._desk.clock
        while True:
            if not await self.step():
                await clock.sleep_until(clock.mono_ms() + LOOK_MS)

    async def step(self) -> bool:
        """Take over what is new, deliver what is due; whether there is more to do at once."""
        now_ms, more = self._desk.clock.wall_ms(), False
        if await self._store.read(gather.is_there_news):
            more = await self._store.write(lambda connection: gather.gather(connection, now_ms))
        waiting = await self._store.read(lambda connection: _waiting(connection, now_ms))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._serve(webhook)) for webhook in waiting]
        if await self._store.read(lambda connection: _is_old(connection, now_ms)):
            await self._store.write(lambda connection: _forget(connection, now_ms))
        return more or any(task.result() for task in tasks) or len(waiting) == AT_ONCE

    async def _serve(self, webhook: str) -> bool:
        """The next events of one receiver, until one is not taken; whether there may be more."""
        for _ in range(IN_A_ROW):
            found = await self._store.read(lambda connection: _next(connection, webhook))
            if found is None or found.next_ms > self._desk.clock.wall_ms():
                return False
            if not await self._send(found):
                return False
        return True

    async def _send(self, row: Row[Any]) -> bool:
        try:
            secret = self._desk.opened(row.secret_sealed)["secret"]
            answer = await self._post(row, secret)
        except (SealError, ValueError, KeyError) as error:
            answer = _Answer(f"its secret cannot be opened ({type(error).__name__})")
        except NotAllowed as error:
            answer = _Answer(str(error))
        now_ms = self._desk.clock.wall_ms()
        await self._store.write(lambda connection: self._settle(connection, row, answer, now_ms))
        return not answer.problem

    async def _post(self, row: Row[Any], secret: str) -> _Answer:
        """Raises NotAllowed."""
        now_s = str(self._desk.clock.wall_ms() // 1000)
        body = row.body.encode()
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": "DocLocker",
            # One that was checked for another name at the same address is not used again for this one.
            "Connection": "close",
            "webhook-id": row.event,
            "webhook-timestamp": now_s,
            "webhook-signature": signature(secret, row.event, now_s, body),
        }
        try:
            async with asyncio.timeout(TIMEOUT_S):
                url, host = await self._where(row.url)
                request = self._client.build_request(
                    "POST",
                    url,
                    content=body,
                    headers=headers | {"Host": urlsplit(row.url).netloc},
                    timeout=TIMEOUT_S,
                    extensions={"sni_hostname": host},
                )
                answer = await self._client.send(request, stream=True, follow_redirects=False)
                # Whatever it says besides is not read: its length is the receiver's choice.
                await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            return _Answer(type(error).__name__)
        if answer.is_success:
            return _Answer()
        return _Answer(f"status {answer.status_code}", gone=answer.status_code == GONE)

    async def _where(self, url: str) -> tuple[str, str]:
        """The address itself, and the host for the certificate: a name asked twice can answer twice.

        Raises NotAllowed, OSError.
        """
        self._settings.require_url(url)
        parts = urlsplit(url)
        encrypted, host = parts.scheme == "https", parts.hostname or ""
        port = parts.port or (443 if encrypted else 80)
        found = await self._resolve(host, port)
        # All of them must be allowed: whoever mixes in a private one is up to something.
        allowed = [self._settings.require_address(text, encrypted=encrypted) for text in found]
        if not allowed:
            raise NotAllowed("its host has no address")
        literal = f"[{allowed[0]}]" if ":" in allowed[0] else allowed[0]
        return urlunsplit(parts._replace(netloc=f"{literal}:{port}")), host

    def _settle(self, connection: Connection, row: Row[Any], answer: _Answer, now_ms: int) -> None:
        keys, tries = {"number": row.number}, {"attempts": row.attempts + 1, "detail": answer.problem}
        if not answer.problem:
            rows.change(connection, DELIVERY, keys, {**tries, "state": "sent", "done_ms": now_ms})
            return
        log.info("webhook %s: %s not taken (%s)", row.webhook, row.event, answer.problem)
        if answer.gone:
            # It stays due: whoever switches it on again wants it.
            rows.change(connection, DELIVERY, keys, tries)
            off = {"state": "off", "why": REFUSED, "since_ms": now_ms}
            rows.change(connection, WEBHOOK, {"webhook": row.webhook}, off)
            trouble = Trouble(REFUSED, row.webhook, "it answered 410: gone; nothing is sent to it any more")
            raise_alarm(connection, "", trouble, now_ms)
        elif now_ms - row.made_ms >= TRIED_MS:
            rows.change(connection, DELIVERY, keys, {**tries, "state": "parked", "done_ms": now_ms})
            trouble = Trouble(PARKED, row.webhook, f"for three days it did not take {row.event}")
            raise_alarm(connection, "", trouble, now_ms)
        else:
            next_ms = now_ms + self._back_off_ms(row.attempts)
            rows.change(connection, DELIVERY, keys, {**tries, "next_ms": next_ms})

    def _back_off_ms(self, attempts: int) -> int:
        longest = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(attempts, 20))
        return longest // 2 + self._desk.chance.draw(longest // 2 + 1)


def signature(secret: str, event: str, now_s: str, body: bytes) -> str:
    """As the Standard Webhooks convention has it: over ``id.timestamp.body``."""
    key = base64.b64decode(secret.removeprefix(SECRET_MARK))
    said = b".".join([event.encode(), now_s.encode(), body])
    return "v1," + base64.b64encode(hmac.digest(key, said, hashlib.sha256)).decode()


_FIRST: Final = (
    select(DELIVERY.c.webhook, func.min(DELIVERY.c.number).label("number"))
    .where(DELIVERY.c.state == "due")
    .group_by(DELIVERY.c.webhook)
    .subquery()
)


def _waiting(connection: Connection, now_ms: int) -> list[str]:
    """Receivers whose next event is due, the longest waiting first."""
    joined = DELIVERY.join(_FIRST, DELIVERY.c.number == _FIRST.c.number).join(
        WEBHOOK, WEBHOOK.c.webhook == DELIVERY.c.webhook
    )
    query = select(DELIVERY.c.webhook).select_from(joined)
    due = query.where(WEBHOOK.c.state == "on", DELIVERY.c.next_ms <= now_ms)
    return list(connection.execute(due.order_by(DELIVERY.c.next_ms).limit(AT_ONCE)).scalars())


def _next(connection: Connection, webhook: str) -> Row[Any] | None:
    query = (
        select(DELIVERY, WEBHOOK.c.url, WEBHOOK.c.secret_sealed)
        .select_from(DELIVERY.join(WEBHOOK, WEBHOOK.c.webhook == DELIVERY.c.webhook))
        .where(DELIVERY.c.webhook == webhook, DELIVERY.c.state == "due", WEBHOOK.c.state == "on")
    )
    return connection.execute(query.order_by(DELIVERY.c.number).limit(1)).first()


def _is_old(connection: Connection, now_ms: int) -> bool:
    oldest = select(func.min(DELIVERY.c.done_ms)).where(DELIVERY.c.done_ms > 0)
    return (connection.execute(oldest).scalar() or now_ms) < now_ms - KEPT_MS


def _forget(connection: Connection, now_ms: int) -> None:
    done = DELIVERY.c.done_ms
    connection.execute(DELIVERY.delete().where(done > 0, done < now_ms - KEPT_MS))
