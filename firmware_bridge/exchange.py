"""One telegram and its reply on a half-duplex line: a state machine over (bytes, time), no port, no clock.

It keeps the silence before each telegram, finds the reply behind noise, tells echo from answer, and lets the
line run dry after a time-out. Times are float seconds of one monotonic clock.
"""

from dataclasses import dataclass
from typing import Final

from firmware_bridge.request import Reply, Telegram

BITS_PER_CHARACTER: Final = 10
"""8N1."""
SILENT_CHARACTERS: Final = 3.5
FAST_BAUD: Final = 19_200
FAST_SILENCE_S: Final = 0.001_75
"""The protocol's fixed silence above 19200 baud."""
NOISE_CHARACTERS: Final = 8
"""Noise that some boards send before a reply, allowed for in every time-out."""
DRAIN_S: Final = 0.05
"""After the port was opened, all that still comes in this long is thrown away."""
PATIENCE_MIN_S: Final = 0.05
"""A scheduler's hiccup on a busy small computer must not look like a lost reply."""
PATIENCE_FACTOR: Final = 4.0
PATIENCE_DECAY: Final = 0.98
ECHO_PROOFS: Final = 3
"""Reads answered with nothing before the reply until the line counts as free of echo."""
STRAY_KEPT: Final = 16
"""Kinds of stray bytes that are remembered: as many as boards that send their own before each reply."""
WINDOW_BYTES: Final = 512
"""Older bytes of a noise storm are dropped."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What a baud rate means for durations."""

    baud: int
    packets: bool = False
    """Behind a gateway that speaks in packets: it keeps the silence, and nothing echoes. ``baud`` is then the
    line's behind it."""

    @property
    def silence_s(self) -> float:
        if self.packets:
            return 0.0
        return FAST_SILENCE_S if self.baud > FAST_BAUD else self.wire_s(SILENT_CHARACTERS)

    def wire_s(self, characters: float) -> float:
        return characters * BITS_PER_CHARACTER / self.baud


