"""One half-duplex line: when a request is whole, when each byte of a reply leaves, what goes wrong.

Pure: bytes and moments in, bytes and moments out. A pty hands over a whole request in an instant; on a wire
each byte takes a character time. So a request counts as whole only after its own wire time and a silence of
3.5 characters, a reply's bytes leave one character time apart, and who speaks before the silence is over is
not heard: boards in the field behave so, and a driver must be seen to respect it. A board may also speak
later than at once, or unasked; what overlaps on the wire is spoilt on both sides.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hw_sim.boards import Board, Said
from hw_sim.chance import Chance
from hw_sim.clock import to_ms
from hw_sim.faults import Faults

SILENCE_CHARS: Final = 3.5
FAST_BAUD: Final = 19_200
FAST_SILENCE_S: Final = 0.00175  # above 19200 baud the silence is fixed
LONGEST_FRAME: Final = 256
NOISE_LONGEST: Final = 4
GARBAGE: Final = bytes.fromhex("FA FD 99 99")  # as some boards of the 8A family put before each reply
# Rounding of floats only; a driver that waits its 3.5 characters is never early.
EARLY_GRACE_S: Final = 0.000_02


class Kind(StrEnum):
    """What became of a frame; `to_` and `from_` as seen from the boards."""

    REQUEST = "request"
    REPLY = "reply"
    REPORT = "report"  # a board spoke unasked
    EARLY = "early"  # began before the silence was over
    UNHEARD = "unheard"  # broken, or nobody with that address
    SPOILT = "spoilt"  # a board spoke into it
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
class _Talk:
    """Bytes on their way, the first one whole at `start_s` plus one character time."""

    start_s: float
    octets: bytes
    sent: int = 0
    board: Board | None = None
    echo: bool = False  # of the adapter: it disturbs nobody


@dataclass(slots=True)
class _Request:
    """What the other side is sending, or has sent last (then without octets)."""

    begins_s: float = -math.inf
    ends_s: float = -math.inf
    gap_s: float | None = None
    early: bool = False
    spoilt: bool = False
    octets: bytearray = field(default_factory=bytearray)

    def overlaps(self, talk_starts_s: float, at_s: float) -> bool:
        """Whether a byte begun at `at_s`, of a talk that came after the request, falls into the request."""
        return talk_starts_s > self.begins_s and at_s < self.ends_s - EARLY_GRACE_S


class Line:
    """All stations of one line and the bytes between them and the port."""

    def __init__(
        self,
        boards: Sequence[Board],
        wire: Wire,
        chance: Chance,
        seen: Callable[[Seen], None],
        faults: Faults | None = None,
    ) -> None:
        self.boards = boards
        self.wire = wire
        self.chance = chance
        self.seen = seen
        self.faults = faults or Faults()
        self._request = _Request()
        self._busy_until_s: float | None = None
        self._talks: list[_Talk] = []

    @property
    def faults(self) -> Faults:
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        """What is the matter with the boards reaches them here."""
        self._faults = faults
        for board in self.boards:
            board.ail(faults.ailments(board.address))

    def received(self, data: bytes, now_s: float) -> None:
        """Bytes from the port. They take their time on the wire, after those that came before."""
        self._listen()
        self._complete(now_s)
        if not self._request.octets:
            self._begin(now_s)
        request = self._request
        request.octets += data[: LONGEST_FRAME + 1 - len(request.octets)]
        starts_s = max(request.ends_s, now_s)
        request.ends_s = starts_s + len(data) * self.wire.char_s
        if self.faults.echo:
            self._talks.append(_Talk(starts_s, data, echo=True))

    def next_s(self) -> float | None:
        """When something is due: a request gets whole, or a byte leaves."""
        self._listen()
        moments = [talk.start_s + (talk.sent + 1) * self.wire.char_s for talk in self._talks]
        if self._request.octets:
            moments.append(self._whole_at_s())
        return min(moments, default=None)

    def due(self, now_s: float) -> bytes:
        """Every byte that must have left by now, in the order of leaving."""
        self._listen()
        self._complete(now_s)
        if not self._talks:
            return b""
        leaving = [octet for talk in self._talks for octet in self._leaving(talk, now_s)]
        for talk in self._talks:
            if talk.sent == len(talk.octets):
                self._was_busy_until(self._end_s(talk))
        self._talks = [talk for talk in self._talks if talk.sent < len(talk.octets)]
        return bytes(octet for _, octet in sorted(leaving))

    def forget(self) -> None:
        """The other side closed its port: what was under way is gone."""
        self._request = _Request()
        self._talks.clear()

    # --- bytes on their way -------------------------------------------------------------------------------

    def _leaving(self, talk: _Talk, now_s: float) -> Iterator[tuple[float, int]]:
        char_s = self.wire.char_s
        ready = min(len(talk.octets), int((now_s - talk.start_s) / char_s + 1e-6))
        for place in range(talk.sent, ready):
            leaves_s = talk.start_s + (place + 1) * char_s
            octet = talk.octets[place]
            if not talk.echo and self._request.overlaps(talk.start_s, leaves_s - char_s):
                self._request.spoilt = True
                octet = self.chance.octets("garble", 1)[0]
            yield leaves_s, octet
        talk.sent = max(ready, talk.sent)

    def _begin(self, now_s: float) -> None:
        for talk in self._talks:
            if talk.start_s <= now_s:
                self._was_busy_until(self._end_s(talk))
        gap_s = None if self._busy_until_s is None else now_s - self._busy_until_s
        early = gap_s is not None and gap_s < self.wire.silence_s - EARLY_GRACE_S
        self._request = _Request(begins_s=now_s, ends_s=now_s, gap_s=gap_s, early=early)
        for talk in self._talks:
            if talk.start_s <= now_s:  # two talk at once: what is still to come of the reply is spoilt
                self._garble(talk, range(talk.sent, len(talk.octets)))

    def _was_busy_until(self, moment_s: float) -> None:
        self._busy_until_s = moment_s if self._busy_until_s is None else max(self._busy_until_s, moment_s)

    def _end_s(self, talk: _Talk) -> float:
        return talk.start_s + len(talk.octets) * self.wire.char_s

    def _garble(self, talk: _Talk, places: range) -> None:
        octets = bytearray(talk.octets)
        for place in places:
            octets[place] = self.chance.octets("garble", 1)[0]
        talk.octets = bytes(octets)

    # --- requests -----------------------------------------------------------------------------------------

    def _whole_at_s(self) -> float:
        return self._request.ends_s + self.wire.silence_s

    def _complete(self, now_s: float) -> None:
        request = self._request
        if not request.octets or now_s < self._whole_at_s():
            return
        frame, at_s = bytes(request.octets), self._whole_at_s()
        spoilt = request.spoilt or any(
            not talk.echo and request.overlaps(talk.start_s, talk.start_s) for talk in self._talks
        )
        request.octets.clear()
        self._was_busy_until(request.ends_s)
        if request.early:
            self.seen(Seen(Kind.EARLY, frame, at_s, request.gap_s))
            return
        self.seen(Seen(Kind.REQUEST, frame, at_s, request.gap_s))
        if self.chance.happens("request_loss", self.faults.request_loss):
            self.seen(Seen(Kind.REQUEST_LOST, frame, at_s))
        elif spoilt:
            self.seen(Seen(Kind.SPOILT, frame, at_s))
        else:
            self._ask(frame, at_s)

    def _ask(self, frame: bytes, at_s: float) -> None:
        hearing = [board for board in self.boards if board.hears(frame) and not self.faults.swapped]
        alive = [board for board in hearing if board.address not in self.faults.dead]
        if not alive:
            self.seen(Seen(Kind.DEAD if hearing else Kind.UNHEARD, frame, at_s))
            return
        replies = []
        for board in alive:
            address = board.address  # by this very frame it may get another one
            reply = board.answer(frame, to_ms(at_s))
            if reply is not None:
                replies.append(self._ailing(board, address, reply))
        if replies:
            self._speak(_overlaid(replies), at_s, alive[0], Kind.REPLY)

    # --- replies ------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """What boards have said by themselves since we last looked."""
        for board in self.boards:
            for said in board.said():
                if board.address not in self.faults.dead:
                    self._said(board, said)

    def _said(self, board: Board, said: Said) -> None:
        kind = Kind.REPORT if said.unasked else Kind.REPLY
        octets = said.octets if said.unasked else self._ailing(board, board.address, said.octets)
        self._speak(octets, said.at_ms / 1000, board, kind)

    def _ailing(self, board: Board, address: int, reply: bytes) -> bytes:
        for twist in self.faults.twists(address):
            reply = board.twisted(reply, twist)
        return GARBAGE + reply if address in self.faults.garbage else reply

    def _speak(self, reply: bytes, at_s: float, board: Board, kind: Kind) -> None:
        # Every chance is drawn for every reply: the same seed gives the same run whatever is switched on.
        lost = self.chance.happens("loss", self.faults.loss)
        stray = self._noise()
        reply = self._flipped(self._collided(reply))
        twice = self.chance.happens("duplicate", self.faults.duplicate)
        late = self.chance.happens("late", self.faults.late)
        if self.faults.swapped:
            reply = bytes(octet ^ 0xFF for octet in reply)
        if lost:
            self.seen(Seen(Kind.REPLY_LOST, reply, at_s))
            return
        start_s = at_s + self.faults.delay_ms / 1000 + (self.faults.late_ms / 1000 if late else 0.0)
        talk = _Talk(start_s, stray + reply + (reply if twice else b""), board=board)
        self._fit_in(talk)
        self._talks.append(talk)
        self.seen(Seen(kind, talk.octets, self._end_s(talk)))

    def _fit_in(self, talk: _Talk) -> None:
        """A board says one thing after the other; two boards at once spoil each other's bytes."""
        others = [each for each in self._talks if not each.echo]
        for mine in others:
            if mine.board is talk.board and self._shared(talk, mine):
                talk.start_s = self._end_s(mine) + self.wire.silence_s
        for other in others:
            theirs, ours = self._shared(other, talk), self._shared(talk, other)
            self._garble(other, range(max(theirs.start, other.sent), theirs.stop))
            self._garble(talk, ours)

    def _shared(self, talk: _Talk, other: _Talk) -> range:
        """Which bytes of the one are on the wire together with the other."""
        char_s = self.wire.char_s
        first = int((other.start_s - talk.start_s) / char_s + 1e-6)
        last = math.ceil((self._end_s(other) - talk.start_s) / char_s - 1e-6)
        return range(min(max(first, 0), len(talk.octets)), min(max(last, 0), len(talk.octets)))

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
