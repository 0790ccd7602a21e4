"""The composition root: builds one locker from its configuration, runs it, and stops it in order."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Protocol

from starlette.applications import Starlette

from firmware_bridge.around import Around
from firmware_bridge.cabinet import Cabinet
from firmware_bridge.gpio import GpioError
from kiosk_ui import scans
from kiosk_ui.backroom import Backroom, Contact, Wires
from kiosk_ui.view import Settings
from kiosk_ui.web import create_app
from locker import watchdog
from locker.anchor.keeper import Keeper
from locker.assembly import Assembly, assemble
from locker.commands import bus, check, selftest
from locker.config import Config, MqttSection
from locker.control import Control
from locker.domain.events import Stopped
from locker.domain.figures import LineFigures
from locker.domain.history import Break
from locker.domain.ids import CompartmentNumber, Seq
from locker.journal.journal import Journal
from locker.journal.reader import Reader
from locker.kiosk_server import CannotStart, KioskServer
from locker.operations import directives
from locker.operations.acts import Acts
from locker.operations.follow_doors import DoorFollower
from locker.operations.follow_surroundings import SurroundingsFollower
from locker.operations.forget_names import forget_names
from locker.operations.new_epoch import Beginnings
from locker.operations.pickup_codes import awaits_centre
from locker.operations.ports import Decided, JournalFailing, World
from locker.operations.recover import recover
from locker.operations.self_tester import SelfTester
from locker.operations.upkeep import next_ms, sign_head, upkeep
from locker.platform import Keys, Platform, notify, watchdog_ms
from locker.watching.look import Look, Sources
from locker.watching.screen import Screen
from locker.watching.watch import Watch
from sync import wire
from sync.edge.edge import Edge, Reports
from sync.edge.hello import ForkFound
from sync.edge.ports import Identity
from sync.edge.wake import Wake
from sync.link.settings import LinkSettings, Subscription, TlsFiles

_LOGGER = logging.getLogger(__name__)

SOFTWARE: Final = f"doclocker {version('doclocker')}"
UPKEEP_MS: Final = 5_000
"""Small against every limit that upkeep enforces: rounds are at least this far apart, and as late as that."""
CURSOR_MS: Final = 60_000
"""How often the centre's acknowledgement is made durable; a hello carries the truth anyway."""
DAYS_MS: Final = 60_000
"""How often is looked for what days bring about: holds that ran out, names that are due to go."""
SELF_TEST_STOP_MS: Final = 2_000
"""One that runs has journaled its end by then."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """One locker, built and not yet running."""

    config: Config
    platform: Platform
    journal: Journal
    reader: Reader
    cabinet: Cabinet
    world: World
    follower: DoorFollower
    around: Around
    surroundings: SurroundingsFollower
    tester: SelfTester
    acts: Acts
    edge: Edge
    kiosk: Starlette
    watch: Watch
    keeper: Keeper


async def run(config: Config, platform: Platform) -> None:
    """Serve until SIGTERM or SIGINT; an outage of port, board or broker never ends it.

    Raises KeysError, CannotStart or a JournalError at start, and in a group whatever is a fault later.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    keys = Keys.load(config.keys_dir, config.locker_id, config.area)
    try:
        config.state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"{config.state_dir}: {error.strerror}. Correct state_dir or its owner") from error
    journal = await Journal.open(
        config.journal_path, platform.clock, platform.random_bytes, platform.journal_thread
    )
    try:
        daemon = await build(config, platform, keys, journal)
        with contextlib.closing(daemon.reader):
            page = KioskServer(daemon.kiosk, config.kiosk)
            async with control(daemon):
                await serve(daemon, page, stopping)
    finally:
        await journal.close()
        platform.close()


