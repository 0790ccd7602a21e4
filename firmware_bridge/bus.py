"""The schedule of one line: what goes on the wire next, and when. Knows no port and no clock.

Pulses go before polls; one telegram is in flight; every pulse ends in exactly one `PulseSettled`.
Called by one thread alone. Times are float seconds of that thread's monotonic clock.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from firmware_bridge.codecs import encode
from firmware_bridge.codecs.packets import packed
from firmware_bridge.exchange import Answered, Exchange, Timing
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
from firmware_bridge.limits import OpeningLimits, Supply
from firmware_bridge.request import (
    AllOff,
    Bits,
    Done,
    Pulse,
    ReadCoils,
    ReadInputs,
    Refused,
    Release,
    Request,
    Telegram,
    Unfit,
)
from firmware_bridge.schedule import NEVER_S, Asking, Schedule
from firmware_bridge.station import Standing, Station
from locker.domain.door import PulseOutcome, PulseResult
from locker.domain.ids import BoardId

JAM_S: Final = 2.0
"""Noise without a pause this long: nothing can be said or heard, so nothing is known."""
REMEDY_S: Final = 1.0
"""While a relay that stays on is being released, its supply feeds nothing else."""
SMOOTHING: Final = 0.1
FRAMES_KEPT: Final = 4_096
"""A minute or more of a busy line, for whoever wants to see what passed."""


@dataclass(frozen=True, slots=True)
class Send:
    """Write this now. Past ``deadline_s`` do not write it, but say `Bus.not_written`."""

    data: bytes
    deadline_s: float = NEVER_S


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to write before ``until_s``; ask again then, and after everything that happens."""

    until_s: float


