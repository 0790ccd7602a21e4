"""A page that gives no sign of life is told, and gets a fresh session as rarely as that helps."""

import asyncio
from pathlib import Path
from typing import Final

import httpx
import pytest

from locker.config import load
from locker.daemon import Daemon, _status
from locker.domain.events import Event, TicketOpened
from locker.platform import ScreenSession
from locker.watching import troubles
from locker.watching.screen import LOOK_S, PAUSE_MAX_S, PAUSE_S, QUIET_S, START_S, Screen
from locker.watching.tell import round_of
from tests.locker.anchor.test_daemon import run_of
from tests.locker.configured import write
from tests.locker.test_ctl_copies import keys
from tests.sync.edges import VirtualClock

ALIVE_S: Final = 10
"""The page says so this often (`alive.js`)."""
HOUR_S: Final = 3_600


class Stand:
    """A locker that has a screen, and its page."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.belongs = True
        self.wishes: list[int] = []
        self.screen = Screen(ScreenSession(lambda: self.belongs, self._wish))
        self._began_ms = self.clock.mono_ms()
        self.running = asyncio.ensure_future(self.screen.run(self.clock))

    @property
    def now_s(self) -> int:
        return (self.clock.mono_ms() - self._began_ms) // 1000

    def _wish(self) -> None:
        self.wishes.append(self.now_s)

    async def lives(self, for_s: int) -> None:
        for _ in range(for_s // ALIVE_S):
            self.screen.lives()
            await self.clock.advance(ALIVE_S * 1000)
        self.screen.lives()

    async def hangs(self, for_s: int) -> None:
        await self.clock.advance(for_s * 1000)

    @property
    def is_dead(self) -> bool:
        sight = self.screen.sight()
        assert sight is not None
        return sight.is_dead


@pytest.fixture
async def stand() -> Stand:
    return Stand()


async def test_a_page_that_lives_is_left_in_peace(stand: Stand) -> None:
    await stand.lives(HOUR_S)
    assert not stand.is_dead
    assert stand.wishes == []


async def test_a_page_that_hangs_is_found_out_within_a_minute(stand: Stand) -> None:
    await stand.lives(100)
    await stand.hangs(QUIET_S - LOOK_S)
    assert (stand.is_dead, stand.wishes) == (False, [])
    await stand.hangs(LOOK_S)
    assert (stand.is_dead, stand.wishes) == (True, [100 + QUIET_S])
    stand.screen.lives()
    assert not stand.is_dead


async def test_a_first_page_that_was_lost_is_found_out(stand: Stand) -> None:
    """It never lived; the browser has time to start."""
    await stand.hangs(START_S - LOOK_S)
    assert (stand.is_dead, stand.wishes) == (False, [])
    await stand.hangs(LOOK_S)
    assert (stand.is_dead, stand.wishes) == (True, [START_S])


async def test_what_does_not_help_is_tried_more_and_more_rarely(stand: Stand) -> None:
    """A screen whose plug is out."""
    await stand.hangs(2 * HOUR_S)
    between = [later - sooner for sooner, later in zip(stand.wishes, stand.wishes[1:], strict=False)]
    assert between == [PAUSE_S, 2 * PAUSE_S, *[PAUSE_MAX_S] * 6]
    sight = stand.screen.sight()
    assert sight is not None
    assert sight.renewed == len(stand.wishes)


async def test_what_helps_is_done_again_after_the_shortest_pause(stand: Stand) -> None:
    """A page that hangs again and again: never twice within the pause, and the pause does not grow."""
    for _ in range(20):
        await stand.lives(30)
        await stand.hangs(120)
    between = [later - sooner for sooner, later in zip(stand.wishes, stand.wishes[1:], strict=False)]
    assert len(between) >= 8
    assert all(PAUSE_S <= each <= PAUSE_S + 150 for each in between)


async def test_a_daemon_that_stood_still_itself_blames_nobody(stand: Stand) -> None:
    """Stopped, swapped out, put to sleep: the page's words wait in its socket meanwhile."""
    await stand.lives(100)
    stand.clock.now_ms += HOUR_S * 1000
    await stand.hangs(LOOK_S)
    assert (stand.is_dead, stand.wishes) == (False, [])


async def test_a_machine_without_a_screen_misses_none(stand: Stand) -> None:
    stand.belongs = False
    await stand.hangs(HOUR_S)
    assert (stand.screen.sight(), stand.wishes) == (None, [])
    stand.belongs = True
    await stand.hangs(LOOK_S)
    assert (stand.is_dead, stand.wishes) == (False, [])


async def test_without_a_session_nothing_is_looked_at() -> None:
    screen, clock = Screen(None), VirtualClock()
    await asyncio.wait_for(screen.run(clock), 5)
    screen.lives()
    screen.look()
    assert screen.sight() is None


def named(daemon: Daemon) -> set[str]:
    return {each.name for each in troubles.found(daemon.watch.look.take())}


async def test_the_whole_daemon_tells_of_a_dead_screen_until_its_page_lives(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    keys(tmp_path / "keys")
    wishes: list[str] = []
    session = ScreenSession(lambda: True, lambda: wishes.append("fresh"))
    async with run_of(load(write(tmp_path)), screen=session) as daemon:
        page = httpx.AsyncClient(transport=httpx.ASGITransport(daemon.kiosk), base_url="http://127.0.0.1")
        async with page:
            for _ in range(START_S // LOOK_S):
                assert "screen_dead" not in named(daemon)
                daemon.watch.screen.look()
            assert "screen_dead" in named(daemon)
            assert (await _status(daemon))["screen"] == {"quiet_s": START_S, "is_dead": True, "renewed": 1}
            told: list[Event] = []
            daemon.journal.subscribe(lambda _state, entries: told.extend(each.event for each in entries))
            await round_of(daemon.watch.look, daemon.journal)
            assert "machine_screen_dead" in [each.kind for each in told if isinstance(each, TicketOpened)]
            assert wishes == ["fresh"]
            own = {"x-kiosk-boot": daemon.kiosk.state.boot}
            assert (await page.post("/api/alive", json={}, headers=own)).status_code == 204
            assert "screen_dead" not in named(daemon)
