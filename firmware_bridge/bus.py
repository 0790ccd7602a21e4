"""The schedule of one line: what goes on the wire next, and when. Knows no port and no clock.

Pulses go before polls; one telegram is in flight; every pulse ends in exactly one `PulseSettled`.
Called by one thread alone. Times are float seconds of that thread's monotonic clock.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from firmware_bridge.codecs import ENCODERS
from firmware_bridge.exchange import Answered, Exchange, Timing
from firmware_bridge.limits import OpeningLimits
from firmware_bridge.request import AllOff, Bits, Done, Pulse, ReadInputs, Refused, Request, Unfit
from firmware_bridge.station import Counters, Standing, Station
from locker.domain.door import PulseOutcome, PulseResult
from locker.domain.ids import BoardId

QUEUE_MAX: Final = 16
"""Pulses waiting on one line. People open doors one by one; more is a mistake above."""
JAM_S: Final = 2.0
"""Noise without a pause this long: nothing can be said or heard, so nothing is known."""
FRESH_S: Final = 1.0
"""A board heard longer ago is asked what it is before it is sent a pulse."""
SMOOTHING: Final = 0.1
NEVER_S: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Send:
    """Write this now. Past ``deadline_s`` do not write it, but say `Bus.not_written`."""

    data: bytes
    deadline_s: float = NEVER_S


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to write before ``until_s``; ask again then, and after everything that happens."""

    until_s: float


@dataclass(frozen=True, slots=True)
class InputsRead:
    board: BoardId
    first: int
    levels: tuple[bool, ...]
    at_s: float


@dataclass(frozen=True, slots=True)
class PollMissed:
    """Nothing is known of the board's inputs since its last reading."""

    board: BoardId
    at_s: float


@dataclass(frozen=True, slots=True)
class StationLost:
    board: BoardId
    why: str
    at_s: float


@dataclass(frozen=True, slots=True)
class StationFound:
    board: BoardId
    at_s: float


@dataclass(frozen=True, slots=True)
class PulseSettled:
    pulse: Pulse
    result: PulseResult
    at_s: float


BusEvent = InputsRead | PollMissed | StationLost | StationFound | PulseSettled


@dataclass(frozen=True, slots=True)
class StationReport:
    board: BoardId
    standing: Standing
    why: str
    counters: Counters


