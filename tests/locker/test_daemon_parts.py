"""What the daemon does where one of its parts ends: the journal's failing is outlived, a fault is not."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
from starlette.applications import Starlette

from hw_sim.free_port import free_port
from locker import daemon, kiosk_server
from locker.control import ask
from locker.daemon import Daemon, control, serve
from locker.domain.events import StaffRevoked
from locker.domain.ids import Seq, StaffId
from locker.journal.journal import Journal
from locker.journal.reader import Reader
from locker.kiosk_server import CannotStart, KioskEnded, KioskServer
from locker.operations.ports import JournalFailing
from locker.operations.self_tester import SelfTester
from locker.platform import LockerClock, Times
from sync.edge.edge import EdgeStatus
from tests.locker.operations.world import MemoryWorld, VirtualClock
from tests.sync.edges import VirtualClock as LoopClock

STATUS = EdgeStatus(
    connected=True, centre_online=True, stored_to=0, unsynced=0, last_hello_wall_ms=None, last_loss=""
)


async def for_ever() -> None:
    await asyncio.Event().wait()


async def nothing() -> None:
    pass


async def run_around(_show: object, _hearing: object) -> None:
    pass


class Fake:
    """A daemon whose parts a test holds in its hands."""

    def __init__(self, m: MemoryWorld, folder: Path) -> None:
        self.closed: list[str] = []
        self.commits: list[str] = []
        app = Starlette()
        app.state.kiosk = SimpleNamespace(close=lambda: None)
        self.parts = SimpleNamespace(
            config=SimpleNamespace(
                locker_id="loc-1",
                wiring=SimpleNamespace(),
                control_path=folder / "control.sock",
                kiosk=SimpleNamespace(host="127.0.0.1", port=free_port()),
            ),
            platform=SimpleNamespace(clock=LockerClock(Times.real())),
            journal=SimpleNamespace(
                state=m.journal.state,
                head=b"",
                failing=False,
                subscribe=lambda _callback: None,
                acknowledged=0,
                acknowledge=self.acknowledge,
                commit=self.commit,
            ),
            cabinet=SimpleNamespace(start=lambda: None, close=self.close_cabinet, report=list),
            world=m.world,
            follower=SimpleNamespace(run=for_ever),
            surroundings=SimpleNamespace(run=for_ever),
            watch=SimpleNamespace(run=self.watch, tell=for_ever, screen=SimpleNamespace(sight=lambda: None)),
            keeper=SimpleNamespace(run=for_ever, close=nothing, told=dict),
            around=SimpleNamespace(run=run_around, close=nothing, report=lambda: None),
            tester=SelfTester(m.world, tuple, {}),
            acts=SimpleNamespace(run=for_ever),
            edge=SimpleNamespace(
                run=for_ever,
                stop=nothing,
                status=STATUS,
                dropped={},
                countersigned=b"frame",
                countersigned_to=("ab", 0),
            ),
            kiosk=app,
        )
        self.acknowledged: list[int] = []

    async def acknowledge(self, seq: Seq, frame: bytes, epoch: str) -> None:
        assert epoch == "ab"
        assert frame == b"frame"
        self.acknowledged.append(seq)

    async def commit(self, cause: str, _decide: object) -> None:
        self.commits.append(cause)

    async def watch(self) -> None:
        try:
            await for_ever()
        finally:
            self.closed.append("watch")

    async def close_cabinet(self) -> None:
        self.closed.append("cabinet")

    async def serve(self, stopping: asyncio.Event) -> None:
        daemon = cast("Daemon", self.parts)
        page = KioskServer(daemon.kiosk, daemon.config.kiosk)
        async with control(daemon):
            await asyncio.wait_for(serve(daemon, page, stopping), 10)


@pytest.fixture
async def fake(tmp_path: Path) -> Fake:
    return Fake(await MemoryWorld.start(), tmp_path)


def failing(error: BaseException) -> Callable[[], Awaitable[None]]:
    async def part() -> None:
        raise error

    return part


async def answered(fake: Fake) -> dict[str, Any]:
    """The status, once the socket listens."""
    for _ in range(1_000):
        try:
            return dict(await ask(fake.parts.config.control_path, {"do": "status"}))
        except FileNotFoundError:
            await asyncio.wait({asyncio.ensure_future(nothing())})
    raise AssertionError("nobody listened")


DEEP = ExceptionGroup("a", [ExceptionGroup("b", [JournalFailing("the disk is full")])])


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ("follower", JournalFailing("the disk is full")),
        ("edge", DEEP),
        ("edge", JournalFailing("the disk is full")),
    ],
)
async def test_a_failing_journal_is_said_and_outlived(
    fake: Fake, part: str, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    getattr(fake.parts, part).run = failing(error)
    stopping = asyncio.Event()
    running = asyncio.ensure_future(fake.serve(stopping))
    assert (await answered(fake))["ok"]
    assert not running.done()
    assert "no door opens any more: the disk is full" in caplog.text
    stopping.set()
    await running
    assert fake.closed
    assert fake.commits == ["daemon"]


async def test_where_no_ticket_can_be_recorded_page_and_screen_are_watched_on(fake: Fake) -> None:
    fake.parts.watch.tell = failing(JournalFailing("the disk is full"))
    stopping = asyncio.Event()
    running = asyncio.ensure_future(fake.serve(stopping))
    assert (await answered(fake))["ok"]
    assert "watch" not in fake.closed
    stopping.set()
    await running
    assert "watch" in fake.closed


@pytest.mark.parametrize("part", ["follower", "edge"])
async def test_any_other_fault_ends_all_loudly(fake: Fake, part: str) -> None:
    getattr(fake.parts, part).run = failing(LookupError("a bug"))
    with pytest.raises(ExceptionGroup) as caught:
        await fake.serve(asyncio.Event())
    assert caught.value.subgroup(LookupError)
    assert fake.closed
    assert not fake.parts.config.control_path.exists()


async def test_a_fault_beside_a_failing_journal_is_a_fault(fake: Fake) -> None:
    both = ExceptionGroup("", [JournalFailing("full"), LookupError("a bug")])
    fake.parts.edge.run = failing(both)
    with pytest.raises(ExceptionGroup) as caught:
        await fake.serve(asyncio.Event())
    assert caught.value.subgroup(LookupError)
    assert not caught.value.subgroup(JournalFailing)


async def test_a_page_that_ends_by_itself_is_a_fault(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ended(_server: object, *, sockets: object) -> None:
        del sockets

    monkeypatch.setattr(kiosk_server._Server, "serve", ended)
    with pytest.raises(ExceptionGroup) as caught:
        await fake.serve(asyncio.Event())
    assert caught.value.subgroup(KioskEnded)


async def test_an_address_in_use_is_named_before_anything_moves(fake: Fake) -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", fake.parts.config.kiosk.port)
    async with server:
        with pytest.raises(CannotStart, match=r"cannot have 127\.0\.0\.1:\d+ .*Stop what holds it"):
            await fake.serve(asyncio.Event())
    assert not fake.parts.config.control_path.exists()


async def test_the_cursor_is_kept_once_a_minute(fake: Fake) -> None:
    clock = LoopClock()
    fake.parts.edge.countersigned_to = ("ab", 7)
    fake.parts.platform = SimpleNamespace(clock=clock)
    rounds = asyncio.create_task(daemon._upkeep(cast("Daemon", fake.parts)))
    await clock.advance(59_999)
    assert fake.acknowledged == []
    await clock.advance(1)
    assert fake.acknowledged == [7]
    await clock.advance(125_000)
    assert fake.acknowledged == [7, 7, 7]
    rounds.cancel()


async def test_upkeep_rests_until_something_happens_or_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    m = await MemoryWorld.start()
    begun: list[int] = []

    async def counted(_world: object) -> None:
        begun.append(clock.mono_ms())

    monkeypatch.setattr(daemon, "upkeep", counted)
    for step in ("sign_head", "forget_names", "_keep_cursor"):
        monkeypatch.setattr(daemon, step, AsyncMock())
    clock = LoopClock()
    world = replace(m.world, clock=clock)
    parts = SimpleNamespace(platform=SimpleNamespace(clock=clock), world=world, journal=m.journal)
    rounds = asyncio.create_task(daemon._upkeep(cast("Daemon", parts)))
    began_ms = clock.mono_ms()
    await clock.advance(50_000)
    await m.say(StaffRevoked(StaffId("h1")))  # makes nothing due
    await clock.advance(20_000)
    minute_ms = began_ms + daemon.DAYS_MS
    assert begun == [minute_ms]
    world.guesses.typed, world.guesses.counted_mono_ms = 1, minute_ms - 20_000
    world.guesses.came()
    await clock.advance(25_000)
    due_ms = minute_ms + 40_001
    assert begun == [minute_ms]
    await clock.advance(12_000)
    assert begun == [minute_ms, due_ms, due_ms + daemon.UPKEEP_MS]  # never two within so little time
    rounds.cancel()


async def test_a_kept_cursor_is_there_after_a_restart_and_never_goes_back(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as thread:
        path, clock = tmp_path / "j.sqlite3", VirtualClock()
        journal = await Journal.open(path, clock, bytes, thread)
        await journal.acknowledge(Seq(0))
        await journal.acknowledge(Seq(5), b"signed 5")
        await journal.acknowledge(Seq(3), b"signed 3")
        await journal.close()
        journal = await Journal.open(path, clock, bytes, thread)
        assert journal.acknowledged == 5
        await journal.close()
        with closing(Reader(path)) as reader:
            assert reader.countersigned() == b"signed 5"


def test_a_thread_that_dies_takes_the_process_with_it() -> None:
    """Otherwise its doors would look quiet for ever."""
    program = (
        "import threading, time, locker.__main__ as m\n"
        "threading.excepthook = m._end_with_thread\n"
        "t = threading.Thread(target=lambda: 1 / 0, name='line')\n"
        "t.start()\n"
        "threading.Event().wait(20)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=15, check=False
    )
    assert done.returncode == 1
    assert "line ended by a fault" in done.stderr
