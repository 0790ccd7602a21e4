"""The daemon, offline, on a card that was put back: it opens nothing from its very start."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from firmware_bridge.bus import Bus
from firmware_bridge.cabinet import LineThread
from firmware_bridge.line import OpenPort
from locker.config import Config, load
from locker.daemon import Daemon, build
from locker.domain import events as ev
from locker.domain.errors import Reason, Refusal
from locker.domain.history import Break
from locker.journal.journal import Journal
from locker.operations.open_door import no_door_opens
from locker.operations.ports import Decided
from locker.platform import Keys, Platform, ScreenSession
from sync.link.settings import Draw, LinkPort, LinkSettings, Waiter
from tests.locker.configured import TEXT, write
from tests.locker.test_ctl_copies import keys, lockerctl
from tests.sync.edges import FakeLink

ANCHOR = '\n[anchor]\nfile = "../eeprom"\n'


def nobody(_settings: LinkSettings, _waiter: Waiter, _draw: Draw) -> LinkPort:
    """No broker is asked: the daemon is built, its link is not run."""
    return FakeLink()


def no_line(_bus: Bus, _open_port: OpenPort, _ended: Callable[[], None]) -> LineThread:
    """Never started: no sensor is asked."""
    return cast("LineThread", SimpleNamespace(now=lambda: 0.0))


@asynccontextmanager
async def run_of(
    config: Config, *, cut: bool = False, screen: ScreenSession | None = None
) -> AsyncIterator[Daemon]:
    """One life of the daemon, as `locker.daemon.run` has it, without lines and broker. ``cut``: at its end
    the power goes."""
    world = replace(Platform.real(), make_link=nobody, make_line=no_line, screen=screen)
    with contextlib.closing(world) as platform:
        own = Keys.load(config.keys_dir, config.locker_id, config.area)
        journal = await Journal.open(
            config.journal_path, platform.clock, platform.random_bytes, platform.journal_thread
        )
        try:
            daemon = await build(config, platform, own, journal)
            with contextlib.closing(daemon.reader):
                yield daemon
            if not cut:
                await daemon.keeper.close()
        finally:
            await journal.close()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "card"
    (site / "state").mkdir(parents=True)
    keys(site / "keys")
    (tmp_path / "eeprom").write_bytes(b"\xff" * 4096)
    return site


async def a_day(config: Config) -> None:
    async with run_of(config) as daemon:
        fact = ev.GuessesCounted("unknown_code", 1)
        await daemon.journal.commit("keypad", lambda _state: Decided(None, (fact,)))


@pytest.mark.rule("LKR-117")
@pytest.mark.parametrize("anchored", [True, False])
async def test_an_older_image_of_the_card_opens_nothing_though_nobody_can_be_asked(
    site: Path, *, anchored: bool
) -> None:
    path = write(site, TEXT + (ANCHOR if anchored else ""))
    config = load(path)
    if anchored:
        assert lockerctl("anchor", path, "adopt") == 0
    await a_day(config)
    image = shutil.copytree(site / "state", site.parent / "image")
    await a_day(config)
    shutil.rmtree(site / "state")
    image.rename(site / "state")
    async with run_of(config, cut=True) as daemon:
        state = daemon.journal.state
        assert no_door_opens(state) == (Refusal(Reason.HISTORY_AWAITED) if anchored else None)
        assert state.history.broken == (Break.LOST_ROWS if anchored else "")
        first = state.epoch
    async with run_of(config) as daemon:
        epoch = daemon.journal.state.epoch
        assert (epoch != first) is anchored, "the power went before the anchor could follow: found once more"
    async with run_of(config) as daemon:
        assert daemon.journal.state.epoch == epoch, "found once, not at every start"
        assert daemon.journal.state.history.awaited is anchored, "and it is not forgotten either"


@pytest.mark.rule("LKR-117")
async def test_a_brand_new_card_is_another_one(site: Path) -> None:
    path = write(site, TEXT + ANCHOR)
    assert lockerctl("anchor", path, "adopt") == 0
    await a_day(load(path))
    shutil.rmtree(site / "state")
    (site / "state").mkdir()
    async with run_of(load(path)) as daemon:
        history = daemon.journal.state.history
        assert (history.broken, history.awaited, history.unconfirmed) == (Break.SUPERSEDED, True, True)


async def test_the_same_card_serves_at_once_however_often_it_starts(site: Path) -> None:
    path = write(site, TEXT + ANCHOR)
    assert lockerctl("anchor", path, "adopt") == 0
    for _ in range(3):
        await a_day(load(path))
    async with run_of(load(path)) as daemon:
        assert no_door_opens(daemon.journal.state) is None
        assert daemon.keeper.told()["standing"] == "kept"
        assert not daemon.journal.state.history.broken
