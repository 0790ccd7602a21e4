"""The cabinet: compartments over lines, boards and sensors. Conforms to `locker.operations.ports.Doors`.

Lives on the event loop; each line has its bus on a thread of its own, reached by posting to it. Readings,
losses and pulse results come up through ``call_soon_threadsafe``, in the order in which they happened.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from math import isinf
from typing import Any, Final, Protocol, TypeVar

from firmware_bridge.boards import BoardProfile
from firmware_bridge.bus import Bus
from firmware_bridge.errors import LineClosed
from firmware_bridge.happenings import (
    Answer,
    BusEvent,
    Frame,
    InputsRead,
    Inquiry,
    PollMissed,
    PulseSettled,
    RelaysStuck,
    StationFound,
    StationLost,
    StationReport,
)
from firmware_bridge.limits import Supply
from firmware_bridge.line import Action, OpenPort, SerialLine, opener
from firmware_bridge.request import Pulse, Reading
from firmware_bridge.sensors import Sensors
from firmware_bridge.station import Station
from firmware_bridge.wiring import Wiring
from locker.domain.door import (
    BoardFound,
    BoardLost,
    DoorMoved,
    DoorReading,
    PulseOutcome,
    PulseResult,
    RelayStuck,
    Report,
)
from locker.domain.figures import BoardFigures, LineFigures
from locker.domain.ids import BoardId, CompartmentNumber
from locker.operations.ports import Clock

_LOGGER = logging.getLogger(__name__)

T = TypeVar("T")

ATTENTION_S: Final = 2.0
"""A board is polled fast this long at a time, renewed while one of its doors is open or about to settle."""
PULSE_ATTENTION_S: Final = 8.0
"""A door that has not opened by then is stuck."""


class LineThread(Protocol):
    """What runs a bus: `SerialLine`, or a line under virtual time."""

    now: Callable[[], float]

    def start(self) -> None: ...

    def post(self, action: Action) -> None: ...

    def close(self) -> None: ...


MakeLine = Callable[[Bus, OpenPort, Callable[[], None]], LineThread]
"""(bus, opener, called when it has ended) -> line."""


class Cabinet:
    """``ports``: each line's URL, or what opens its port. ``on_report`` is called on ``loop``, in order."""

    def __init__(
        self,
        wiring: Wiring,
        ports: Mapping[str, OpenPort | str],
        clock: Clock,
        loop: asyncio.AbstractEventLoop,
        on_report: Callable[[Report], None],
        make_line: MakeLine = SerialLine,
    ) -> None:
        self._wiring = wiring
        self._clock = clock
        self._loop = loop
        self._on_report = on_report
        self._running = False
        self._waiting: dict[Pulse, asyncio.Future[PulseResult]] = {}
        self._asked: set[asyncio.Future[Any]] = set()
        self._pulsed: dict[Pulse, Sensors] = {}
        self._sensors = {n: Sensors.of(wired, wiring) for n, wired in wiring.compartments.items()}
        self._on_board: dict[BoardId, list[Sensors]] = {board: [] for board in wiring.boards}
        for sensors in self._sensors.values():
            for board in sensors.boards:
                self._on_board[board].append(sensors)
        self._attended_until_s: dict[BoardId, float] = {}
        self._ended = {line: asyncio.Event() for line in wiring.lines}
        # Lines may share what feeds their locks.
        self._supplies = {board.supply: Supply() for board in wiring.boards.values()}
        self._buses = {line: self._bus(line) for line in wiring.lines}
        self._lines = {line: self._line(line, ports[line], make_line) for line in wiring.lines}

    def start(self) -> None:
        """Begin to talk on every line. A missing port is no error: its boards are lost until it is there."""
        self._running = True
        for line in self._lines.values():
            line.start()

    async def close(self) -> None:
        """What waits is NOT_SENT, what is in flight is heard out; the ports are free afterwards."""
        if not self._running:
            return
        self._running = False
        for line in self._lines.values():
            line.close()
        for ended in self._ended.values():
            await ended.wait()
        for future in self._waiting.values():
            _settle(future, PulseResult(PulseOutcome.NOT_SENT, "port_closed"))
        for asked in self._asked:
            if not asked.done():
                asked.set_exception(LineClosed("all"))

    def reading(self, door: CompartmentNumber) -> DoorReading:
        """The latest believed reading; UNKNOWN before the first and while its board is lost."""
        return self._sensors[door].reading()

    async def pulse(self, door: CompartmentNumber, deadline_ms: int) -> PulseResult:
        """Energise one lock once, before ``deadline_ms`` or not at all; nor once cancelled while it waits."""
        wired = self._wiring.compartments[door]
        line = self._lines[self._wiring.boards[wired.lock.board].line]
        if not self._running:
            return PulseResult(PulseOutcome.NOT_SENT, "port_closed")
        left_ms = deadline_ms - self._clock.mono_ms() - 1  # the clock's own rounding never makes a pulse late
        if left_ms < 0:
            return PulseResult(PulseOutcome.NOT_SENT, "late")
        pulse = Pulse(wired.lock.board, wired.lock.channel, wired.pulse_ms, line.now() + left_ms / 1000)
        future: asyncio.Future[PulseResult] = self._loop.create_future()
        self._waiting[pulse] = future
        self._pulsed[pulse] = self._sensors[door]
        self._pulsed[pulse].pulse_waits()
        line.post(lambda bus, now: bus.submit(pulse, now))
        self._attend(wired.sensor.board, PULSE_ATTENTION_S)
        if wired.item is not None:
            self._attend(wired.item.board, PULSE_ATTENTION_S)
        try:
            return await future
        except asyncio.CancelledError:
            line.post(lambda bus, now: bus.withdraw(pulse, now))
            raise
        finally:
            del self._waiting[pulse]

    def report(self) -> tuple[LineFigures, ...]:
        """Figures for status, self-test and service page."""
        return tuple(self._line_figures(line) for line in self._lines)

    async def inquire(self, line: str, profile: BoardProfile, address: int, request: Reading) -> Answer:
        """A technician's question to any address of a line, between the locker's own. It changes nothing."""
        return await self._on_line(
            line, lambda bus, done: bus.inquire(Inquiry(profile, address, request, done))
        )

    async def frames(self, line: str, after: int) -> tuple[Frame, ...]:
        """What passed the port of a line after frame ``after``, as far as it is kept."""
        return await self._on_line(line, lambda bus, done: done(bus.frames(after)))

    async def answers(self, line: str) -> None:
        """Returns once the line's thread has come round to it. Raises LineClosed."""

        def answer(_bus: Bus, done: Callable[[bool], None]) -> None:
            done(True)

        await self._on_line(line, answer)

    # Building

    def _bus(self, line: str) -> Bus:
        boards = self._wiring.on_line(line)
        stations = [Station(b.board, b.address, b.profile, b.poll) for b in boards]
        supplies = {b.board: self._supplies[b.supply] for b in boards}
        return Bus(self._wiring.lines[line].timing, stations, self._emit, supplies)

    def _line(self, line: str, port: OpenPort | str, make_line: MakeLine) -> LineThread:
        open_port = opener(port, self._wiring.lines[line].baud) if isinstance(port, str) else port
        ended = self._ended[line]
        return make_line(self._buses[line], open_port, lambda: self._from_line(ended.set))

    async def _on_line(self, line: str, ask: Callable[[Bus, Callable[[T], None]], None]) -> T:
        """Have the line's thread do something that ends in one answer."""
        if not self._running:
            raise LineClosed(line)
        future: asyncio.Future[T] = self._loop.create_future()
        self._asked.add(future)

        def done(answer: T) -> None:
            self._loop.call_soon_threadsafe(_settle, future, answer)

        self._lines[line].post(lambda bus, _now: ask(bus, done))
        try:
            return await future
        finally:
            self._asked.discard(future)

    # What comes up

    def _emit(self, event: BusEvent) -> None:
        self._from_line(self._happened, event)

    def _from_line(self, call: Callable[..., None], *args: BusEvent) -> None:
        self._loop.call_soon_threadsafe(call, *args)

    def _happened(self, event: BusEvent) -> None:
        if not self._running and not isinstance(event, PulseSettled):
            return  # boards are not lost because we stop listening
        match event:
            case InputsRead():
                self._read(event)
            case PollMissed():
                self._missed(event)
            case StationLost():
                self._lost(event)
            case StationFound():
                _LOGGER.warning("board %s is back", event.board)
                self._on_report(BoardFound(event.board, self._mono_ms(event.board, event.at_s)))
            case PulseSettled():
                self._settled(event)
            case RelaysStuck():
                self._stuck(event)

    def _settled(self, event: PulseSettled) -> None:
        self._pulsed.pop(event.pulse).pulse_settled(event.sent_s)
        future = self._waiting.get(event.pulse)
        if future is not None:
            _settle(future, event.result)

    def _read(self, event: InputsRead) -> None:
        on_board = self._on_board[event.board]
        moved = [sensors for sensors in on_board if sensors.read(event)]
        if any(sensors.restless for sensors in on_board):
            self._attend(event.board, ATTENTION_S)
        self._moved(moved, event)

    def _missed(self, event: PollMissed) -> None:
        """No answer; what was read too long ago is unknown by now."""
        on_board = self._on_board[event.board]
        self._moved([sensors for sensors in on_board if sensors.missed(event)], event)

    def _moved(self, moved: Iterable[Sensors], event: InputsRead | PollMissed) -> None:
        at_ms = self._mono_ms(event.board, event.at_s)
        for sensors in moved:
            self._on_report(DoorMoved(sensors.wired.door, sensors.reading(), at_ms))

    def _lost(self, event: StationLost) -> None:
        _LOGGER.warning("board %s is lost: %s", event.board, event.why)
        for sensors in self._on_board[event.board]:
            sensors.lost(event.board)
        doors = tuple(n for n, sensors in self._sensors.items() if sensors.wired.sensor.board == event.board)
        self._on_report(BoardLost(event.board, doors, self._mono_ms(event.board, event.at_s)))

    def _stuck(self, event: RelaysStuck) -> None:
        _LOGGER.critical("board %s: relays %s stay on", event.board, list(event.channels))
        doors = tuple(
            n
            for n, sensors in self._sensors.items()
            if (lock := sensors.wired.lock).board == event.board and lock.channel in event.channels
        )
        self._on_report(RelayStuck(event.board, doors, self._mono_ms(event.board, event.at_s)))

    def _attend(self, board: BoardId, for_s: float) -> None:
        """Have a board polled fast, unless it is for at least half that long anyway."""
        line = self._lines[self._wiring.boards[board].line]
        now = line.now()
        if self._attended_until_s.get(board, now) - now < for_s / 2:
            until_s = self._attended_until_s[board] = now + for_s
            line.post(lambda bus, at_s: bus.attend(board, until_s, at_s))

    def _mono_ms(self, board: BoardId, at_s: float) -> int:
        """A moment of a line's clock on the daemon's."""
        line = self._lines[self._wiring.boards[board].line]
        return self._clock.mono_ms() - round((line.now() - at_s) * 1000)

    def _line_figures(self, line: str) -> LineFigures:
        bus, config = self._buses[line], self._wiring.lines[line]
        return LineFigures(
            line,
            config.url,
            config.baud,
            bus.utilisation(self._lines[line].now()),
            self._wiring.detection_s(line),
            0.0 if isinf(bus.shortest_silence_s) else bus.shortest_silence_s * 1000,
            config.timing.silence_s * 1000,
            tuple(self._board_figures(station) for station in bus.report()),
        )

    def _board_figures(self, station: StationReport) -> BoardFigures:
        counters, wired = station.counters, self._wiring.boards[station.board]
        return BoardFigures(
            station.board,
            wired.profile.name,
            wired.profile.standing,
            station.standing.value,
            station.why,
            counters.asked,
            counters.missed,
            counters.refused,
            counters.noise_bytes,
            counters.latency_s * 1000,
            tuple(latency_s * 1000 for latency_s in counters.latencies_s.copy()),
            counters.levels,
            wired.poll.first if wired.poll is not None else 0,
        )


def _settle(future: "asyncio.Future[T]", answer: T) -> None:
    if not future.done():
        future.set_result(answer)
