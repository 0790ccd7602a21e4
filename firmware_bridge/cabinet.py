"""The cabinet: compartments over lines, boards and sensors. Conforms to `locker.operations.ports.Doors`.

Lives on the event loop; each line has its bus on a thread of its own, reached by posting to it. Readings,
losses and pulse results come up through ``call_soon_threadsafe``, in the order in which they happened.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from firmware_bridge.bus import (
    Bus,
    BusEvent,
    InputsRead,
    PollMissed,
    PulseSettled,
    StationFound,
    StationLost,
    StationReport,
)
from firmware_bridge.debounce import DOOR, ITEM, Debounce
from firmware_bridge.exchange import Timing
from firmware_bridge.line import Action, OpenPort, SerialLine, opener
from firmware_bridge.request import Pulse
from firmware_bridge.station import Station
from firmware_bridge.wiring import CompartmentWiring, Place, Wiring
from locker.domain.door import (
    BoardFound,
    BoardLost,
    DoorMoved,
    DoorReading,
    Position,
    Presence,
    PulseOutcome,
    PulseResult,
    Report,
)
from locker.domain.ids import BoardId, CompartmentNumber
from locker.operations.ports import Clock

_LOGGER = logging.getLogger(__name__)

ATTENTION_S: Final = 2.0
"""A board is polled fast this long at a time, renewed while one of its doors is open or about to settle."""
PULSE_ATTENTION_S: Final = 8.0
"""A door that has not opened by then is stuck."""
POSITIONS: Final = {None: Position.UNKNOWN, True: Position.CLOSED, False: Position.OPEN}
PRESENCES: Final = {None: Presence.UNKNOWN, True: Presence.PRESENT, False: Presence.ABSENT}


class LineThread(Protocol):
    """What runs a bus: `SerialLine`, or a line under virtual time."""

    now: Callable[[], float]

    def start(self) -> None: ...

    def post(self, action: Action) -> None: ...

    def close(self) -> None: ...


MakeLine = Callable[[Bus, OpenPort, Callable[[], None]], LineThread]
"""(bus, opener, called when it has ended) -> line."""


@dataclass(frozen=True, slots=True)
class BoardReport:
    board: BoardId
    profile: str
    standing: str
    why: str
    asked: int
    error_rate: float
    """Share of questions without a fitting reply."""
    latency_ms: float
    noise_bytes: int


@dataclass(frozen=True, slots=True)
class LineReport:
    line: str
    url: str
    utilisation: float
    detection_s: float
    boards: tuple[BoardReport, ...]


@dataclass(slots=True)
class _Sensors:
    wired: CompartmentWiring
    door: Debounce
    item: Debounce

    def reading(self) -> DoorReading:
        return DoorReading(POSITIONS[self.door.settled], PRESENCES[self.item.settled])

    @property
    def restless(self) -> bool:
        return self.door.settled is False or self.door.pending or self.item.pending


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
        self._sensors: dict[CompartmentNumber, _Sensors] = {
            n: _Sensors(w, Debounce(DOOR), Debounce(ITEM)) for n, w in wiring.compartments.items()
        }
        self._on_board: dict[BoardId, list[_Sensors]] = {board: [] for board in wiring.boards}
        for sensors in self._sensors.values():
            for board in _boards(sensors.wired):
                self._on_board[board].append(sensors)
        self._attended_until_s: dict[BoardId, float] = {}
        self._ended = {line: asyncio.Event() for line in wiring.lines}
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
            if not future.done():
                future.set_result(PulseResult(PulseOutcome.NOT_SENT, "port_closed"))

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

    def report(self) -> tuple[LineReport, ...]:
        """Figures for a status page."""
        return tuple(self._line_report(line) for line in self._lines)

    # Building

    def _bus(self, line: str) -> Bus:
        stations = [Station(b.board, b.address, b.profile, b.poll) for b in self._wiring.on_line(line)]
        return Bus(Timing(self._wiring.lines[line].baud), stations, self._emit)

    def _line(self, line: str, port: OpenPort | str, make_line: MakeLine) -> LineThread:
        open_port = opener(port, self._wiring.lines[line].baud) if isinstance(port, str) else port
        ended = self._ended[line]
        return make_line(self._buses[line], open_port, lambda: self._from_line(ended.set))

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
                for sensor in self._sensors_on(event.board):
                    sensor.missed()
            case StationLost():
                self._lost(event)
            case StationFound():
                _LOGGER.warning("board %s is back", event.board)
                self._on_report(BoardFound(event.board, self._mono_ms(event.board, event.at_s)))
            case PulseSettled():
                future = self._waiting.get(event.pulse)
                if future is not None and not future.done():
                    future.set_result(event.result)

    def _read(self, event: InputsRead) -> None:
        moved = []
        restless = False
        for sensors in self._on_board[event.board]:
            wired = sensors.wired
            # The item first: when both settle in one reading, the door's report already carries it.
            changed = wired.item is not None and _heard(sensors.item, wired.item, wired.present_level, event)
            changed |= _heard(sensors.door, wired.sensor, wired.closed_level, event)
            restless |= sensors.restless
            if changed:
                moved.append(sensors)
        if restless:
            self._attend(event.board, ATTENTION_S)
        at_ms = self._mono_ms(event.board, event.at_s)
        for sensors in moved:
            self._on_report(DoorMoved(sensors.wired.door, sensors.reading(), at_ms))

    def _lost(self, event: StationLost) -> None:
        _LOGGER.warning("board %s is lost: %s", event.board, event.why)
        for sensor in self._sensors_on(event.board):
            sensor.lost()
        doors = tuple(n for n, sensors in self._sensors.items() if sensors.wired.sensor.board == event.board)
        self._on_report(BoardLost(event.board, doors, self._mono_ms(event.board, event.at_s)))

    def _sensors_on(self, board: BoardId) -> Iterator[Debounce]:
        for sensors in self._on_board[board]:
            if sensors.wired.sensor.board == board:
                yield sensors.door
            if sensors.wired.item is not None and sensors.wired.item.board == board:
                yield sensors.item

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

    def _line_report(self, line: str) -> LineReport:
        bus = self._buses[line]
        return LineReport(
            line,
            self._wiring.lines[line].url,
            bus.utilisation(self._lines[line].now()),
            self._wiring.detection_s(line),
            tuple(self._board_report(station) for station in bus.report()),
        )

    def _board_report(self, station: StationReport) -> BoardReport:
        counters = station.counters
        return BoardReport(
            station.board,
            self._wiring.boards[station.board].profile.name,
            station.standing.value,
            station.why,
            counters.asked,
            counters.missed / counters.asked if counters.asked else 0.0,
            counters.latency_s * 1000,
            counters.noise_bytes,
        )


def _heard(sensor: Debounce, place: Place, true_level: bool, event: InputsRead) -> bool:
    """Feed one sensor from a reading of its board; True if what is believed changed."""
    at = place.channel - event.first
    if place.board != event.board or not 0 <= at < len(event.levels):
        return False
    return sensor.read(event.levels[at] == true_level, event.at_s)


def _boards(wired: CompartmentWiring) -> set[BoardId]:
    return {wired.sensor.board} if wired.item is None else {wired.sensor.board, wired.item.board}
