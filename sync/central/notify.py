"""Messages to people: what is due is opened and carried, by the next channel where one fails, and put down.

Tried again for a day; then a clerk must call. Plain codes live here for as long as one try takes, and are
never logged.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import httpx
from sqlalchemy import Connection, Row, func, select

from sync.central import notices
from sync.central.desk import Desk
from sync.central.messages import routes, sights, templates
from sync.central.messages.carriers import Letter, UnusableChannel, carrier_of
from sync.central.messages.quiet import until_ms
from sync.central.messages.routes import Tried
from sync.central.messages.settings import Channel, Messages
from sync.central.messages.sights import Sight
from sync.central.messages.tables import ATTEMPT
from sync.central.personal.link import path_of
from sync.central.statement import Statement
from sync.central.store import Store, change, insert
from sync.central.tables import NOTICE
from sync.seal import SealError

log = logging.getLogger(__name__)

AT_ONCE: Final = 8
"""Requests under way: a slow gateway must not hold one message behind another for long."""
IDLE_MS: Final = 60_000
WORTH_LOOKING_MS: Final = 2 * IDLE_MS
"""After the bell: whoever rang it may not have committed yet, but has by the second look."""
NO_CHANNEL: Final = "no channel for it"


@dataclass(frozen=True, slots=True)
class SmsSettings:
    """Where messages go. No ``url`` and no ``channels``: nowhere yet; they wait."""

    url: str = field(default="", repr=False)
    """A gateway of kind `http`, first of all channels."""
    utc_offset_minutes: int = 480
    channels: tuple[Channel, ...] = ()
    messages: Messages = field(default_factory=Messages)
    site: str = ""
    """Where people reach the hub, for links; empty: no links."""

    @property
    def every(self) -> tuple[Channel, ...]:
        return ((Channel("sms", url=self.url, order=0),) if self.url else ()) + self.channels


class Notifier:
    """One pass over what is due is `step`; `run` repeats it until it is cancelled."""

    def __init__(
        self,
        store: Store,
        desk: Desk,
        client: httpx.AsyncClient,
        settings: SmsSettings,
        threads: Executor | None = None,
    ) -> None:
        """``threads``: for channels that block. Raises UnusableChannel."""
        self._store = store
        self._desk = desk
        self._settings = settings
        self._carriers = {each.name: carrier_of(each, client, threads) for each in settings.every}
        self._words = templates.load()
        self._news = asyncio.Event()
        self._earliest_ms: int | None = None
        """When the next one is due, as far as is known here; None: nothing waits."""
        self._told = True
        """Something became due since it was known."""

    def wake(self) -> None:
        """Something became due."""
        self._told = True
        self._news.set()

    async def run(self) -> None:
        if not self._carriers:
            log.warning("no SMS gateway is configured: messages wait")
            return
        while True:
            wait_ms = await self.step() if self._is_worth_looking() else IDLE_MS
            await self._desk.clock.wait(self._news, wait_ms)

    def _is_worth_looking(self) -> bool:
        """An idle hub does not even read."""
        rung_ms = self._desk.bell.rung_ms
        if self._told or (rung_ms is not None and self._desk.clock.mono_ms() - rung_ms < WORTH_LOOKING_MS):
            return True
        return self._earliest_ms is not None and self._earliest_ms <= self._desk.clock.wall_ms() + IDLE_MS

    async def step(self) -> int:
        """Send what is due; milliseconds until the next one is."""
        self._told = False
        wait_ms = await self._look()
        now_ms = self._desk.clock.wall_ms()
        if self._earliest_ms is None or self._earliest_ms > now_ms:
            # Nothing to write: an idle hub leaves its disk alone.
            return wait_ms
        sights = await self._store.write(lambda connection: self._take_due(connection, now_ms))
        async with asyncio.TaskGroup() as group:
            for sight in sights:
                group.create_task(self._send(sight))
        return 0 if len(sights) == AT_ONCE else await self._look()

    async def _look(self) -> int:
        self._earliest_ms = await self._store.read(_earliest)
        if self._earliest_ms is None:
            return IDLE_MS
        return max(0, min(IDLE_MS, self._earliest_ms - self._desk.clock.wall_ms()))

    def _take_due(self, connection: Connection, now_ms: int) -> list[Sight]:
        """What is to be sent now. On the way, what is over is put aside, and what can wait waits for day."""
        quiet = self._settings.messages
        hours = (quiet.quiet_from, quiet.quiet_to)
        day_ms = until_ms(now_ms, self._settings.utc_offset_minutes, hours)
        taken: list[Sight] = []
        for row in notices.due(connection, now_ms, AT_ONCE):
            own = {"key": row.key}
            if notices.superseded(connection, row, now_ms):
                change(connection, NOTICE, own, {"state": "superseded"})
            elif day_ms > now_ms and not row.urgent:
                change(connection, NOTICE, own, {"next_ms": day_ms})
            elif not routes.of(self._settings.every, row.template):
                change(connection, NOTICE, own, {"state": "clerk", "detail": NO_CHANNEL})
            else:
                taken.append(sights.of(connection, row))
        return taken

    async def _send(self, sight: Sight) -> None:
        notice = sight.notice
        try:
            letter = self._letter(sight)
        except (SealError, ValueError, KeyError, IndexError) as error:
            # Only the kind of error: its text could hold what was inside the seal.
            await self._settle(notice, state="clerk", detail=f"cannot be opened ({type(error).__name__})")
            return
        names = routes.of(self._settings.every, notice.template)
        channel = routes.following(names, sight.failed, self._desk.clock.wall_ms())
        problem = await self._post(channel, letter)
        now_ms = self._desk.clock.wall_ms()
        tried = {"notice": notice.key, "number": notice.attempts + 1, "channel": channel, "at_ms": now_ms}
        kept = partial(_keep, tried={**tried, "outcome": problem})
        if not problem:
            await self._settle(notice, kept, state="sent", detail="", sent_ms=now_ms)
            return
        log.info("message %s not taken (%s), attempt %d", notice.key, problem, notice.attempts + 1)
        if now_ms - notice.made_ms >= notices.TOO_OLD_MS:
            await self._settle(notice, kept, state="clerk", detail=problem)
            return
        longest_ms = routes.pause_ms(names, [*sight.failed, Tried(channel, now_ms)], now_ms)
        pause_ms = longest_ms // 2 + self._desk.chance.draw(longest_ms // 2 + 1)
        await self._settle(notice, kept, detail=problem, next_ms=now_ms + pause_ms)

    async def _post(self, channel: str, letter: Letter) -> str:
        """Empty if the channel took it, else why not."""
        return await self._carriers[channel].carry(letter)

    def _letter(self, sight: Sight) -> Letter:
        notice = sight.notice
        contact = self._desk.opened(notice.contact_sealed)
        # Mostly one seal holds both: opened once.
        same = notice.codes_sealed == notice.contact_sealed
        codes = contact if same else self._desk.opened(notice.codes_sealed) if notice.codes_sealed else {}
        words = self._words[templates.language_of(contact)]
        variables = self._variables(sight, words, codes)
        shown = {**variables, **({"place": sight.place} if sight.place else {})}
        return Letter(
            contact["phone"],
            notice.template,
            words.language,
            variables,
            words.title(notice.template),
            words.text(notice.template, shown),
            notice.key,
        )

    def _variables(self, sight: Sight, words: templates.Words, codes: dict[str, str]) -> dict[str, str]:
        notice = sight.notice
        template = templates.TEMPLATES[notice.template]
        offset = self._settings.utc_offset_minutes
        said = dict(words.told(name, value, offset) for name, value in json.loads(notice.variables).items())
        variables = {name: said[name] for name in ("locker", "case", *template.tells)}
        if template.codes:
            typed, scan = template.codes
            variables |= {"typed": codes[typed], "scan": codes[scan]}
        if sight.address:
            variables["address"] = sight.address
        if sight.about and self._settings.site:
            link = path_of(self._desk, sight.about.kind, sight.about.reference)
            variables["link"] = self._settings.site + link
        return variables

    async def _settle(
        self,
        notice: Row[Any],
        beside: Callable[[Connection], None] = lambda _: None,
        **values: str | int,
    ) -> None:
        def work(connection: Connection) -> None:
            settled = {**values, "attempts": notice.attempts + 1}
            change(connection, NOTICE, {"key": notice.key}, settled)
            beside(connection)

        await self._store.write(work)


def _keep(connection: Connection, tried: dict[str, Any]) -> None:
    insert(connection, ATTEMPT, [tried])


_EARLIEST: Final = Statement(select(func.min(NOTICE.c.next_ms)).where(NOTICE.c.state == "due"))


def _earliest(connection: Connection) -> int | None:
    found: int | None = _EARLIEST.value(connection, {})
    return found


__all__ = ["Notifier", "SmsSettings", "UnusableChannel"]
