"""A line by itself, beside a stopped daemon whose lock is taken: questions only, no boards, no pulses."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from firmware_bridge import scan
from firmware_bridge.bus import Bus
from firmware_bridge.exchange import Timing
from firmware_bridge.happenings import Answer, Frame, Inquiry
from firmware_bridge.line import SerialLine, opener
from firmware_bridge.wiring import LineConfig
from locker.journal.lock import JournalLock

if TYPE_CHECKING:
    from locker.config import Config

ANSWER_S: Final = 10.0
"""No question takes that long; the thread is gone then."""


@contextmanager
def lock(config: "Config") -> Iterator[None]:
    """The daemon is kept from starting meanwhile. Raises JournalBusy while it runs, OSError."""
    config.state_dir.mkdir(parents=True, exist_ok=True)
    held = JournalLock(config.journal_path)
    try:
        yield
    finally:
        held.release()


class Probe:
    """One line at one baud rate. Raises PortError."""

    def __init__(self, line: LineConfig, baud: int) -> None:
        port = opener(line.url, baud)()
        self._packets = line.timing.packets
        timing = Timing(baud, packets=self._packets)
        self._ended: Future[None] = Future()
        bus = Bus(timing, (), lambda _event: None)
        self._line = SerialLine(bus, lambda: port, lambda: self._ended.set_result(None))
        self._line.start()

    def ask(self, question: scan.Question) -> Answer:
        request = scan.request(question.profile, question.ask)
        assert request is not None, "a survey asks only what a profile has"  # noqa: S101  # programmer error
        profile = scan.hurried(question.profile, packets=self._packets)
        address = question.address
        return self._wait(lambda bus, done: bus.inquire(Inquiry(profile, address, request, done)))

    def frames(self) -> tuple[Frame, ...]:
        found: Future[tuple[Frame, ...]] = Future()
        self._line.post(lambda bus, _now: found.set_result(bus.frames(0)))
        return found.result(ANSWER_S)

    def close(self) -> None:
        self._line.close()
        self._ended.result(ANSWER_S)

    def _wait(self, ask: Callable[[Bus, Callable[[Answer], None]], None]) -> Answer:
        answer: Future[Answer] = Future()
        self._line.post(lambda bus, _now: ask(bus, answer.set_result))
        return answer.result(ANSWER_S)