class Bus:
    """``emit`` is called from within the methods below, in the order in which things happened."""

    def __init__(self, timing: Timing, stations: Iterable[Station], emit: Callable[[BusEvent], None]) -> None:
        self._stations: Mapping[BoardId, Station] = {station.board: station for station in stations}
        self._emit = emit
        self._exchange = Exchange(timing)
        self._limits = OpeningLimits()
        self._queue: deque[Pulse] = deque()
        self._asking: tuple[Station, Request] | None = None
        self._told_lost: set[BoardId] = set()
        self._port_open = False
        self._held_since_s: float | None = None
        self._opened_s = 0.0
        self._spoken_s = 0.0

    # What the cabinet asks for

    def submit(self, pulse: Pulse, now: float) -> None:
        """Queue a pulse; it goes out once, before its deadline, or not at all."""
        if not self._port_open:
            self._not_sent(pulse, "port_closed", now)
        elif len(self._queue) >= QUEUE_MAX:
            self._not_sent(pulse, "queue_full", now)
        else:
            self._queue.append(pulse)

    def withdraw(self, pulse: Pulse, now: float) -> None:
        """Nobody waits for it any longer: if it has not gone out, it never will."""
        if pulse in self._queue:
            self._queue.remove(pulse)
            self._not_sent(pulse, "withdrawn", now)

    def attend(self, board: BoardId, until_s: float, now: float) -> None:
        """Poll this board as fast as the line allows until then."""
        self._stations[board].attend(until_s, now)

    def report(self) -> tuple[StationReport, ...]:
        """Figures for a status page; may be called from another thread."""
        return tuple(StationReport(s.board, s.standing, s.why, s.counters) for s in self._stations.values())

    @property
    def pulse_in_flight(self) -> bool:
        return self._asking is not None and isinstance(self._asking[1], Pulse)

    def utilisation(self, now: float) -> float:
        """Share of the time since the port was opened in which the line was in use."""
        return (
            min(1.0, self._spoken_s / (now - self._opened_s))
            if self._port_open and now > self._opened_s
            else 0.0
        )

    # What the line tells

    def port_opened(self, now: float) -> None:
        self._port_open = True
        self._opened_s, self._spoken_s = now, 0.0
        self._held_since_s = None
        self._exchange.reset(now)
        for station in self._stations.values():
            station.port_opened(now)

    def port_lost(self, why: str, now: float) -> None:
        """No port (any more). The queue is emptied: nothing that waited is sent when the port comes back."""
        self._port_open = False
        asking, self._asking = self._asking, None
        self._exchange.reset(now)
        if asking is not None and isinstance(asking[1], Pulse):
            self._settle(asking[1], PulseResult(PulseOutcome.UNCERTAIN), now)
        while self._queue:
            self._not_sent(self._queue.popleft(), "port_closed", now)
        for station in self._stations.values():
            station.give_up(why, now)
            self._tell(station, now)

    def not_written(self, reason: str, now: float) -> None:
        """No byte of the last `Send` has left."""
        asking, self._asking = self._asking, None
        self._exchange.expire(now)
        if asking is not None and isinstance(asking[1], Pulse):
            self._not_sent(asking[1], reason, now)

    def received(self, data: bytes, now: float) -> None:
        answer = self._exchange.received(data, now)
        if answer is None or self._asking is None:
            return
        (station, request), self._asking = self._asking, None
        self._count(station, answer)
        if isinstance(request, Pulse):
            station.heard(now)
            self._settle(request, _pulse_result(answer), now)
        elif isinstance(answer.reply, Unfit):
            station.unfit(answer.reply.why, now)
        elif isinstance(answer.reply, Refused) and isinstance(request, ReadInputs):
            station.counters.refused += 1
            self._poll_missed(station, now)
        else:
            station.answered(request, now)
        self._tell(station, now)
        if isinstance(request, ReadInputs) and isinstance(answer.reply, Bits):
            self._emit(InputsRead(station.board, request.first, answer.reply.levels, now))

    def next(self, now: float) -> Send | Wait:
        """What to do at ``now``. A `Send` counts as written; only `not_written` takes that back."""
        if self._exchange.busy:
            if now < self._exchange.expires_s:
                return Wait(self._exchange.expires_s)
            self._unanswered(now)
        if not self._port_open:
            return Wait(NEVER_S)
        self._refuse_hopeless(now)
        station, request, from_s = self._choose(now)
        start_s = max(from_s, self._exchange.ready_s(station.profile.transport.gap_ms / 1000))
        if now < start_s:
            self._watch_for_jam(from_s, now)
            return Wait(min([start_s, *(pulse.deadline_s for pulse in self._queue)]))
        return self._send(station, request, now)

    # How it chooses

    def _refuse_hopeless(self, now: float) -> None:
        for pulse in tuple(self._queue):
            reason = self._refusal(pulse, now)
            if reason is not None:
                self._queue.remove(pulse)
                self._not_sent(pulse, reason, now)

    def _refusal(self, pulse: Pulse, now: float) -> str | None:
        station = self._stations[pulse.board]
        if now >= pulse.deadline_s:
            return "late"
        if station.standing is Standing.LOCKED_OUT:
            return "board_locked_out"
        if station.standing is Standing.LOST or station.profile.locks is None:
            return "board_lost"
        return self._limits.refusal(pulse, station.profile.locks, now)

    def _choose(self, now: float) -> tuple[Station, Request, float]:
        """Whom to ask what, and from when on."""
        pulse_from_s = NEVER_S
        for pulse in self._queue:
            station = self._stations[pulse.board]
            if not self._may_fire(station, now):
                return station, station.question(), now
            ready_s = self._ready_s(pulse, station)
            if now >= ready_s:
                return station, pulse, now
            pulse_from_s = min(pulse_from_s, ready_s)
        station = min(self._stations.values(), key=lambda each: each.due_s)
        # Never past the moment at which a pulse may go.
        return station, station.question(), min(max(now, station.due_s), max(now, pulse_from_s))

    def _ready_s(self, pulse: Pulse, station: Station) -> float:
        assert station.profile.locks is not None, "a board without locks was refused before"  # noqa: S101
        return self._limits.ready_s(pulse, station.profile.locks)

    def _may_fire(self, station: Station, now: float) -> bool:
        """Only a board that is known, was heard just now, on a line whose echo is known, is sent a pulse."""
        heard = now - station.heard_at_s <= FRESH_S
        return station.standing is Standing.SERVING and heard and self._exchange.echo is not None

    def _send(self, station: Station, request: Request, now: float) -> Send:
        encode = ENCODERS[station.profile.codec]
        telegram = encode(station.profile, station.address, request)
        self._held_since_s = None
        self._asking = station, request
        station.counters.asked += 1
        if isinstance(request, Pulse):
            assert station.profile.locks is not None, "a board without locks was refused before"  # noqa: S101
            self._queue.remove(request)
            self._limits.fired(request, station.profile.locks, now)
            self._exchange.begin(telegram, station.patience.limit_s, now)
            return Send(telegram.data, request.deadline_s)
        station.asked(request, now)
        self._exchange.begin(telegram, station.patience.learned_s, now)
        return Send(telegram.data)

    # What becomes of it

    def _unanswered(self, now: float) -> None:
        asking, self._asking = self._asking, None
        self._exchange.expire(now)
        if asking is None:
            return
        station, request = asking
        if isinstance(request, AllOff):
            # While the echo is not known yet a write has no proof; this one asks for none.
            return
        self._poll_missed(station, now)
        if isinstance(request, Pulse):
            self._settle(request, PulseResult(PulseOutcome.UNCERTAIN), now)
        self._tell(station, now)

    def _poll_missed(self, station: Station, now: float) -> None:
        station.missed(now)
        if station.poll is not None:
            self._emit(PollMissed(station.board, now))

    def _tell(self, station: Station, now: float) -> None:
        """Lost and found, once each."""
        if station.down and station.board not in self._told_lost:
            self._told_lost.add(station.board)
            self._emit(StationLost(station.board, station.why, now))
        elif station.standing is Standing.SERVING and station.board in self._told_lost:
            self._told_lost.remove(station.board)
            self._emit(StationFound(station.board, now))

    def _watch_for_jam(self, wanted_from_s: float, now: float) -> None:
        if now < wanted_from_s:
            self._held_since_s = None
        elif self._held_since_s is None:
            self._held_since_s = now
        elif now - self._held_since_s > JAM_S:
            self._held_since_s = None
            for station in self._stations.values():
                station.give_up("the line is never silent: noise, or swapped A and B", now)
                self._tell(station, now)

    def _count(self, station: Station, answer: Answered) -> None:
        counters = station.counters
        counters.noise_bytes += answer.noise_bytes
        counters.latency_s += SMOOTHING * (answer.took_s - counters.latency_s)
        self._spoken_s += answer.took_s + self._exchange.timing.silence_s
        station.patience.answered(answer.turn_around_s)

    def _not_sent(self, pulse: Pulse, reason: str, now: float) -> None:
        self._settle(pulse, PulseResult(PulseOutcome.NOT_SENT, reason), now)

    def _settle(self, pulse: Pulse, result: PulseResult, now: float) -> None:
        self._emit(PulseSettled(pulse, result, now))


def _pulse_result(answer: Answered) -> PulseResult:
    if isinstance(answer.reply, Done):
        return PulseResult(PulseOutcome.ACKNOWLEDGED)
    if isinstance(answer.reply, Refused):
        return PulseResult(PulseOutcome.REFUSED, f"exception_{answer.reply.code}")
    return PulseResult(PulseOutcome.UNCERTAIN)