async def build(config: Config, platform: Platform, keys: Keys, journal: Journal) -> Daemon:
    """Everything of one locker around its open journal; the start of this run is journaled already."""
    doors = _doors(config, platform, keys, journal)
    world, cabinet, loop = doors.world, doors.cabinet, asyncio.get_running_loop()
    tester = _tester(config, world, cabinet)
    acts = Acts(world, tester)
    journal.subscribe(tester.entries_committed)
    journal.subscribe(acts.entries_committed)
    await _begin(world, journal, config, keys)
    keeper = Keeper.of(config, platform, journal, world)
    await _while_recording(keeper.check())
    reader = await loop.run_in_executor(platform.reader_thread, Reader, config.journal_path)
    edge = _edge(config, platform, keys, world, journal, reader, acts)
    here, shown = config.locker, config.kiosk
    settings = Settings(place=here.place, help_line=here.help_line, scanner=shown.scanner, bags=shown.bags)
    backroom = Backroom(cabinet.report, lambda: _contact(edge), _wires(config), SOFTWARE, tester)
    watch = _watch(config, platform, journal, cabinet, edge, keeper)
    lives = watch.screen.lives
    kiosk = create_app(world, journal.subscribe, settings, lambda: journal.failing, backroom, lives)
    return Daemon(
        config,
        platform,
        journal,
        reader,
        cabinet,
        world,
        doors.follower,
        doors.around,
        doors.surroundings,
        tester,
        acts,
        edge,
        kiosk,
        watch,
        keeper,
    )


def _watch(
    config: Config, platform: Platform, journal: Journal, cabinet: Cabinet, edge: Edge, keeper: Keeper
) -> Watch:
    def centre() -> tuple[bool, int]:
        status = edge.status
        return status.centre_online, status.unsynced

    certificate = config.path.parent / config.mqtt.cert if config.mqtt.ca else None
    screen = Screen(platform.screen)
    about = (config.locker_id, SOFTWARE, config.state_dir, certificate, platform, journal)
    look = Look(Sources(*about, cabinet.report, centre, lambda: keeper.standing, screen.sight))
    return Watch(look, screen, journal, platform.clock, config.status.port)


def _doors(config: Config, platform: Platform, keys: Keys, journal: Journal) -> Assembly:
    try:
        return assemble(config, platform, keys, journal)
    except GpioError as error:
        raise CannotStart(f"{config.path}: {error}") from error


def _contact(edge: Edge) -> Contact:
    status = edge.status
    return Contact(status.centre_online, status.last_hello_wall_ms or 0, status.unsynced, status.fork)


def _wires(config: Config) -> Mapping[CompartmentNumber, Wires]:
    return {
        door: Wires(
            (wired.lock.board, wired.lock.channel),
            (wired.sensor.board, wired.sensor.channel),
            (wired.item.board, wired.item.channel) if wired.item else None,
        )
        for door, wired in config.wiring.compartments.items()
    }


def _tester(config: Config, world: World, cabinet: Cabinet) -> SelfTester:
    boards, wired = config.wiring.boards, config.wiring.compartments
    lines = {door: boards[each.sensor.board].line for door, each in wired.items()}
    mute = {door for door, each in wired.items() if not boards[each.lock.board].profile.replies_to_pulse}
    return SelfTester(world, cabinet.report, lines, frozenset(mute))


async def _begin(world: World, journal: Journal, config: Config, keys: Keys) -> None:
    """Journal the start. A locker with a history serves even if that fails: its page says whom to call."""
    begun = recover(world, SOFTWARE, journal.boot, config.cabinet, config.policy, known=keys.known)
    if journal.state.epoch:
        await _while_recording(begun)
    else:
        await begun


