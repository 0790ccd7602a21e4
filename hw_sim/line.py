"""One half-duplex line: when a request is whole, when each byte of a reply leaves, what goes wrong.

Pure: bytes and moments in, bytes and moments out. A pty hands over a whole request in an instant; on a wire
each byte takes a character time. So a request counts as whole only after its own wire time and a silence of
3.5 characters, a reply's bytes leave one character time apart, and who speaks before the silence is over is
not heard: boards in the field behave so, and a driver must be seen to respect it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hw_sim.boards import Board
from hw_sim.chance import Chance
from hw_sim.clock import to_ms
from hw_sim.faults import Faults

SILENCE_CHARS: Final = 3.5
FAST_BAUD: Final = 19_200
FAST_SILENCE_S: Final = 0.00175  # above 19200 baud the silence is fixed
LONGEST_FRAME: Final = 256
NOISE_LONGEST: Final = 4
# Rounding of floats only; a driver that waits its 3.5 characters is never early.
EARLY_GRACE_S: Final = 0.000_02


class Kind(StrEnum):
    """What became of a frame; `to_` and `from_` as seen from the boards."""

    REQUEST = "request"
    REPLY = "reply"
    EARLY = "early"  # began before the silence was over
    UNHEARD = "unheard"  # broken, or nobody with that address
    DEAD = "dead"
    REQUEST_LOST = "request_lost"
    REPLY_LOST = "reply_lost"


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame for the records. `gap_s` is the silence before a request, None for the first."""

    kind: Kind
    frame: bytes
    at_s: float
    gap_s: float | None = None


@dataclass(slots=True)
class _Talk:
    """Bytes on their way, the first one whole at `start_s` plus one character time."""

    start_s: float
    octets: bytes
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Wire:
    """Speed of a line. `char_bits` is 10 for 8N1."""

    baud: int = 9600
    char_bits: int = 10

    @property
    def char_s(self) -> float:
        return self.char_bits / self.baud

    @property
    def silence_s(self) -> float:
        return SILENCE_CHARS * self.char_s if self.baud <= FAST_BAUD else FAST_SILENCE_S


