"""A Modbus TCP gateway in front of a line: requests with an MBAP header in, the boards' own replies out.

Pure, like the line behind it, and used like it. It is the master of its line: one request at a time, each
with the silence that the line wants. Who does not answer in time costs the client an exception.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from hw_sim.boards.modbus import BROADCAST, sealed, whole
from hw_sim.line import Line

HEADER: Final = 7  # transaction, protocol, length, unit
LENGTH_LEAST: Final = 2  # of unit and function code
LENGTH_MOST: Final = 254
NO_ANSWER: Final = 0x0B
EXCEPTION: Final = 0x80
PATIENCE_S: Final = 0.5
GAP_S: Final = 0.001  # beyond the line's silence: the gateway's own leisure
WAITING_MOST: Final = 16


@dataclass(frozen=True, slots=True)
class _Wanted:
    transaction: bytes
    pdu: bytes  # unit first, as on the line


@dataclass(slots=True)
class _Asked:
    wanted: _Wanted
    until_s: float
    heard: bytearray = field(default_factory=bytearray)
    heard_s: float = 0.0


class Gateway:
    """Stands where the line would: bytes of a TCP client instead of bytes of the wire."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._buffer = bytearray()
        self._waiting: deque[_Wanted] = deque()
        self._asked: _Asked | None = None
        self._free_at_s = 0.0

    def received(self, data: bytes, now_s: float) -> None:
        self._buffer += data
        while (wanted := self._cut()) is not None:
            if len(self._waiting) < WAITING_MOST:
                self._waiting.append(wanted)
        self._ask(now_s)

    def next_s(self) -> float | None:
        moments = [moment for moment in (self.line.next_s(),) if moment is not None]
        if self._asked is not None:
            moments.append(self._settled_at_s(self._asked))
        elif self._waiting:
            moments.append(self._free_at_s)
        return min(moments, default=None)

    def due(self, now_s: float) -> bytes:
        """Replies that are whole by now."""
        octets = self.line.due(now_s)
        asked, reply = self._asked, b""
        if octets:
            self._free_at_s = now_s + self.line.wire.silence_s + GAP_S
            if asked is not None:
                asked.heard += octets
                asked.heard_s = now_s
        if asked is not None and now_s >= self._settled_at_s(asked):
            reply = _reply(asked)
            self._asked = None
        self._ask(now_s)
        return reply

    def forget(self) -> None:
        """The client has gone; what the boards were told stays told."""
        self._buffer.clear()
        self._waiting.clear()
        self._asked = None

    def _settled_at_s(self, asked: _Asked) -> float:
        return asked.heard_s + self.line.wire.silence_s if asked.heard else asked.until_s

    def _ask(self, now_s: float) -> None:
        if self._asked is not None or not self._waiting or now_s < self._free_at_s:
            return
        wanted = self._waiting.popleft()
        frame = sealed(wanted.pdu)
        sent_s = now_s + len(frame) * self.line.wire.char_s
        self._asked = _Asked(wanted, sent_s + PATIENCE_S)
        self._free_at_s = sent_s + self.line.wire.silence_s + GAP_S
        self.line.received(frame, now_s)

    def _cut(self) -> _Wanted | None:
        """The next whole request; what is no Modbus TCP spoils everything that came with it."""
        if len(self._buffer) < HEADER:
            return None
        length = int.from_bytes(self._buffer[4:6], "big")
        if self._buffer[2:4] != b"\0\0" or not LENGTH_LEAST <= length <= LENGTH_MOST:
            self._buffer.clear()
            return None
        end = HEADER - 1 + length
        if len(self._buffer) < end:
            return None
        wanted = _Wanted(bytes(self._buffer[:2]), bytes(self._buffer[HEADER - 1 : end]))
        del self._buffer[:end]
        return wanted


def _reply(asked: _Asked) -> bytes:
    """What was heard if it is a whole frame, otherwise that there was no answer; nothing for a broadcast."""
    heard, wanted = bytes(asked.heard), asked.wanted
    if whole(heard):
        pdu = heard[:-2]
    elif wanted.pdu[0] == BROADCAST:
        return b""
    else:
        pdu = bytes([wanted.pdu[0], wanted.pdu[1] | EXCEPTION, NO_ANSWER])
    return wanted.transaction + b"\0\0" + len(pdu).to_bytes(2, "big") + pdu