class Patience:
    """How long to wait for one board: its profile's limit, and for reads a shorter one learned."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._peak_s = limit_s

    @property
    def limit_s(self) -> float:
        return self._limit_s

    @property
    def learned_s(self) -> float:
        return min(self._limit_s, max(PATIENCE_MIN_S, PATIENCE_FACTOR * self._peak_s))

    def answered(self, turn_around_s: float) -> None:
        self._peak_s = max(turn_around_s, self._peak_s * PATIENCE_DECAY)

    def missed(self) -> None:
        self._peak_s = min(self._limit_s, 2 * self._peak_s)


@dataclass(frozen=True, slots=True)
class Answered:
    reply: Reply
    took_s: float
    """From the first byte written to the last byte read."""
    turn_around_s: float
    noise_bytes: int


@dataclass(slots=True)
class _Flight:
    telegram: Telegram
    sent_s: float
    expires_s: float


class Exchange:
    """At most one telegram in flight. ``echo``: does the adapter repeat our bytes? None: not known yet."""

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self.echo: bool | None = False if timing.packets else None
        self.shortest_silence_s = float("inf")
        """Before any request since the port was opened."""
        self._plain_replies = 0
        self._stray: dict[bytes, int] = {}
        """What came before replies, and how often."""
        self._flight: _Flight | None = None
        self._window = bytearray()
        self._busy_until_s = float("-inf")
        self._drained_s = float("-inf")

    @property
    def busy(self) -> bool:
        return self._flight is not None

    @property
    def expires_s(self) -> float:
        """When the telegram in flight counts as unanswered."""
        return self._flight.expires_s if self._flight else float("-inf")

    def ready_s(self, gap_s: float = 0.0) -> float:
        """The first instant at which a telegram may start: after the silence, and dry after a time-out."""
        return max(self._busy_until_s + max(self.timing.silence_s, gap_s), self._drained_s)

    @property
    def deaf_until_s(self) -> float:
        """Before then the answer to a read cannot be whole: nobody need look. A write's echo is told by when
        it comes, so there every byte is met at once."""
        flight = self._flight
        if flight is None or flight.telegram.confirmed_by_echo:
            return float("-inf")
        missing = flight.telegram.least - len(self._window)
        if self._window:
            return self._busy_until_s + self.timing.wire_s(missing - 1)
        return flight.sent_s + self.timing.wire_s(len(flight.telegram.data) + missing - 1)

    def reset(self, now: float) -> None:
        """The port was opened anew: nothing in flight, nothing known of its echo or of the line's past."""
        self.echo = False if self.timing.packets else None
        self.shortest_silence_s = float("inf")
        self._plain_replies = 0
        self._stray.clear()
        self._flight = None
        self._window.clear()
        self._busy_until_s = now
        self._drained_s = now + DRAIN_S

    def begin(self, telegram: Telegram, patience_s: float, now: float) -> None:
        """The telegram starts on the wire now. The caller has kept ``ready_s``."""
        assert self._flight is None, "a half-duplex line carries one telegram at a time"  # noqa: S101  # programmer error
        self.shortest_silence_s = min(self.shortest_silence_s, now - self._busy_until_s)
        characters = len(telegram.data) + NOISE_CHARACTERS + telegram.reply_length
        expires_s = now + self.timing.wire_s(characters) + patience_s
        self._flight = _Flight(telegram, now, expires_s)
        self._window.clear()
        self._busy_until_s = now + self.timing.wire_s(len(telegram.data))

    def received(self, data: bytes, now: float) -> Answered | None:
        """Bytes came in; the answer, if they complete it. Unasked bytes only prolong the silence."""
        self._busy_until_s = max(self._busy_until_s, now)
        if self._flight is None:
            return None
        self._window += data
        del self._window[:-WINDOW_BYTES]
        flight = self._flight
        self._notice_echo(flight, now)
        found = self._find(flight.telegram)
        if found is None:
            return None
        reply, start, length = found
        before = bytes(self._window[:start])
        if not flight.telegram.confirmed_by_echo:
            self._learn_echo(flight.telegram.data, before)
        self._flight = None
        took_s = now - flight.sent_s
        turn_around_s = took_s - self.timing.wire_s(len(flight.telegram.data) + length)
        noise_bytes = len(before.replace(flight.telegram.data, b"", 1))
        return Answered(reply, took_s, max(0.0, turn_around_s), noise_bytes)

    def expire(self, now: float, drain_s: float) -> None:
        """Nobody answered in time. What still comes in ``drain_s`` belongs to the past and is thrown away."""
        self._flight = None
        self._window.clear()
        self._drained_s = now + drain_s

    def _find(self, telegram: Telegram) -> tuple[Reply, int, int] | None:
        """The reply, where it begins in the window, and its length."""
        window = bytes(self._window)
        # Unless the line is proven free of echo, the first copy of a write may be our own.
        own_copies = 1 if telegram.confirmed_by_echo and self.echo is not False else 0
        start, least = 0, telegram.least
        while len(window) - start >= least:
            matched = telegram.match(window[start:])
            if matched is None:
                start += 1
                continue
            reply, length = matched
            if own_copies == 0 or window[start : start + length] != telegram.data:
                return reply, start, length
            own_copies -= 1
            start += length
        return None

    def _notice_echo(self, flight: _Flight, now: float) -> None:
        """A copy of a write that is back sooner than the wire carries it out and in again is our own."""
        telegram = flight.telegram
        soonest_s = flight.sent_s + self.timing.wire_s(len(telegram.data) + telegram.reply_length)
        if telegram.confirmed_by_echo and now < soonest_s and telegram.data in self._window:
            self.echo = True

    def _learn_echo(self, request: bytes, before: bytes) -> None:
        """From what came before a read's reply, for a read's reply is never its request.

        An echo once seen is believed until the port is opened anew. Its absence needs proof, and noise that
        may have been a garbled echo takes the proof away.
        """
        if request in before:
            self.echo = True
        elif self.echo is not True:
            plain = not before or self._is_boards_own(before, request)
            garbled = not plain and len(before) >= len(request) // 2
            self._plain_replies = 0 if garbled else self._plain_replies + plain
            self.echo = False if self._plain_replies >= ECHO_PROOFS else None

    def _is_boards_own(self, before: bytes, request: bytes) -> bool:
        """Some boards put the same bytes before whatever they say. They come again and again, and no two of
        them stand together in the request, as they would in what is left of an echo."""
        if before not in self._stray and len(self._stray) >= STRAY_KEPT:
            self._stray.clear()
        times = self._stray[before] = self._stray.get(before, 0) + 1
        return times > 1 and not any(before[n : n + 2] in request for n in range(len(before) - 1))
