"""The thread on a real pty: opening, losing and finding the port again, and the bytes of one pulse."""

import os
import threading
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from firmware_bridge import boards
from firmware_bridge.bus import Bus
from firmware_bridge.errors import PortError
from firmware_bridge.exchange import Timing
from firmware_bridge.happenings import BusEvent, InputsRead, PulseSettled, StationFound, StationLost
from firmware_bridge.line import SerialLine, opener
from firmware_bridge.request import Pulse, ReadDoors
from firmware_bridge.station import Station
from hw_sim.free_port import free_port
from locker.domain.door import PulseOutcome
from locker.domain.ids import BoardId
from tests.firmware_bridge.faulty_line import ToyBoard

A1 = BoardId("A/1")
BAUD = 115200
PATIENCE_S = 60


class Board:
    """A toy board on the far end of a pty, under a name that stays when the pty changes."""

    def __init__(self, link: Path) -> None:
        self.toy = ToyBoard(1, relays=8, inputs=[True] * 8, modes=[0] * 8)
        self.link = link
        self._fd = -1

    def plug_in(self) -> None:
        self._fd, theirs = os.openpty()
        tty.setraw(theirs)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(theirs))
        threading.Thread(target=self._serve, args=(self._fd, theirs), daemon=True).start()

    def unplug(self) -> None:
        self.link.unlink()
        os.write(self._fd, b"\0")  # is read by the line; the board's end goes with its next request
        self._leaving = True

    _leaving = False

    def _serve(self, fd: int, theirs: int) -> None:
        with suppress(OSError):
            while True:
                request = os.read(fd, 256)
                if theirs >= 0:
                    os.close(theirs)  # the line holds it open by now
                    theirs = -1
                if self._leaving:
                    self._leaving = False
                    break
                if reply := self.toy.hear(request, 0.0):
                    threading.Event().wait(0.003)  # both frames' time on this wire: nothing real is faster
                    os.write(fd, reply)
        os.close(fd)


class Log:
    """Events of the line's thread, waited for."""

    def __init__(self) -> None:
        self._events: list[BusEvent] = []
        self._news = threading.Condition()

    def add(self, event: BusEvent) -> None:
        with self._news:
            self._events.append(event)
            self._news.notify_all()

    def take(self, kind: type) -> BusEvent:
        """The next event of a kind; those before it are forgotten."""
        with self._news:
            assert self._news.wait_for(
                lambda: any(isinstance(each, kind) for each in self._events), PATIENCE_S
            )
            place = next(n for n, each in enumerate(self._events) if isinstance(each, kind))
            event = self._events[place]
            del self._events[: place + 1]
            return event


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path / "line-A")


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def line(board: Board, log: Log) -> Iterator[SerialLine]:
    ended = threading.Event()
    station = Station(A1, 1, boards.load("waveshare-d8"), ReadDoors(A1, 1, 8))
    it = SerialLine(Bus(Timing(BAUD), [station], log.add), opener(str(board.link), BAUD), ended.set)
    it.start()
    yield it
    it.close()
    assert ended.wait(PATIENCE_S)


def test_a_missing_port_is_waited_for(board: Board, log: Log, line: SerialLine) -> None:
    lost = log.take(StationLost)
    assert isinstance(lost, StationLost)
    assert "check the cable" in lost.why
    board.plug_in()
    log.take(StationFound)
    log.take(InputsRead)
    assert line.now() > 0


def test_a_pulse_reaches_the_board_once(board: Board, log: Log, line: SerialLine) -> None:
    board.plug_in()
    log.take(InputsRead)
    pulse = Pulse(A1, 3, 500, line.now() + 3)
    line.post(lambda bus, now: bus.submit(pulse, now))
    settled = log.take(PulseSettled)
    assert isinstance(settled, PulseSettled)
    assert settled.result.outcome is PulseOutcome.ACKNOWLEDGED
    log.take(InputsRead)
    assert [(channel, units) for _, channel, units in board.toy.fired] == [(3, 5)]


def test_an_unplugged_adapter_is_lost_and_found(board: Board, log: Log, line: SerialLine) -> None:
    board.plug_in()
    log.take(InputsRead)
    board.unplug()
    log.take(StationLost)
    pulse = Pulse(A1, 3, 500, line.now() + 3)
    line.post(lambda bus, now: bus.submit(pulse, now))
    settled = log.take(PulseSettled)
    assert isinstance(settled, PulseSettled)
    assert settled.result.reason == "port_closed"
    board.plug_in()
    log.take(StationFound)
    log.take(InputsRead)
    assert board.toy.fired == []


def test_a_port_has_one_owner(board: Board, log: Log, line: SerialLine) -> None:
    board.plug_in()
    log.take(InputsRead)
    with pytest.raises(PortError, match="who else holds it"):
        opener(str(board.link), BAUD)()
    assert line.now() > 0


def test_an_unreachable_gateway_is_a_port_error() -> None:
    with pytest.raises(PortError, match="socket://"):
        opener(f"socket://127.0.0.1:{free_port()}", BAUD)()