def _edge(
    config: Config,
    platform: Platform,
    keys: Keys,
    world: World,
    journal: Journal,
    reader: Reader,
    acts: Acts,
) -> Edge:
    clock, draw = platform.clock, world.secrets.draw
    link = platform.make_link(_link_settings(config), clock, draw)
    identity = Identity(config.locker_id, keys.own, dict(keys.centre_sign), SOFTWARE)
    background: set[asyncio.Task[None]] = set()

    beginnings = Beginnings(world, journal)

    def later(work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(_while_recording(work))
        background.add(task)
        task.add_done_callback(background.discard)

    def on_fork(fork: ForkFound) -> None:
        _report_fork(fork)
        later(beginnings.found(Break(fork.outcome.value), fork.epoch))

    def on_centre_time(now_ms: int, uncertainty_ms: int) -> None:
        if clock.learn_centre_time(now_ms, uncertainty_ms):
            later(journal.say_step("centre"))

    return Edge(
        link,
        journal,
        reader,
        clock,
        platform.reader_thread,
        identity,
        lambda directive, epoch, link_hash: directives.apply(world, directive, epoch, link_hash),
        Reports(on_centre_time, on_fork),
        take=acts.take,
        draw=draw,
        random_bytes=platform.random_bytes,
        disk_used_percent=lambda: platform.disk_used_percent(config.state_dir),
    )


def _report_fork(fork: ForkFound) -> None:
    _LOGGER.critical(
        "the centre knows another history (%s, its head %d, ours %d): a new epoch begins",
        fork.outcome,
        fork.centre_stored_to,
        fork.head,
    )


def _link_settings(config: Config) -> LinkSettings:
    mqtt, base = config.mqtt, config.path.parent
    tls = None
    if mqtt.ca:
        tls = TlsFiles(base / mqtt.ca, base / mqtt.cert, base / mqtt.key)
    return LinkSettings(
        mqtt.host,
        mqtt.port,
        config.locker.id,
        (
            Subscription(wire.everything_down(config.locker.id)),
            Subscription(wire.CENTRAL_LINK),
        ),
        user=mqtt.user,
        password=_password(mqtt, base),
        tls=tls,
        first_delay_s=mqtt.loss_delay_max_s,
    )


def _password(mqtt: MqttSection, base: Path) -> str:
    return (base / mqtt.password_file).read_text(encoding="utf-8").strip() if mqtt.password_file else ""


@contextlib.asynccontextmanager
async def control(daemon: Daemon) -> AsyncIterator[None]:
    """What `lockerctl` asks of a running daemon."""
    config = daemon.config
    control = Control(
        config.control_path,
        {
            "status": lambda _question: _status(daemon),
            **selftest.answers(daemon.tester),
            **check.answers(daemon.world, daemon.cabinet.report, daemon.around.report),
            **bus.answers(daemon.cabinet, config.wiring, daemon.platform.clock, daemon.journal),
        },
    )
    await control.start()
    try:
        yield
    finally:
        await control.close()


class Page(Protocol):
    """What serves the kiosk to its screen; `KioskServer` fits."""

    async def serve(self) -> None: ...

    async def stop(self) -> None: ...


async def serve(daemon: Daemon, page: Page, stopping: asyncio.Event) -> None:
    """Run every part until ``stopping``; a part that fails for a reason of its own ends all, loudly."""
    try:
        daemon.cabinet.start()
        async with asyncio.TaskGroup() as group:
            parts = [
                group.create_task(_while_recording(daemon.follower.run()), name="doors"),
                group.create_task(_while_recording(daemon.surroundings.run()), name="surroundings"),
                group.create_task(_run_around(daemon), name="around"),
                group.create_task(_while_recording(_upkeep(daemon)), name="upkeep"),
                group.create_task(daemon.tester.run(), name="self-test"),
                group.create_task(_while_recording(daemon.acts.run()), name="acts"),
                group.create_task(_while_recording(daemon.edge.run()), name="edge"),
                group.create_task(page.serve(), name="kiosk"),
                group.create_task(daemon.watch.run(), name="watching"),
                group.create_task(_while_recording(daemon.watch.tell()), name="troubles"),
                group.create_task(_while_recording(daemon.keeper.run()), name="rollback anchor"),
                group.create_task(_feed_watchdog(daemon), name="watchdog"),
            ]
            await stopping.wait()
            notify("STOPPING=1")
            await daemon.tester.close(SELF_TEST_STOP_MS)
            await page.stop()
            # Doors first: what waits is not sent, what is under way is heard out and journaled.
            await daemon.cabinet.close()
            await daemon.around.close()
            await _while_recording(_say_stopped(daemon))
            await daemon.keeper.close()
            await daemon.edge.stop()
            for part in parts:
                part.cancel()
    finally:
        await daemon.cabinet.close()
        await daemon.around.close()


async def _run_around(daemon: Daemon) -> None:
    """Contacts and scanner; what is scanned is shown to the kiosk."""
    kiosk = daemon.kiosk.state.kiosk
    await daemon.around.run(lambda digits: scans.show(kiosk, digits), scans.hearing(kiosk))


async def _while_recording(part: Coroutine[Any, Any, None]) -> None:
    """Run a part; once the journal fails it ends, while kiosk and status stay to say so."""
    try:
        await part
    except* JournalFailing as failing:
        _LOGGER.critical("no door opens any more: %s", _first(failing))


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    """What is at the bottom of groups of groups."""
    inner: BaseException = group
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    return inner


async def _upkeep(daemon: Daemon) -> None:
    """A look after whatever happened; a round when something is due, and each minute."""
    clock, world = daemon.platform.clock, daemon.world
    news = Wake(clock)
    daemon.journal.subscribe(lambda _state, _entries: news.now())
    world.guesses.came = news.now
    cursor_due_ms, days_due_ms = clock.mono_ms() + CURSOR_MS, clock.mono_ms() + DAYS_MS
    while True:
        soonest_ms, own_ms = clock.mono_ms() + UPKEEP_MS, next_ms(world)
        is_days_turn = clock.mono_ms() >= days_due_ms
        if is_days_turn or (own_ms is not None and own_ms <= clock.mono_ms()):
            await upkeep(world)
        if is_days_turn:
            days_due_ms = clock.mono_ms() + DAYS_MS
            await forget_names(world, daemon.journal)
        await sign_head(world, lambda: daemon.journal.head)
        if clock.mono_ms() >= cursor_due_ms or awaits_centre(daemon.journal.state):
            cursor_due_ms = clock.mono_ms() + CURSOR_MS
            await _keep_cursor(daemon)
        due = (cursor_due_ms, days_due_ms, own_ms)
        await news.wait(min(moment for moment in due if moment is not None))
        await clock.sleep_until(soonest_ms)


async def _keep_cursor(daemon: Daemon) -> None:
    epoch, stored_to = daemon.edge.countersigned_to
    await daemon.journal.acknowledge(Seq(stored_to), daemon.edge.countersigned, epoch)


async def _say_stopped(daemon: Daemon) -> None:
    await _keep_cursor(daemon)
    await daemon.journal.commit("daemon", lambda _state: Decided(None, (Stopped("asked to"),)))


async def _feed_watchdog(daemon: Daemon) -> None:
    """Tell systemd, where it asks, that loop, journal and lines are alive."""
    platform, period_ms = daemon.platform, watchdog_ms()
    if period_ms:
        asks = watchdog.asks(platform.journal_thread, daemon.cabinet, daemon.config.wiring.lines)
        await watchdog.feed(platform.clock, lambda: notify("WATCHDOG=1"), period_ms, asks)


async def _status(daemon: Daemon) -> Mapping[str, Any]:
    state, edge = daemon.journal.state, daemon.edge
    return {
        "locker": daemon.config.locker_id,
        "software": SOFTWARE,
        "epoch": state.epoch,
        "seq": state.seq,
        "head": daemon.journal.head.hex(),
        "journal_failing": daemon.journal.failing,
        "clock": daemon.platform.clock.quality(),
        "centre": asdict(edge.status),
        "dropped": dict(edge.dropped),
        "lines": [_line(line) for line in daemon.cabinet.report()],
        "scanner": asdict(scanner) if (scanner := daemon.around.report()) else None,
        "surroundings": asdict(state.surroundings),
        "anchor": daemon.keeper.told(),
        "screen": asdict(seen) if (seen := daemon.watch.screen.sight()) else None,
        "compartments": {
            n: {"status": c.status, "door": c.position, "item": c.item} for n, c in state.compartments.items()
        },
    }


def _line(line: LineFigures) -> Mapping[str, Any]:
    """Without what only a self-test reads."""
    boards = tuple(replace(board, latencies_ms=()) for board in line.boards)
    return asdict(replace(line, boards=boards))
