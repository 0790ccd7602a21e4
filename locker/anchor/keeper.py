"""Compares the journal with the anchor at a start, and has the anchor follow it from then on.

The anchor lags, by its own making: what was written last is durable on the card first. So a journal that goes
on beyond the anchor is as it should be; one that does not reach it, or has another entry there, is an older
card, or another. It is treated as one that the centre has found: a new epoch, and no door opens until the
centre, or two staff on site, have had their say.

A place that cannot be read or written is no reason to keep people from their papers: it is told, and tried
again. Nothing is ever written over what has not been compared.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from locker.anchor.place import Place, PlaceError
from locker.anchor.record import Mark, Sight, Standing
from locker.config import Config
from locker.domain.entry import Entry
from locker.domain.history import Break
from locker.domain.state import LockerState
from locker.journal.holds import missing
from locker.journal.journal import Journal
from locker.operations.new_epoch import begin
from locker.operations.ports import Clock, World
from locker.platform import Platform
from sync.edge.wake import Wake

T = TypeVar("T")
_LOGGER = logging.getLogger(__name__)

REST_MS: Final = 5_000
"""Between two writes. A day of visits writes some 600 times, a day of nothing but entries 17,280 times: of
64 records in turn each page then bears its million cycles for 290 years, or for ten."""
RETRY_MS: Final = 60_000


class Followed(Protocol):
    """What of the journal is kept; `Journal` fits."""

    @property
    def state(self) -> LockerState: ...

    @property
    def head(self) -> bytes: ...

    def subscribe(self, callback: Callable[[LockerState, tuple[Entry, ...]], None]) -> Callable[[], None]: ...


@dataclass(frozen=True, slots=True)
class Ways:
    """What the keeper does not do itself. ``judge`` blocks, ``begin`` raises JournalFailing."""

    judge: Callable[[Mark], Break | None]
    begin: Callable[[Break], Awaitable[object]]


class Keeper:
    """``check`` before anything is served, then `run`; `close` after the journal's last entry."""

    def __init__(
        self, place: Place | None, journal: Followed, clock: Clock, executor: Executor, ways: Ways
    ) -> None:
        self._place = place
        self._clock = clock
        self._executor = executor
        self._ways = ways
        self._alone = asyncio.Lock()
        self._news = Wake(clock)
        self._wanted = Mark(journal.state.epoch, journal.state.seq, journal.head)
        self._sight: Sight | None = None
        """What stands there; None until it was compared and found to be ours."""
        self.standing = Standing.NONE
        self.why = ""
        if place is not None:
            journal.subscribe(self._follow)

    @classmethod
    def of(cls, config: Config, platform: Platform, journal: Journal, world: World) -> "Keeper":
        def judge(mark: Mark) -> Break | None:
            return missing(config.journal_path, mark.epoch, mark.seq, mark.head)

        async def begun(why: Break) -> bool:
            return await begin(world, journal, why, journal.state.epoch)

        place = place_of(config)
        return cls(place, journal, platform.clock, platform.reader_thread, Ways(judge, begun))

    def told(self) -> dict[str, Any]:
        """For status and doctor."""
        kept = self._sight.mark if self._sight else None
        where = {"epoch": kept.epoch, "seq": kept.seq} if kept else {}
        return {"standing": self.standing.value, "why": self.why, **where}

    async def check(self) -> None:
        """Compare; begin a new epoch where the journal is not the one that the anchor knows.

        Raises JournalFailing, JournalUnreadable.
        """
        if self._place is None:
            return
        try:
            sight = await self._blocking(self._place.look)
        except PlaceError as error:
            self._stand(Standing.UNREADABLE, str(error))
            return
        if sight.mark is None:
            self._stand(
                sight.standing, f"{self._place.path}: lockerctl anchor adopt begins it for this locker"
            )
            return
        mark = sight.mark
        broken = await self._blocking(lambda: self._ways.judge(mark))
        if broken is not None:
            _LOGGER.critical(
                "this journal is not the one that was here last (%s: the anchor knows entry %d of %s): no"
                " door opens before the centre, or two staff on site, have had their say",
                broken.value,
                mark.seq,
                mark.epoch,
            )
            await self._ways.begin(broken)
        self._sight = sight
        self._stand(Standing.KEPT)

    async def run(self) -> None:
        """Never returns, but where there is no place. Raises JournalFailing, JournalUnreadable."""
        while self._place is not None:
            if self.standing is Standing.UNREADABLE:
                await self.check()
            await self._write()
            fine = self.standing is Standing.KEPT
            rested_ms = self._clock.mono_ms() + (REST_MS if fine else RETRY_MS)
            if fine and self._is_kept():
                await self._news.wait(None)
            await self._clock.sleep_until(rested_ms)

    async def close(self) -> None:
        """The last word of an orderly stop."""
        await self._write()

    def _follow(self, state: LockerState, entries: tuple[Entry, ...]) -> None:
        if entries:
            self._wanted = Mark(state.epoch, state.seq, entries[-1].hash)
            self._news.now()

    def _is_kept(self) -> bool:
        return self._sight is not None and self._sight.mark == self._wanted

    async def _write(self) -> None:
        async with self._alone:
            place, sight, wanted = self._place, self._sight, self._wanted
            if place is None or sight is None or sight.mark == wanted:
                return
            try:
                self._sight = await self._blocking(lambda: place.put(sight, wanted))
            except PlaceError as error:
                self._stand(Standing.UNWRITABLE, str(error))
            else:
                self._stand(Standing.KEPT)

    def _stand(self, standing: Standing, why: str = "") -> None:
        if (standing, why) != (self.standing, self.why) and standing is not Standing.KEPT:
            _LOGGER.error("the rollback anchor is %s: %s", standing.value, why)
        self.standing, self.why = standing, why

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def place_of(config: Config) -> Place | None:
    """None where the configuration names none."""
    file = config.anchor.file
    return Place(config.path.parent / file, config.locker.id) if file else None