class Bus:
    """``emit`` is called from within the methods below, in the order in which things happened."""

    def __init__(
        self,
        timing: Timing,
        stations: Iterable[Station],
        emit: Callable[[BusEvent], None],
        supplies: Mapping[BoardId, Supply] | None = None,
    ) -> None:
        """``supplies``: what feeds each board's locks; one for all where none is given."""
        self._stations: Mapping[BoardId, Station] = {station.board: station for station in stations}
        self._emit = emit
        self._exchange = Exchange(timing)
        self._limits = OpeningLimits(supplies or dict.fromkeys(self._stations, Supply()))
        self._schedule = Schedule(self._stations, self._limits)
        self._asking: Asking | None = None
        self._begun_s = 0.0
        self._transactions = count(1)
        self._frame_numbers = count(1)
        self._frames: deque[Frame] = deque(maxlen=FRAMES_KEPT)
        self._told_lost: set[BoardId] = set()
        self._told_stuck: dict[BoardId, tuple[int, ...]] = {}
        self._port_open = False
        self._held_since_s: float | None = None
        self._opened_s = 0.0
        self._spoken_s = 0.0

    # What the cabinet asks for

    def submit(self, pulse: Pulse, now: float) -> None:
        """Queue a pulse; it goes out once, before its deadline, or not at all."""
        if not self._port_open:
            self._not_sent(pulse, "port_closed", now)
        elif not self._schedule.add(pulse):
            self._not_sent(pulse, "queue_full", now)

    def withdraw(self, pulse: Pulse, now: float) -> None:
        """Nobody waits for it any longer: if it has not gone out, it never will."""
        if self._schedule.remove(pulse):
            self._not_sent(pulse, "withdrawn", now)

    def inquire(self, inquiry: Inquiry) -> None:
        """Ask it when no pulse waits; with no port, or too many waiting, it is unanswered at once."""
        if not self._port_open or not self._schedule.add_inquiry(inquiry):
            inquiry.done(Answer(None))

    def attend(self, board: BoardId, until_s: float, now: float) -> None:
        """Poll this board as fast as the line allows until then."""
        self._stations[board].attend(until_s, now)

    def report(self) -> tuple[StationReport, ...]:
        """Figures for a status page; may be called from another thread."""
        return tuple(StationReport(s.board, s.standing, s.why, s.counters) for s in self._stations.values())

    def frames(self, after: int) -> tuple[Frame, ...]:
        """What passed the port after frame ``after``, as far as it is kept. On the line's own thread only."""
        return tuple(frame for frame in self._frames if frame.n > after)

    @property
    def shortest_silence_s(self) -> float:
        """Kept before any request since the port was opened; infinite before the first."""
        return self._exchange.shortest_silence_s

    @property
    def deaf_until_s(self) -> float:
        """Before then nothing that comes can matter; a line may leave it in the port's buffer."""
        return self._exchange.deaf_until_s

    @property
    def pulse_in_flight(self) -> bool:
        """Whether a pulse is on its way, or one is still to be ended."""
        return self._flying() is not None or any(
            station.coils.urgent_s < NEVER_S for station in self._stations.values()
        )

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
        pulse, asking = self._flying(), self._asking
        self._asking = None
        self._exchange.reset(now)
        if pulse is not None:
            self._settle(pulse, PulseResult(PulseOutcome.UNCERTAIN), now)
        if isinstance(asking, Inquiry):
            asking.done(Answer(None))
        for waiting in self._schedule.cleared():
            if isinstance(waiting, Inquiry):
                waiting.done(Answer(None))
            else:
                self._not_sent(waiting, "port_closed", now)
        for station in self._stations.values():
            station.give_up(why, now)
            self._tell(station, now)

    def not_written(self, reason: str, now: float) -> None:
        """No byte of the last `Send` has left."""
        pulse, asking = self._flying(), self._asking
        self._asking = None
        self._exchange.expire(now, 0.0)
        self._frames.pop()
        if pulse is not None:
            self._stations[pulse.board].coils.not_pulsed(pulse)
            self._not_sent(pulse, reason, now)
        if isinstance(asking, Inquiry):
            asking.done(Answer(None))

    def received(self, data: bytes, now: float) -> None:
        self._note(data, now, sent=False)
        answer = self._exchange.received(data, now)
        if answer is None or self._asking is None:
            return
        asking, self._asking = self._asking, None
        if isinstance(asking, Inquiry):
            self._spoken_s += answer.took_s + self._exchange.timing.silence_s
            asking.done(Answer(answer.reply, answer.took_s))
        else:
            self._understand(*asking, answer, now)

    def _understand(self, station: Station, request: Request, answer: Answered, now: float) -> None:
        reply = answer.reply
        self._count(station, request, answer)
        match request, reply:
            case Pulse(), _:
                station.heard(now)
                self._settle(request, _pulse_result(answer), now)
            case _, Unfit(why):
                station.unfit(why, now)
            case ReadCoils(), Refused(code):
                station.unfit(f"exception {code} when asked for its relays; wrong profile?", now)
            case ReadInputs(), Refused():
                station.counters.refused += 1
                self._poll_missed(station, now)
            case _:
                stuck = station.answered(request, reply, now)
                if isinstance(request, ReadCoils) and not station.coils.rest:
                    self._limits.hold(station.board, now + REMEDY_S)
                self._tell_stuck(station, stuck, now)
        self._tell(station, now)
        if isinstance(request, ReadInputs) and isinstance(reply, Bits):
            station.counters.levels = reply.levels
            self._emit(InputsRead(station.board, request.first, reply.levels, now))

    def next(self, now: float) -> Send | Wait:
        """What to do at ``now``. A `Send` counts as written; only `not_written` takes that back."""
        if self._exchange.busy:
            if now < self._exchange.expires_s:
                return Wait(self._exchange.expires_s)
            self._unanswered(now)
        if not self._port_open:
            return Wait(NEVER_S)
        for pulse, reason in self._schedule.hopeless(now):
            self._not_sent(pulse, reason, now)
        chosen, from_s = self._schedule.turn(now, echo_known=self._exchange.echo is not None)
        if chosen is None:
            return Wait(min(from_s, self._schedule.deadline_s))
        start_s = max(from_s, self._exchange.ready_s(self._gap_s(chosen)))
        if now < start_s:
            self._watch_for_jam(from_s, now)
            return Wait(min(start_s, self._schedule.deadline_s))
        return self._send(chosen, now) or self.next(now)

    # What goes out

    def _gap_s(self, asking: Asking) -> float:
        profile = asking.profile if isinstance(asking, Inquiry) else asking[0].profile
        return profile.transport.gap_ms / 1000

    def _send(self, asking: Asking, now: float) -> Send | None:
        """None if it is no longer its turn after all."""
        if not self._schedule.take(asking, now):
            return None
        if isinstance(asking, Inquiry):
            return self._begin(asking, encode(asking.profile, asking.address, asking.request), now)
        station, request = asking
        station.counters.asked += 1
        return self._begin(asking, encode(station.profile, station.address, request), now)

    def _begin(self, asking: Asking, telegram: Telegram, now: float) -> Send:
        if self._exchange.timing.packets:
            telegram = packed(telegram, next(self._transactions))
        deadline_s = NEVER_S
        if isinstance(asking, Inquiry):
            patience_s = asking.profile.transport.reply_timeout_ms / 1000
        elif isinstance(asking[1], Pulse):
            deadline_s, patience_s = asking[1].deadline_s, asking[0].patience.limit_s
        else:
            patience_s = asking[0].patience_s
        self._held_since_s = None
        self._asking, self._begun_s = asking, now
        self._exchange.begin(telegram, patience_s, now)
        self._note(telegram.data, now, sent=True)
        return Send(telegram.data, deadline_s)

    def _note(self, data: bytes, now: float, *, sent: bool) -> None:
        self._frames.append(Frame(next(self._frame_numbers), now, sent, data))

    # What becomes of it

    def _flying(self) -> Pulse | None:
        """The pulse that is on its way."""
        if isinstance(self._asking, tuple) and isinstance(self._asking[1], Pulse):
            return self._asking[1]
        return None

    def _unanswered(self, now: float) -> None:
        asking, self._asking = self._asking, None
        if asking is None:
            self._exchange.expire(now, 0.0)
            return
        if isinstance(asking, Inquiry):
            self._exchange.expire(now, asking.profile.transport.drain_ms / 1000)
            asking.done(Answer(None))
            return
        station, request = asking
        self._exchange.expire(now, station.drain_s)
        if isinstance(request, AllOff):
            # While the echo is not known yet a write has no proof; this one asks for none.
            return
        if isinstance(request, Release):
            self._limits.hold(station.board, now + REMEDY_S)
            station.coils.unconfirmed(request, now)
        if isinstance(request, Pulse):
            self._settle(request, PulseResult(PulseOutcome.UNCERTAIN), now)
            if not station.profile.replies_to_pulse:
                return
        self._poll_missed(station, now)
        self._tell(station, now)

    def _poll_missed(self, station: Station, now: float) -> None:
        station.missed(now)
        if station.poll is not None:
            self._emit(PollMissed(station.board, now))

    def _tell_stuck(self, station: Station, stuck: tuple[int, ...], now: float) -> None:
        """Once, however often the board is asked again, until it serves or another relay sticks."""
        if stuck and self._told_stuck.get(station.board) != stuck:
            self._told_stuck[station.board] = stuck
            self._emit(RelaysStuck(station.board, stuck, now))

    def _tell(self, station: Station, now: float) -> None:
        """Lost and found, once each."""
        if station.down and station.board not in self._told_lost:
            self._told_lost.add(station.board)
            self._emit(StationLost(station.board, station.why, now))
        elif station.standing is Standing.SERVING and station.board in self._told_lost:
            self._told_lost.remove(station.board)
            self._told_stuck.pop(station.board, None)
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

    def _count(self, station: Station, request: Request, answer: Answered) -> None:
        counters = station.counters
        if not isinstance(request, Pulse | Release | AllOff):
            counters.latencies_s.append(answer.took_s)
        counters.noise_bytes += answer.noise_bytes
        counters.latency_s += SMOOTHING * (answer.took_s - counters.latency_s)
        self._spoken_s += answer.took_s + self._exchange.timing.silence_s
        if not isinstance(request, Pulse):
            # Some boards answer a pulse when it is over: it says nothing of how soon they answer a question.
            station.patience.answered(answer.turn_around_s)

    def _not_sent(self, pulse: Pulse, reason: str, now: float) -> None:
        self._emit(PulseSettled(pulse, PulseResult(PulseOutcome.NOT_SENT, reason), now))

    def _settle(self, pulse: Pulse, result: PulseResult, now: float) -> None:
        self._emit(PulseSettled(pulse, result, now, self._begun_s))


def _pulse_result(answer: Answered) -> PulseResult:
    if isinstance(answer.reply, Done):
        return PulseResult(PulseOutcome.ACKNOWLEDGED)
    if isinstance(answer.reply, Refused):
        return PulseResult(PulseOutcome.REFUSED, f"exception_{answer.reply.code}")
    return PulseResult(PulseOutcome.UNCERTAIN)
