"""One board's life on its line, as a table: start, service, doubt, loss. Pure."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from firmware_bridge.boards.profile import BoardProfile, Modbus
from firmware_bridge.coils import CoilWatch
from firmware_bridge.exchange import DRAIN_S, Patience
from firmware_bridge.request import AllOff, Identify, Poll, Pulse, ReadCoils, ReadModes, Reply, Request
from locker.domain.ids import BoardId

MISSES_TO_LOSS: Final = 3
RETRY_FIRST_S: Final = 0.5
RETRY_MAX_S: Final = 30.0
DOUBT_S: Final = 0.05
"""After a silence the others have their turn before the board is asked what ails it."""
IDLE_S: Final = 0.45
"""From poll to poll of a board on which nothing moves; with the poll itself below half a second."""
PROBE_MARGIN_S: Final = 0.05
PATIENT_PROBES: Final = 4
"""Of the probes of a lost board only each fourth waits as long as its profile allows: the others suffer."""
LATENCIES_KEPT: Final = 256


class Standing(StrEnum):
    STARTING = "starting"
    SERVING = "serving"
    DOUBTED = "doubted"
    """It missed a question; trusted again once it says what it is."""
    LOST = "lost"
    LOCKED_OUT = "locked_out"
    """It answers, but is not what the profile says or could move a lock by itself."""


class Signal(StrEnum):
    STARTED = "started"
    ANSWERED = "answered"
    MISSED = "missed"
    GIVEN_UP = "given_up"
    UNFIT = "unfit"


def _next() -> dict[tuple[Standing, Signal], Standing]:
    table = {
        (Standing.STARTING, Signal.STARTED): Standing.SERVING,
        (Standing.STARTING, Signal.ANSWERED): Standing.STARTING,
        (Standing.STARTING, Signal.MISSED): Standing.STARTING,
        (Standing.SERVING, Signal.ANSWERED): Standing.SERVING,
        (Standing.SERVING, Signal.MISSED): Standing.DOUBTED,
        (Standing.DOUBTED, Signal.ANSWERED): Standing.SERVING,
        (Standing.DOUBTED, Signal.MISSED): Standing.DOUBTED,
    }
    for down in (Standing.LOST, Standing.LOCKED_OUT):
        # A board that comes back may be another one: it starts from its first question.
        table[down, Signal.ANSWERED] = Standing.STARTING
        table[down, Signal.MISSED] = Standing.LOST
    for any_standing in Standing:
        table[any_standing, Signal.GIVEN_UP] = Standing.LOST
        table[any_standing, Signal.UNFIT] = Standing.LOCKED_OUT
    return table


NEXT: Final[Mapping[tuple[Standing, Signal], Standing]] = MappingProxyType(_next())


@dataclass(slots=True)
class Counters:
    asked: int = 0
    answered: int = 0
    missed: int = 0
    refused: int = 0
    noise_bytes: int = 0
    latency_s: float = 0.0
    """Of whole transactions, smoothed."""
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))
    """Of the last reads."""
    levels: tuple[bool | None, ...] = ()
    """The last reading of its inputs."""


@dataclass(slots=True)
class Station:
    """Times are float seconds of the line's clock. ``poll`` is None for a board without wired inputs."""

    board: BoardId
    address: int
    profile: BoardProfile
    poll: Poll | None
    standing: Standing = Standing.STARTING
    why: str = ""
    """Why it is lost or locked out, for people."""
    counters: Counters = field(default_factory=Counters)
    patience: Patience = field(init=False)
    coils: CoilWatch = field(init=False)
    heard_at_s: float = float("-inf")
    _due_s: float = float("-inf")
    _attended_until_s: float = float("-inf")
    _misses: int = 0
    _retry_s: float = RETRY_FIRST_S
    _probes: int = 0
    _identified: bool = False
    _modes_good: bool = False
    _coils_good: bool = False
    _all_off_said: bool = False

    def __post_init__(self) -> None:
        self.patience = Patience(self.profile.transport.reply_timeout_ms / 1000)
        self.coils = CoilWatch(self.board, self.profile)

    @property
    def down(self) -> bool:
        return self.standing in {Standing.LOST, Standing.LOCKED_OUT}

    @property
    def patience_s(self) -> float:
        """How long to wait for the answer to a question."""
        if not self.down or self._probes % PATIENT_PROBES == 0:
            return self.patience.learned_s
        return min(self.patience.limit_s, 2 * self.profile.transport.turn_around_ms / 1000 + PROBE_MARGIN_S)

    @property
    def drain_s(self) -> float:
        """How long the line runs dry when no answer came. A lost board is not asked again so soon."""
        return DRAIN_S if self.down else self.profile.transport.drain_ms / 1000

    @property
    def due_s(self) -> float:
        """When it wants to be asked next."""
        return min(self._due_s, self.coils.due_s) if self.standing is Standing.SERVING else self._due_s

    def question(self, now: float) -> Request:
        """What to ask it next."""
        if self.standing is Standing.SERVING:
            return self.coils.question(now) or self.poll or Identify(self.board)
        if self.standing is Standing.STARTING and self._identified:
            return self._start_question() or Identify(self.board)
        return Identify(self.board)

    def question_of_coils(self, now: float) -> Request:
        """What its relays want said or asked now."""
        return self.coils.question(now) or ReadCoils(self.board)

    def attend(self, until_s: float, now: float) -> None:
        """Poll it as fast as the line allows until then."""
        self._attended_until_s = until_s
        if self.standing is Standing.SERVING:
            self._due_s = min(self._due_s, now)

    def asked(self, request: Request, now: float) -> None:
        """This went out."""
        if isinstance(request, Pulse):
            self.coils.pulsed(request, now)
            return
        self.coils.asked(request, now)
        if isinstance(request, AllOff):
            self._all_off_said = True
            self._due_s = now
        elif self.down:
            self._probes += 1
        else:
            self._due_s = now if now < self._attended_until_s else now + IDLE_S

    def heard(self, now: float) -> None:
        """A sound reply came, to a pulse or to anything else."""
        self.heard_at_s = now
        self._misses = 0
        self.counters.answered += 1

    def answered(self, request: Request, reply: Reply, now: float) -> tuple[int, ...]:
        """A fitting reply came to this question. Returns the relays that stay on although all was tried."""
        self.heard(now)
        stuck = self.coils.answered(request, reply, now)
        if stuck:
            self.unfit(f"relays {list(stuck)} stay on: cut the locks' supply, replace the board", now)
        elif self.standing is not Standing.SERVING:
            self._step(request, now)
        return stuck

    def _step(self, request: Request, now: float) -> None:
        """One question nearer to service."""
        self._advance(Signal.ANSWERED)
        self._identified = True
        self._modes_good |= isinstance(request, ReadModes)
        self._coils_good |= isinstance(request, ReadCoils) and self.coils.rest
        if self.standing is Standing.STARTING and self._start_question() is None:
            self._advance(Signal.STARTED)
            self.why = ""
            self._retry_s = RETRY_FIRST_S
            self._probes = 0
        self._due_s = now

    def missed(self, now: float) -> None:
        """No fitting reply came."""
        self.counters.missed += 1
        self.patience.missed()
        self._misses += 1
        if self.down or self._misses >= MISSES_TO_LOSS:
            self.give_up("no answer", now)
        else:
            self._advance(Signal.MISSED)
            self._due_s = now + DOUBT_S

    def unfit(self, why: str, now: float) -> None:
        self._fall(Signal.UNFIT, why, now)

    def give_up(self, why: str, now: float) -> None:
        self._fall(Signal.GIVEN_UP, why, now)

    def port_opened(self, now: float) -> None:
        """Ask at once: what was silent may have been the port."""
        self._due_s = now
        self._retry_s = RETRY_FIRST_S

    def _start_question(self) -> Request | None:
        speech = self.profile.speech
        if isinstance(speech, Modbus) and speech.modes is not None and not self._modes_good:
            return ReadModes(self.board)
        if self.profile.all_off is not None and not self._all_off_said:
            return AllOff(self.board)
        if self.coils.readable and not self._coils_good:
            # One that stayed on from before is met like one that stays on after a pulse.
            return self.coils.question(float("inf")) or ReadCoils(self.board)
        return None

    def _fall(self, signal: Signal, why: str, now: float) -> None:
        self._advance(signal)
        self.why = why
        self._identified = self._modes_good = self._coils_good = False
        self.coils.forget()
        self._misses = 0
        self._due_s = now + self._retry_s
        self._retry_s = min(RETRY_MAX_S, 2 * self._retry_s)

    def _advance(self, signal: Signal) -> None:
        self.standing = NEXT[self.standing, signal]
