"""One locker as a machine: cabinet, line, disk, clock, and the daemon that runs on it life after life."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import closing, suppress
from contextvars import Context
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from typing import TYPE_CHECKING, Any, Final

from firmware_bridge.bus import Bus
from firmware_bridge.line import OpenPort
from hw_sim import hands
from hw_sim.cabinet import Cabinet as Model
from hw_sim.cabinet import Move, Pulse
from hw_sim.chance import Chance
from hw_sim.clock import to_ms
from hw_sim.faults import changed
from hw_sim.gateway import Gateway
from hw_sim.layout import Layout
from hw_sim.line import Line, Wire
from hw_sim.physics import Mechanics
from hw_sim.settings import wiring
from locker import daemon
from locker.config import Config
from locker.config.config import load_text
from locker.domain.ids import BoardId
from locker.journal.journal import Journal
from locker.platform import Keys, LockerClock, Platform, Times
from tests.world import times
from tests.world.broker import Broker
from tests.world.disks import Platter, Rack, WorldVfs
from tests.world.link import WorldLink
from tests.world.loop import LIFE, VirtualLoop
from tests.world.screen import Screen
from tests.world.threads import Storing
from tests.world.wires import Spoken, WorldLine

if TYPE_CHECKING:
    from concurrent.futures import Executor

RESTART_S: Final = 2.0
"""systemd starts a daemon again after this long."""
BOOT_S: Final = 12.0
BAUD: Final = 9_600
HEAD: Final = """\
[locker]
id = "{locker}"
area = "park"
place = "world"
help_line = "12345"
state_dir = "state"
keys_dir = "keys"

[kiosk]
scanner = "screen"

