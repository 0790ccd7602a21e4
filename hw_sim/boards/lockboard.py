"""What the lock boards that are no Modbus boards share: locks with their own feedback, and time of their own.

They answer when the pulse is over rather than at once, sequence several locks by themselves, and some tell
door changes unasked.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final

from hw_sim.boards import Ailments, CoilOrder, Coils, InputLevels, Said, Twist
from hw_sim.boards.terminals import Inputs, Relays

Act = Callable[[int], None]
"""What a board does by itself at a moment that it is handed."""

NOTICE_MS: Final = 30  # a contact that rests this long has changed
REPORT_GAP_MS: Final = 30  # between two reports of the same moment


class LockBoard(ABC):
    """`locks` channels from 1. `status` levels make a status reply: each lock's feedback, then what else."""

    def __init__(self, address: int, locks: int, status: int, levels: InputLevels, coils: Coils) -> None:
        self._address = address
        self._locks = locks
        self._inputs = Inputs(status, levels)
        self._relays = Relays(locks, coils)
        self._frame = b""
        self._plans: list[tuple[int, Act]] = []
        self._said: list[Said] = []
        self._known: list[bool] | None = None  # as last reported; None while it reports nothing
        self._reports = False
        self._look_ms: int | None = None

    @property
    def address(self) -> int:
        return self._address

    @abstractmethod
    def hears(self, frame: bytes) -> bool: ...

    @abstractmethod
    def _carry_out(self, frame: bytes, now_ms: int) -> bytes | None:
        """What it replies at once to a frame that it hears."""

    @abstractmethod
    def twisted(self, reply: bytes, twist: Twist) -> bytes: ...

    def _report(self, _channel: int, _level: bool) -> bytes | None:
        """How a door change is told unasked; None where the family has no such frame."""
        return None

    def answer(self, frame: bytes, now_ms: int) -> bytes | None:
        if not self.hears(frame):
            return None
        self._frame = frame
        return self._carry_out(frame, now_ms)

    def next_ms(self) -> int | None:
        own_ms = self._relays.next_ms()
        if not self._plans and self._look_ms is None:
            return own_ms
        moments = [at_ms for at_ms, _ in self._plans]
        moments += [at_ms for at_ms in (own_ms, self._look_ms) if at_ms is not None]
        return min(moments)

    def advance(self, now_ms: int) -> None:
        # Relays first: who answers when the pulse is over sees it over.
        while self._plans and (due_ms := min(at_ms for at_ms, _ in self._plans)) <= now_ms:
            self._relays.advance(due_ms)
            place = next(place for place, plan in enumerate(self._plans) if plan[0] == due_ms)
            self._plans.pop(place)[1](due_ms)
        self._relays.advance(now_ms)
        if self._reports:
            self._watch(now_ms)

    def said(self) -> Sequence[Said]:
        said, self._said = self._said, []
        return said

    def ail(self, ailments: Ailments) -> None:
        self._inputs.ail(ailments)
        self._relays.ail(ailments)
        self._reports = ailments.reports
        if not self._reports:
            self._known = self._look_ms = None

    # --- for the families ---------------------------------------------------------------------------------

    def _has(self, channel: int) -> bool:
        return 1 <= channel <= self._locks

    def _all(self) -> range:
        return range(1, self._locks + 1)

    def _open(self, channel: int, now_ms: int, pulse_ms: int | None, frame: bytes = b"") -> None:
        """Give a lock power; `frame` is whose order it is when it comes later than the frame."""
        self._relays.order(CoilOrder(self._address, channel, pulse_ms, now_ms, frame or self._frame))

    def _open_in_turn(self, channels: Sequence[int], now_ms: int, pulse_ms: int, gap_ms: int) -> int:
        """One lock after the other, as the supply bears it; the moment when the last pulse is over."""
        frame = self._frame
        for place, channel in enumerate(channels):

            def act(at_ms: int, channel: int = channel) -> None:
                self._open(channel, at_ms, pulse_ms, frame)

            if place:
                self._plan(now_ms + place * (pulse_ms + gap_ms), act)
            else:
                act(now_ms)
        return now_ms + max(len(channels) - 1, 0) * (pulse_ms + gap_ms) + pulse_ms

    def _say_at(self, at_ms: int, say: Callable[[int], bytes]) -> None:
        """Answer later, with what is true then."""
        self._plan(at_ms, lambda moment_ms: self._said.append(Said(say(moment_ms), moment_ms)))

    def _plan(self, at_ms: int, act: Act) -> None:
        self._plans.append((at_ms, act))

    def _watch(self, now_ms: int) -> None:
        levels = [self._inputs.one(channel, now_ms) for channel in self._all()]
        if self._known is None:
            self._known = levels
        elif levels == self._known:
            self._look_ms = None
        elif self._look_ms is None:
            self._look_ms = now_ms + NOTICE_MS
        elif now_ms >= self._look_ms:
            self._tell(levels, now_ms)

    def _tell(self, levels: list[bool], now_ms: int) -> None:
        known = self._known or []
        moved = [(place, level) for place, level in enumerate(levels) if level is not known[place]]
        for turn, (place, level) in enumerate(moved):
            if (frame := self._report(place + 1, level)) is not None:
                self._said.append(Said(frame, now_ms + turn * REPORT_GAP_MS, unasked=True))
        self._known, self._look_ms = levels, None


def xor_of(body: bytes) -> int:
    rest = 0
    for octet in body:
        rest ^= octet
    return rest


def altered(body: bytes, place: int, flip: int) -> bytes:
    """The octets with some bits of one turned over."""
    octets = bytearray(body)
    octets[place] ^= flip
    return bytes(octets)