@dataclass(slots=True)
class Line:
    """All stations of one line and the bytes between them and the port."""

    boards: Sequence[Board]
    wire: Wire
    chance: Chance
    seen: Callable[[Seen], None]
    faults: Faults = field(default_factory=Faults)
    _frame: bytearray = field(default_factory=bytearray)
    _frame_ends_s: float = 0.0
    _frame_early: bool = False
    _frame_gap_s: float | None = None
    _busy_until_s: float | None = None
    _talks: list[_Talk] = field(default_factory=list)

    def received(self, data: bytes, now_s: float) -> None:
        """Bytes from the port. They take their time on the wire, after those that came before."""
        self._complete(now_s)
        if not self._frame:
            self._begin(now_s)
        self._frame += data[: LONGEST_FRAME + 1 - len(self._frame)]
        starts_s = max(self._frame_ends_s, now_s)
        self._frame_ends_s = starts_s + len(data) * self.wire.char_s
        if self.faults.echo:
            self._talks.append(_Talk(starts_s, data))

    def next_s(self) -> float | None:
        """When something is due: a request gets whole, or a byte leaves."""
        moments = [talk.start_s + (talk.sent + 1) * self.wire.char_s for talk in self._talks]
        if self._frame:
            moments.append(self._whole_at_s())
        return min(moments, default=None)

    def due(self, now_s: float) -> bytes:
        """Every byte that must have left by now, in the order of leaving."""
        self._complete(now_s)
        leaving = []
        for talk in self._talks:
            ready = min(len(talk.octets), int((now_s - talk.start_s) / self.wire.char_s + 1e-6))
            leaving += [
                (talk.start_s + (place + 1) * self.wire.char_s, talk.octets[place])
                for place in range(talk.sent, ready)
            ]
            talk.sent = max(ready, talk.sent)
        for talk in self._talks:
            if talk.sent == len(talk.octets):
                self._was_busy_until(self._end_s(talk))
        self._talks = [talk for talk in self._talks if talk.sent < len(talk.octets)]
        return bytes(octet for _, octet in sorted(leaving))

    def forget(self) -> None:
        """The other side closed its port: what was under way is gone."""
        self._frame.clear()
        self._talks.clear()

    def _begin(self, now_s: float) -> None:
        self._frame_ends_s = now_s
        for talk in self._talks:
            if talk.start_s <= now_s:
                self._was_busy_until(self._end_s(talk))
        self._frame_gap_s = None if self._busy_until_s is None else now_s - self._busy_until_s
        self._frame_early = (
            self._frame_gap_s is not None and self._frame_gap_s < self.wire.silence_s - EARLY_GRACE_S
        )
        if self._speaking(now_s):
            self._garble(now_s)

    def _was_busy_until(self, moment_s: float) -> None:
        self._busy_until_s = moment_s if self._busy_until_s is None else max(self._busy_until_s, moment_s)

    def _end_s(self, talk: _Talk) -> float:
        return talk.start_s + len(talk.octets) * self.wire.char_s

    def _speaking(self, now_s: float) -> bool:
        return any(talk.start_s <= now_s for talk in self._talks)

    def _garble(self, now_s: float) -> None:
        """Two talk at once: what is still to come of the reply is spoilt."""
        for talk in self._talks:
            if talk.start_s <= now_s:
                rest = self.chance.octets("garble", len(talk.octets) - talk.sent)
                talk.octets = talk.octets[: talk.sent] + rest

    def _whole_at_s(self) -> float:
        return self._frame_ends_s + self.wire.silence_s

    def _complete(self, now_s: float) -> None:
        if not self._frame or now_s < self._whole_at_s():
            return
        frame, at_s = bytes(self._frame), self._whole_at_s()
        self._frame.clear()
        self._was_busy_until(self._frame_ends_s)
        if self._frame_early:
            self.seen(Seen(Kind.EARLY, frame, at_s, self._frame_gap_s))
            return
        self.seen(Seen(Kind.REQUEST, frame, at_s, self._frame_gap_s))
        if self.chance.happens("request_loss", self.faults.request_loss):
            self.seen(Seen(Kind.REQUEST_LOST, frame, at_s))
            return
        self._ask(frame, at_s)

    def _ask(self, frame: bytes, at_s: float) -> None:
        hearing = [board for board in self.boards if board.hears(frame)]
        alive = [board for board in hearing if board.address not in self.faults.dead]
        if not alive:
            self.seen(Seen(Kind.DEAD if hearing else Kind.UNHEARD, frame, at_s))
            return
        replies = [reply for board in alive if (reply := board.answer(frame, to_ms(at_s))) is not None]
        if replies:
            self._reply(_overlaid(replies), at_s)

    def _reply(self, reply: bytes, at_s: float) -> None:
        # Every chance is drawn for every reply: the same seed gives the same run whatever is switched on.
        lost = self.chance.happens("loss", self.faults.loss)
        stray = self._noise()
        reply = self._flipped(self._collided(reply))
        twice = self.chance.happens("duplicate", self.faults.duplicate)
        late = self.chance.happens("late", self.faults.late)
        if lost:
            self.seen(Seen(Kind.REPLY_LOST, reply, at_s))
            return
        start_s = at_s + self.faults.delay_ms / 1000 + (self.faults.late_ms / 1000 if late else 0.0)
        octets = stray + reply + (reply if twice else b"")
        self._talks.append(_Talk(start_s, octets))
        self.seen(Seen(Kind.REPLY, octets, start_s + len(octets) * self.wire.char_s))

    def _noise(self) -> bytes:
        length = 1 + self.chance.below("noise_length", NOISE_LONGEST)
        stray = self.chance.octets("noise_octets", NOISE_LONGEST)[:length]
        return stray if self.chance.happens("noise", self.faults.noise) else b""

    def _flipped(self, reply: bytes) -> bytes:
        octets = bytearray(reply)
        for place in range(len(octets)):
            bit = self.chance.below("flip_bit", 8)
            if self.chance.happens("flip", self.faults.flip):
                octets[place] ^= 1 << bit
        return bytes(octets)

    def _collided(self, reply: bytes) -> bytes:
        other = self.chance.octets("collision_octets", len(reply))
        return _overlaid([reply, other]) if self.chance.happens("collision", self.faults.collision) else reply


def _overlaid(talks: Sequence[bytes]) -> bytes:
    """Several stations at once: a driven 0 wins over a driven 1 on most adapters."""
    octets = bytearray(max(talks, key=len))
    for talk in talks:
        for place, octet in enumerate(talk):
            octets[place] &= octet
    return bytes(octets)