[mqtt]
host = "127.0.0.1"
loss_delay_max_s = 20
"""


def nobody(*_what: object) -> None: ...


@dataclass(slots=True)
class Watchers:
    """Whoever wants to know what happens at the machine; called at once."""

    pulse: Callable[[Pulse], object] = nobody
    move: Callable[[Move], object] = nobody
    started: Callable[["Machine"], object] = nobody
    """The daemon of a new life is built: its journal can be subscribed to."""
    ended: Callable[["Machine", BaseException | None], object] = nobody


@dataclass
class Machine:
    """``folder`` holds configuration and keys on the real file system; the journal is on ``platter``."""

    name: str
    folder: Path
    layout: Layout
    broker: Broker
    rack: Rack
    vfs: WorldVfs
    rng: Random
    spoken: Spoken
    watchers: Watchers = field(default_factory=Watchers)
    baud: int = BAUD
    screen: Screen = field(default_factory=Screen)
    lines: dict[str, WorldLine] = field(default_factory=dict)
    built: daemon.Daemon | None = None
    life: int = 0
    lives: int = 0
    running: bool = False
    """Whether the daemon's process is there."""
    powered: bool = True
    link: WorldLink | None = None

    def __post_init__(self) -> None:
        self.loop: VirtualLoop = asyncio.get_running_loop()  # type: ignore[assignment]
        self.time = times.MachineTime()
        self.model = Model(self.layout, self, Mechanics())
        self.model.advance(to_ms(self.loop.time()))
        self.wires = {name: self._wire(name) for name in self.layout.lines}
        self.platter = Platter()
        self.rack.put(self.folder / "state", self.platter)
        self.storing = Storing(self.loop)
        self._mechanics: asyncio.TimerHandle | None = None
        self._stopping: asyncio.Event | None = None
        self.restarts = True
        self._plugged = frozenset(self.layout.lines)
        self._link_cut: WorldLink | None = None
        self.disk_used_percent = 20

    # --- as provisioned ---

    def write_config(self, more: str = "") -> Config:
        (self.folder / "state").mkdir(parents=True, exist_ok=True)
        urls = {name: f"/dev/tty{name}" for name in self.layout.lines}
        head = HEAD.format(locker=self.name)
        wires = wiring(self.layout, urls, dict.fromkeys(self.layout.lines, self.baud))
        path = self.folder / "locker.toml"
        path.write_text(head + more + wires, encoding="utf-8")
        return _configured(path, path.read_text(encoding="utf-8"))

    # --- what the simulated cabinet tells ---

    def pulse(self, pulse: Pulse) -> None:
        self.watchers.pulse(pulse)

    def move(self, move: Move) -> None:
        self._stir()
        self.watchers.move(move)

    # --- hands ---

    def do(self, door: int, act: str) -> bool:
        """One act of a hand. False: it could not be done."""
        self.catch_up()
        try:
            hands.do(self.model, door, act, to_ms(self.loop.time()))
        except hands.RefusedError:
            return False
        self._watch_mechanics()
        return True

    def catch_up(self) -> None:
        """Before anything changes at the cabinet."""
        for line in self.lines.values():
            line.catch_up()
        self.model.advance(to_ms(self.loop.time()))

    def advance(self, now_ms: int) -> None:
        self.model.advance(now_ms)
        self._watch_mechanics()

    def break_line(self, name: str, **wish: Any) -> None:
        self.catch_up()
        self.wires[name].faults = changed(self.wires[name].faults, wish)
        if name in self.lines:
            self.lines[name].stir()

    def reboot_board(self, line: str, address: int) -> None:
        """A board's power goes and comes back: its relays fall, what it was about to say is forgotten."""
        self.catch_up()
        anew = {board.address: board for board in self.model._build(line)}
        boards = tuple(
            anew.get(board.address, board) if board.address == address else board
            for board in self.wires[line].boards
        )
        self.model._boards[line] = self.wires[line].boards = boards
        for lock, door in self.model._locks.items():
            on = self.model.thing(door).coil_since_ms is not None
            if on and (lock.line, lock.board) == (line, address):
                self.model.switched(lock, on=False, at_ms=self.model.now_ms)
        self.break_line(line)

    def plug(self, lines: frozenset[str]) -> None:
        """These adapters are there, and no others."""
        self.catch_up()
        self._plugged = lines
        for name, line in self.lines.items():
            line.plugged = name in lines
            line.stir()

    def stands_open(self) -> bool:
        return any(self.model.thing(door).open for door in self.model.numbers)

    def watched(self) -> frozenset[BoardId] | None:
        """Boards that the cabinet keeps attending: to it a door of theirs stands open. None: something is
        about to settle."""
        if self.built is None:
            return None
        doors = self.built.cabinet._sensors.values()
        if any(each.door.pending or each.item.pending for each in doors):
            return None
        return frozenset(board for each in doors if each.door.settled is False for board in each.boards)

    def _stir(self) -> None:
        for line in self.lines.values():
            line.stir()

    def is_open(self, door: int) -> bool:
        return self.model.thing(door).open

    # --- power and processes ---

    def start(self) -> None:
        """The daemon's process, as systemd would start it."""
        if self.running or not self.powered:
            return
        self.lives += 1
        self.life = self.broker_life()
        self.running = True
        context = Context()
        context.run(LIFE.set, self.life)
        self.loop.create_task(self._live(), context=context)

    def broker_life(self) -> int:
        """A number no other life in this world has."""
        self.rack.lives += 1
        return self.rack.lives

    def kill(self) -> None:
        """SIGKILL: what it had written is there, what it had in memory is not."""
        if self.running:
            self.end(None)
            self._again(RESTART_S)

    def cut_power(self) -> None:
        """The disk keeps what was synced; of the rest, what chance leaves."""
        if not self.powered:
            return
        self.powered = False
        self._link_cut = self.link
        self.end(self.rng)
        # Nobody closes the connection: the broker finds out by itself.
        self.broker.cut(self.name, "power")

    def power_on(self) -> None:
        if self.powered:
            return
        self.powered = True
        self.time.boot()
        self.broker.mend(self.name, "power")
        if self._link_cut is not None:
            self.broker.gone(self.name, orderly=False, link=self._link_cut)
        self._again(BOOT_S)

    def stop(self) -> None:
        """SIGTERM."""
        if self._stopping is not None:
            self._stopping.set()

    def freeze(self) -> None:
        """SIGSTOP."""
        if self.running:
            self.catch_up()
            self._stir()
            self.screen.frozen = True
            self.loop.freeze(self.life)

    def thaw(self) -> None:
        self._stir()
        self.screen.frozen = False
        self.loop.thaw(self.life)

    def swap_card(self, image: Mapping[str, bytes]) -> None:
        """Another card in a machine without power."""
        assert not self.powered
        self._mount(Platter(dict(image)))

    def end(self, power: Random | None) -> None:
        self.catch_up()
        self._watch_mechanics()  # a lock that has its pulse opens, whoever gave it
        if self.link is not None and power is None:
            self.broker.gone(self.name, orderly=False, link=self.link)
        life, built = self.life, self.built
        self.storing.life = 0  # what its thread had before it is done no more
        self.running, self.built, self._stopping = False, None, None
        self.screen.app, self.screen.frozen = None, False
        for line in self.lines.values():
            line.die()
        self.lines.clear()
        self.link = None
        self._mount(self.platter.after_cut(power))
        self.loop.kill(life)
        self.storing.let_go()
        if built is not None:
            # This one has not died in truth.
            with suppress(Exception):
                built.reader.close()

    def _mount(self, platter: Platter) -> None:
        self.vfs.power_gone(self.folder / "state")
        platter.ills = self.platter.ills
        self.platter = platter
        self.rack.put(self.folder / "state", platter)

    def _again(self, after_s: float) -> None:
        if self.restarts:
            times.at(self.loop.time() + after_s, self.start)

    async def _live(self) -> None:
        """One life, as `locker.daemon.run` lives it."""
        life, problem = self.life, None
        try:
            await self._run()
        except Exception as error:  # noqa: BLE001  # whatever ends a daemon ends its process
            problem = error
        if self.life == life and self.running:
            self.watchers.ended(self, problem)
            if problem is not None:
                times.at(self.loop.time(), self.kill)
            else:
                self.running, self.built = False, None
                self.screen.app = None
                self.lines.clear()

    async def _run(self) -> None:
        path = self.folder / "locker.toml"
        config = _configured(path, path.read_text(encoding="utf-8"))
        keys = Keys.load(config.keys_dir, config.locker_id, config.area)
        platform = self._platform()
        self.storing.life = self.life
        journal = await Journal.open(
            config.journal_path, platform.clock, platform.random_bytes, platform.journal_thread
        )
        try:
            self._stopping = asyncio.Event()
            self.built = await daemon.build(config, platform, keys, journal)
            self.watchers.started(self)
            with closing(self.built.reader):
                await daemon.serve(self.built, _Page(self, self.built), self._stopping)
        finally:
            await journal.close()

    def _platform(self) -> Platform:
        clock = LockerClock(Times(self.time.mono_ms, self.time.wall_ms, lambda: self.time.is_ntp))
        at_once: Executor = self.storing
        return Platform(
            clock,
            self.rng.randbytes,
            at_once,
            self.storing.reading,
            self._line,
            self._link,
            lambda _path: self.disk_used_percent,
        )

    def _link(self, settings: Any, waiter: Any, draw: Any) -> WorldLink:
        self.link = WorldLink(self.broker, settings, waiter, draw)
        return self.link

    def _line(self, bus: Bus, _open: OpenPort, ended: Callable[[], None]) -> WorldLine:
        name = self.layout.lines[len(self.lines)]
        wire = self.wires[name]
        wire.forget()
        packets = self.layout.wire(name).transport == "modbus-tcp"
        far: Line | Gateway = Gateway(wire) if packets else wire
        self.lines[name] = WorldLine(bus, far, wire, self.advance, self.watched, self.rng, self.spoken, ended)
        self.lines[name].plugged = name in self._plugged
        return self.lines[name]

    def _wire(self, name: str) -> Line:
        wire = Wire(self.layout.wire(name).baud or self.baud)
        return Line(self.model.boards(name), wire, Chance(self.rng.randrange(2**32)), nobody)

    def _watch_mechanics(self) -> None:
        """Have the model move on by itself when it wants to."""
        due_ms = self.model.next_ms()
        if due_ms is None:
            return
        due_s = due_ms / 1000
        if (
            self._mechanics is not None
            and not self._mechanics.cancelled()
            and self._mechanics.when() <= due_s
        ):
            return
        if self._mechanics is not None:
            self._mechanics.cancel()

        def due() -> None:
            self._mechanics = None
            self.catch_up()
            self._watch_mechanics()

        self._mechanics = times.at(max(due_s, self.loop.time()), due)


class _Page:
    """Serves the kiosk to the world's screen."""

    def __init__(self, machine: Machine, built: daemon.Daemon) -> None:
        self._machine, self._daemon = machine, built
        self._stopped = asyncio.Event()

    async def serve(self) -> None:
        self._machine.screen.app, self._machine.screen.life = self._daemon.kiosk, self._machine.life
        await self._stopped.wait()

    async def stop(self) -> None:
        self._daemon.kiosk.state.kiosk.close()
        self._machine.screen.app = None
        self._stopped.set()


@lru_cache(maxsize=16)
def _configured(path: Path, text: str) -> Config:
    """The same file is read at every start of every life; it is the same configuration every time."""
    return load_text(path, text)


Living = Coroutine[Any, Any, None]
