"""A serial line under virtual time: the product's bus at one end, simulated boards at the other.

Where nothing changes, a line says the same things again and again. Then it falls asleep; when somebody wants
something, or something moves, whole rounds are passed over and the last one is spoken as it would have been,
at its own moments, before anything else happens. One sleep in a hundred is not slept: what is said in it must
be what was foretold.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from contextvars import Context, copy_context
from dataclasses import dataclass
from random import Random  # noqa: TID251  # seeded
from typing import Final

from firmware_bridge.bus import Bus, Send
from firmware_bridge.cabinet import ATTENTION_S
from firmware_bridge.line import Action
from firmware_bridge.station import Standing
from hw_sim.clock import to_ms
from hw_sim.gateway import Gateway
from hw_sim.line import Line
from locker.domain.ids import BoardId

LONGEST_ROUND: Final = 48
"""Requests after which a line in service begins again, at most."""
SHORTEST_SLEEP_S: Final = 0.3
ANSWER_S: Final = 0.1
"""Until a question is answered, at most."""
QUIET_S: Final = 0.5
"""So long nothing has changed: contacts have settled, nobody waits for anything."""
AWAKE_OF: Final = 100
RETRY_S: Final = 2.0
"""A port that is not there is looked for again."""
SAME_S: Final = 0.002
SETTLED: Final = frozenset({Standing.SERVING, Standing.LOST, Standing.LOCKED_OUT})
NOISES: Final = ("request_loss", "loss", "flip", "noise", "collision", "duplicate", "late")


class DisagreementError(AssertionError):
    """A spell that could have been slept was not quiet."""


@dataclass(slots=True)
class Spoken:
    """What was said and what was passed over, of all lines."""

    polls: int = 0
    sleeps: int = 0
    awake: int = 0
    """Sleeps that were not slept."""
    slept_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Said:
    request: bytes
    answer: bytes
    at_s: float
    phase: tuple[float, ...]
    """How long after this moment each board wants to be asked next: what comes follows from this alone."""

    def same(self, other: "Said") -> bool:
        """Said and answered alike, and the same comes after it."""
        alike = (self.request, self.answer) == (other.request, other.answer)
        return alike and len(self.phase) == len(other.phase) and all(map(_near, self.phase, other.phase))

    @property
    def on_the_edge(self) -> bool:
        """A hair later another board would have been asked next: what comes after it nobody can foretell."""
        return any(0 < abs(each) < SAME_S for each in self.phase)


def _near(one_s: float, other_s: float) -> bool:
    return abs(one_s - other_s) < SAME_S


@dataclass(slots=True)
class Sleep:
    due_s: float
    """When the next request would go."""
    period_s: float
    said: tuple[Said, ...]
    """One round, over and over."""
    watched: frozenset[BoardId]
    """Boards that are attended for as long as nothing moves."""
    until_s: float | None = None
    """None: for as long as nothing moves."""
    checked: int = 0

    def rounds_passed_over(self, now_s: float) -> int:
        """As many as leave every board something to be asked before now."""
        rounds, rest_s = divmod(now_s - self.due_s, self.period_s)
        begins_s = self.said[0].at_s
        spoken = {each.request for each in self.said if each.at_s - begins_s + ANSWER_S < rest_s}
        return int(rounds) - (spoken != {each.request for each in self.said})


class WorldLine:
    """Conforms to `firmware_bridge.cabinet.LineThread`.

    ``advance`` moves the cabinet's model on; ``watched``: boards that go on being attended,
    or None while contacts settle.
    """

    def __init__(
        self,
        bus: Bus,
        far: Line | Gateway,
        wire: Line,
        advance: Callable[[int], object],
        watched: Callable[[], frozenset[BoardId] | None],
        rng: Random,
        spoken: Spoken,
        ended: Callable[[], None],
    ) -> None:
        self._bus, self._far, self._wire, self._rng, self._ended = bus, far, wire, rng, ended
        self._advance, self._watched = advance, watched
        self._loop = asyncio.get_running_loop()
        self.now: Callable[[], float] = self._loop.time
        self._spoken = spoken
        self._owner: Context = copy_context()
        self._timer: asyncio.TimerHandle | None = None
        self._running = self._open = self._closing = False
        self.plugged = True
        self._history: deque[Said] = deque(maxlen=2 * LONGEST_ROUND)
        self._request, self._sent_s, self._heard = b"", 0.0, bytearray()
        self._phase: tuple[float, ...] = ()
        self._stirred_s = 0.0
        self._sleep: Sleep | None = None
        self._foretold: Sleep | None = None

    # --- what the cabinet does ---

    def start(self) -> None:
        self._running = True
        self._go(self._loop.time())

    def post(self, action: Action) -> None:
        if not self._running:
            return
        self.catch_up()
        self._listen_anew()

        def act() -> None:
            if self._running:
                action(self._bus, self.now())
                self._go(self._loop.time())

        self._loop.call_soon(act, context=self._owner)

    def close(self) -> None:
        self.catch_up()
        self._closing = True
        self._go(self._loop.time())

    # --- what the world does ---

    def catch_up(self) -> None:
        """Say what would have been said until now. Called before anything changes at either end."""
        if self._sleep is not None:
            self._owner.copy().run(self._wake, self._sleep)

    def stir(self) -> None:
        """Something has changed at the far end."""
        self._stir()
        if self._running:
            self._go(self._loop.time())

    def die(self) -> None:
        """The process that had the port is no more."""
        self._running = False
        self._sleep = None
        if self._timer is not None:
            self._timer.cancel()

    # --- time ---

    def _go(self, moment_s: float) -> None:
        if self._timer is not None:
            if not self._timer.cancelled() and self._timer.when() <= moment_s:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(moment_s, self._turn, context=self._owner)

    def _turn(self) -> None:
        self._timer = None
        if not self._running:
            return
        if self._sleep is not None:
            self._wake(self._sleep)
            return
        now_s = self._loop.time()
        next_s = self._step(now_s)
        if self._closing and not self._bus.pulse_in_flight:
            self._running = False
            self._bus.port_lost("closed", now_s)
            self._ended()
        elif next_s is not None:
            self._go(next_s)

    def _step(self, now_s: float) -> float | None:
        """All that happens at one moment; the next one. None: asleep."""
        self._plug_in(now_s)
        self._advance(to_ms(now_s))
        if octets := self._far.due(now_s):
            self._heard += octets
            self._bus.received(octets, now_s)
        until_s = self._speak(now_s)
        if not self._open:
            return now_s + RETRY_S
        far_s = self._far_s()
        if far_s is None:
            return None if self._falls_asleep(until_s, now_s) else until_s
        return min(until_s, far_s)

    def _far_s(self) -> float | None:
        """When something comes: a whole answer at once, as from a port that gathers."""
        talks = self._wire._talks
        if talks and self._far is self._wire and not self._wire._request.octets:
            return max(map(self._wire._end_s, talks))
        next_s = self._far.next_s()
        return self._thought_s() if next_s is None and self._bus._exchange.busy else next_s

    def _thought_s(self) -> float | None:
        """When a board that thinks before it answers has done so."""
        moments = [due_ms / 1000 for board in self._wire.boards if (due_ms := board.next_ms()) is not None]
        return min(moments, default=None)

    def _speak(self, now_s: float) -> float:
        while isinstance(step := self._bus.next(now_s), Send):
            self._note(step.data, now_s)
            self._far.received(step.data, now_s)
        return step.until_s

    def _plug_in(self, now_s: float) -> None:
        if self.plugged and not self._open:
            self._open = True
            self._far.line.forget() if isinstance(self._far, Gateway) else self._far.forget()
            self._bus.port_opened(now_s)
        elif not self.plugged and self._open:
            self._open = False
            self._bus.port_lost("unplugged", now_s)

    # --- quiet ---

    def _stir(self) -> None:
        self._stirred_s = self._loop.time()
        self._listen_anew()

    def _listen_anew(self) -> None:
        self._history.clear()
        # It may have fallen asleep anew while it caught up; what was foretold does not hold any more.
        self._foretold = self._sleep = None

    def _note(self, request: bytes, now_s: float) -> None:
        """A request goes out: so the one before it has had all its answer."""
        self._spoken.polls += 1
        if self._request:
            before = self._said()
            self._history.append(before)
            if self._foretold is not None:
                self._compare(self._foretold, before)
        self._request, self._sent_s = request, now_s
        self._phase = tuple(
            station.due_s - now_s
            for station in self._bus._stations.values()
            if station.standing is Standing.SERVING
        )
        self._heard.clear()

    def _said(self) -> Said:
        return Said(self._request, bytes(self._heard), self._sent_s, self._phase)

    def _compare(self, foretold: Sleep, said: Said) -> None:
        """``checked`` counts from the last request of the round that was heard before."""
        if foretold.until_s is not None and said.at_s > foretold.until_s - SAME_S:
            self._foretold = None
            return
        rounds, place = divmod(foretold.checked - 1, len(foretold.said))
        foretold.checked += 1
        was = foretold.said[place]
        due_s = was.at_s + (rounds + 1) * foretold.period_s
        same = (said.request, said.answer) == (was.request, was.answer)
        if not same or abs(said.at_s - due_s) > SAME_S * (rounds + 2):
            raise DisagreementError(f"{said}; foretold was {was} at {due_s:.4f}")

    def _falls_asleep(self, due_s: float, now_s: float) -> bool:
        if self._closing or self._foretold is not None or now_s - self._stirred_s < QUIET_S:
            return False
        if self._busy or self._noisy or any(s.standing not in SETTLED for s in self._bus.report()):
            return False
        sleep = self._round(due_s, now_s)
        if sleep is None:
            return False
        if self._rng.randrange(AWAKE_OF) == 0:
            self._spoken.awake += 1
            self._foretold = sleep
            return False
        self._spoken.sleeps += 1
        self._sleep = sleep
        if sleep.until_s is not None:
            self._go(sleep.until_s)
        return True

    def _round(self, due_s: float, now_s: float) -> Sleep | None:
        """What has been said once over, and would be said again."""
        last, said = self._said(), self._history
        serving = len(last.phase)
        if not serving:
            return None  # boards that are lost are asked less and less often: that is no round
        for length in range(1, min(LONGEST_ROUND, len(said)) + 1):
            before = said[-length]
            if not last.same(before):
                continue
            period_s = last.at_s - before.at_s
            heard = (*(said[n] for n in range(1 - length, 0)), last)
            answers = {(each.request, each.answer) for each in heard}
            asked = {request for request, _ in answers}
            # One question more went to a board that is lost: by its own timer, not once a round.
            everybody = len(asked) == serving
            steady = len(asked) == len(answers)
            certain = not any(each.on_the_edge for each in heard)
            if everybody and steady and certain and _near(heard[0].at_s + period_s, due_s):
                watched = self._watched()
                if watched is None:
                    return None
                return self._undisturbed(Sleep(due_s, period_s, heard, watched), now_s)
        return None

    def _undisturbed(self, sleep: Sleep, now_s: float) -> Sleep | None:
        """Until a board is asked otherwise: less often once it is not attended any more, or again because it
        was lost. None where that is soon."""
        stations = self._bus._stations.items()
        ends = [
            station._attended_until_s
            for board, station in stations
            if station._attended_until_s > sleep.said[0].at_s and board not in sleep.watched
        ]
        ends += [station.due_s for _, station in stations if station.down]
        sleep.until_s = min(ends, default=None)
        return sleep if sleep.until_s is None or sleep.until_s - now_s > SHORTEST_SLEEP_S else None

    @property
    def _busy(self) -> bool:
        resting = all(station.coils.rest for station in self._bus._stations.values())
        return self._bus._exchange.busy or not resting or bool(self._bus._schedule._pulses)

    @property
    def _noisy(self) -> bool:
        return any(getattr(self._wire.faults, name) for name in NOISES)

    def _wake(self, sleep: Sleep) -> None:
        self._sleep = None
        now_s = self._loop.time()
        passed = sleep.rounds_passed_over(now_s)
        moment_s: float | None = sleep.due_s
        if passed > 0:
            later_s = passed * sleep.period_s
            self._spoken.slept_s += later_s
            moment_s = sleep.due_s + later_s
            self._shift(later_s, moment_s, sleep.watched)
        while moment_s is not None and moment_s < now_s:
            moment_s = self._step(moment_s)
        if moment_s is not None:
            self._go(moment_s)

    def _shift(self, later_s: float, woken_s: float, watched: Collection[BoardId]) -> None:
        """As if every round in between had been spoken."""
        exchange = self._bus._exchange
        exchange._busy_until_s += later_s
        exchange._drained_s += later_s
        for board, station in self._bus._stations.items():
            if not station.down:
                station._due_s += later_s
            if board in watched:
                # A door stands open: attention was asked for again and again, a little ahead each time.
                station._attended_until_s = max(station._attended_until_s, woken_s + ATTENTION_S)
            station.heard_at_s += later_s
        if self._bus._held_since_s is not None:
            self._bus._held_since_s += later_s
        self._sent_s += later_s
        self._history.clear()
