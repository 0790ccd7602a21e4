"""Messages to people, by an HTTP gateway for SMS. Tried again for a day; then a clerk must call.

Plain codes live here for as long as one request takes, and are never logged.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from sqlalchemy import Connection, Row, func, select

from sync.central import notices
from sync.central.desk import Desk
from sync.central.store import Store
from sync.central.tables import NOTICE
from sync.seal import SealError

log = logging.getLogger(__name__)

AT_ONCE: Final = 8
"""Requests under way: a slow gateway must not hold one message behind another for long."""
FIRST_WAIT_MS: Final = 2_000
LONGEST_WAIT_MS: Final = 15 * 60_000
TIMEOUT_S: Final = 10.0
IDLE_MS: Final = 60_000
TIME_PENDING: Final = "待确认"


@dataclass(frozen=True, slots=True)
class SmsSettings:
    """Where messages go. An empty ``url``: nowhere yet; they wait."""

    url: str = ""
    utc_offset_minutes: int = 480


class Notifier:
    """One pass over what is due is `step`; `run` repeats it until it is cancelled."""

    def __init__(self, store: Store, desk: Desk, client: httpx.AsyncClient, settings: SmsSettings) -> None:
        self._store = store
        self._desk = desk
        self._client = client
        self._settings = settings
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Something became due."""
        self._news.set()

    async def run(self) -> None:
        if not self._settings.url:
            log.warning("no SMS gateway is configured: messages wait")
            return
        while True:
            wait_ms = await self.step()
            await self._desk.clock.wait(self._news, wait_ms)

    async def step(self) -> int:
        """Send what is due; milliseconds until the next one is."""
        earliest = await self._store.read(_earliest)
        now_ms = self._desk.clock.wall_ms()
        if earliest is None or earliest > now_ms:
            # Nothing to write: an idle hub leaves its disk alone.
            return IDLE_MS if earliest is None else min(IDLE_MS, earliest - now_ms)
        rows = await self._store.write(lambda connection: _take_due(connection, now_ms))
        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(self._send(row))
        if len(rows) == AT_ONCE:
            return 0
        earliest = await self._store.read(_earliest)
        return IDLE_MS if earliest is None else max(0, min(IDLE_MS, earliest - self._desk.clock.wall_ms()))

    async def _send(self, notice: Row[Any]) -> None:
        try:
            message = self._message(notice)
        except (SealError, ValueError, KeyError) as error:
            # Only the kind of error: its text could hold what was inside the seal.
            await self._settle(notice, state="clerk", detail=f"cannot be opened ({type(error).__name__})")
            return
        problem = await self._post(message)
        now_ms = self._desk.clock.wall_ms()
        if not problem:
            await self._settle(notice, state="sent", detail="", sent_ms=now_ms)
            return
        log.info("message %s not taken (%s), attempt %d", notice.key, problem, notice.attempts + 1)
        if now_ms - notice.made_ms >= notices.TOO_OLD_MS:
            await self._settle(notice, state="clerk", detail=problem)
            return
        await self._settle(notice, detail=problem, next_ms=now_ms + self._back_off_ms(notice.attempts))

    async def _post(self, message: dict[str, Any]) -> str:
        """Empty if the gateway took it, else why not."""
        try:
            answer = await self._client.post(self._settings.url, json=message, timeout=TIMEOUT_S)
        except httpx.HTTPError as error:
            return type(error).__name__
        return "" if answer.is_success else f"status {answer.status_code}"

    def _message(self, notice: Row[Any]) -> dict[str, Any]:
        contact = self._desk.opened(notice.contact_sealed)
        codes = self._desk.opened(notice.codes_sealed) if notice.codes_sealed else {}
        return {
            "to": contact["phone"],
            "template": notice.template,
            "variables": self._variables(notice, codes),
            "idempotency_key": notice.key,
        }

    def _variables(self, notice: Row[Any], codes: dict[str, str]) -> dict[str, str]:
        said = json.loads(notice.variables)
        if notice.template == notices.RECEIPT:
            return {"number": said["number"], "case": said["case"], "time": self._time(said["time_ms"])}
        if notice.template == notices.OPENED_FROM_AFAR:
            told = {name: said[name] for name in ("locker", "case")}
            return {**told, "door": str(said["door"]), "time": self._time(said["time_ms"])}
        common = {"typed": codes["typed"], "locker": said["locker"], "case": said["case"]}
        if notice.template == notices.DROP_OFF_CODE:
            return {**common, "scan": codes["token"], "expires": self._time(said["expires_ms"])}
        return {**common, "scan": codes["scan"], "item": said["item"]}

    def _time(self, wall_ms: int) -> str:
        offset = timedelta(minutes=self._settings.utc_offset_minutes)
        try:
            local = datetime.fromtimestamp(wall_ms / 1000, UTC) + offset
        except (OverflowError, ValueError, OSError):
            return TIME_PENDING
        return local.strftime("%Y-%m-%d %H:%M") if wall_ms else TIME_PENDING

    def _back_off_ms(self, attempts: int) -> int:
        longest = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(attempts, 20))
        return longest // 2 + self._desk.chance.draw(longest // 2 + 1)

    async def _settle(self, notice: Row[Any], **values: str | int) -> None:
        statement = NOTICE.update().where(NOTICE.c.key == notice.key)
        changed = statement.values(attempts=notice.attempts + 1, **values)
        await self._store.write(lambda connection: connection.execute(changed))


def _take_due(connection: Connection, now_ms: int) -> list[Row[Any]]:
    """What is to be sent now; what is over already is put aside on the way."""
    taken: list[Row[Any]] = []
    for row in connection.execute(notices.due(now_ms, AT_ONCE)).all():
        if notices.superseded(connection, row, now_ms):
            connection.execute(NOTICE.update().where(NOTICE.c.key == row.key).values(state="superseded"))
        else:
            taken.append(row)
    return taken


_EARLIEST: Final = select(func.min(NOTICE.c.next_ms)).where(NOTICE.c.state == "due")


def _earliest(connection: Connection) -> int | None:
    return connection.execute(_EARLIEST).scalar()
