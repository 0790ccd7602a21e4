"""Winnsen lock boards: ``90 LEN FC STATION .. 03``, LEN the whole frame's, 16 locks a board, no checksum.

Serial Command Document V202104. Without a checksum every fixed byte must be right, and what a frame says of
doors is believed only when said three times (`believe_reads` of the profile).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar, Final

from firmware_bridge.boards import BoardProfile
from firmware_bridge.codecs.asked import NEVER, foreign
from firmware_bridge.codecs.codec import Explained, has_address, need, refuse, unspoken
from firmware_bridge.errors import RequestError
from firmware_bridge.request import (
    Bits,
    Done,
    Failed,
    Fits,
    Identify,
    Pulse,
    ReadInputs,
    Refused,
    Reply,
    Request,
    Telegram,
)

START: Final = 0x90
END: Final = 0x03
LOCKS: Final = 16
POLL: Final = 0x02
OPEN: Final = 0x05
STATES: Final = 0x82
OPENED: Final = 0x85
ANSWER_BYTES: Final = 7
ASK_ONE: Final = 0x12
SAYS_ONE: Final = 0x92
LENGTHS: Final[Mapping[int, int]] = MappingProxyType(
    {POLL: 7, OPEN: 6, STATES: ANSWER_BYTES, OPENED: ANSWER_BYTES, ASK_ONE: 6, SAYS_ONE: ANSWER_BYTES}
)
"""Function: length of its frame, which is also its second byte."""
OFFSET_A0: Final = frozenset({0xA2, 0xA5})


class Winnsen:
    """Lock Control Board, Serial Command Document V202104."""

    OPEN_REPLIES: ClassVar[Mapping[int, Reply]] = MappingProxyType({0: Failed(0), 1: Done()})
    FUNCTIONS: ClassVar[frozenset[int]] = frozenset({POLL, OPEN, STATES, OPENED})

    def encode(self, profile: BoardProfile, address: int, request: Request) -> Telegram:
        need(profile, address, request)
        match request:
            case Identify():
                return self._poll(address, 1, LOCKS, Fits())
            case ReadInputs():
                if request.first + request.count - 1 > LOCKS:
                    raise RequestError(f"{request.board}: a board of this family has {LOCKS} locks")
                return self._poll(address, request.first, request.count)
            case Pulse():
                if request.channel > LOCKS:
                    raise RequestError(f"{request.board}: a board of this family has {LOCKS} locks")
                return self._open(address, request.channel)
        raise unspoken(request)

    def explain(self, profile: BoardProfile, frame: bytes, request: bytes | None) -> Explained:
        if (problem := self._unsound(frame)) is not None:
            return refuse(problem)
        return self._alone(profile, frame) if request is None else self._as_reply(profile, frame, request)

    def _poll(self, address: int, first: int, count: int, reply: Reply | None = None) -> Telegram:
        mask = ((1 << count) - 1) << (first - 1)
        head = bytes([START, ANSWER_BYTES, STATES, address])

        def match(window: bytes) -> tuple[Reply, int] | None:
            frame = window[:ANSWER_BYTES]
            if len(frame) < ANSWER_BYTES or not frame.startswith(head) or frame[-1] != END:
                return None
            return reply or Bits(_levels(frame, first, count)), ANSWER_BYTES

        return Telegram(sealed(POLL, address, *mask.to_bytes(2, "little")), ANSWER_BYTES, match, False)

    def _open(self, address: int, channel: int) -> Telegram:
        head = bytes([START, ANSWER_BYTES, OPENED, address, channel])

        def match(window: bytes) -> tuple[Reply, int] | None:
            frame = window[:ANSWER_BYTES]
            if len(frame) < ANSWER_BYTES or not frame.startswith(head) or frame[-1] != END:
                return None
            reply = self.OPEN_REPLIES.get(frame[5])
            return None if reply is None else (reply, ANSWER_BYTES)

        return Telegram(sealed(OPEN, address, channel), ANSWER_BYTES, match, False)

    def _unsound(self, frame: bytes) -> str | None:
        if len(frame) < min(LENGTHS.values()):
            return "shorter than any frame of this family"
        if frame[0] != START or frame[-1] != END:
            return f"not {START:02X} at its begin and {END:02X} at its end"
        if frame[2] not in self.FUNCTIONS:
            known = (
                "an answer by an offset of A0, as some boards give it" if frame[2] in OFFSET_A0 else "none"
            )
            return f"function {frame[2]:02X}: {known}, not of this kind of board"
        if not frame[1] == len(frame) == LENGTHS[frame[2]]:
            return f"says {frame[1]} bytes, has {len(frame)}; this function has {LENGTHS[frame[2]]}"
        return None

    def _alone(self, profile: BoardProfile, frame: bytes) -> Explained:
        function, address = frame[2], frame[3]
        if not has_address(profile, address):
            return refuse(f"station {address} is none of this kind of board")
        if function == POLL:
            return _asks(address, int.from_bytes(frame[4:6], "little"))
        if function == STATES:
            states = _states(profile, _levels(frame, 1, LOCKS))
            return Explained(True, "doors", "reply", address, first=1, states=states)
        return self._of_one(profile, frame)

    def _of_one(self, profile: BoardProfile, frame: bytes) -> Explained:
        """Frames about one lock."""
        del profile
        address, channel = frame[3], frame[4]
        if not 1 <= channel <= LOCKS:
            return refuse(f"lock {channel} is none: they are counted 1 to {LOCKS}")
        if frame[2] == OPEN:
            return Explained(True, "pulse", "request", address, channel=channel)
        reply = self.OPEN_REPLIES.get(frame[5])
        if reply is None:
            return refuse(f"result {frame[5]:02X} is none of this kind of board")
        said = Explained(True, "done", "reply", address, channel=channel)
        match reply:
            case Failed(code):
                return replace(said, kind="failed", code=code)
            case Refused(code):
                return replace(said, kind="refused", code=code)
        return said

    def _as_reply(self, profile: BoardProfile, frame: bytes, request: bytes) -> Explained:
        if (problem := self._unsound(request)) is not None:
            return refuse(f"of the request: {problem}")
        asked = self._alone(profile, request)
        if asked.kind == "pulse" and asked.channel is not None:
            matched = self._open(request[3], asked.channel).match(frame)
        elif asked.kind == "read_doors" and asked.first is not None and asked.count is not None:
            matched = self._poll(request[3], asked.first, asked.count).match(frame)
        else:
            return foreign()
        if matched is None:
            return refuse(_mismatch(frame, request))
        reply = matched[0]
        if isinstance(reply, Bits):
            states = _states(profile, reply.levels)
            return Explained(True, "doors", "reply", request[3], first=asked.first, states=states)
        return self._alone(profile, frame)


class WinnsenDuty(Winnsen):
    """Custom firmware on an STM32L412, 16 locks, stations 1 to 4, as a public kiosk application talks to it.

    It refuses a lock that is still too warm with result 02, and tells of one lock with function 12, in whose
    answer lock and state stand the other way round.
    """

    OPEN_REPLIES = MappingProxyType({**Winnsen.OPEN_REPLIES, 2: Refused(2)})
    FUNCTIONS = frozenset({*Winnsen.FUNCTIONS, ASK_ONE, SAYS_ONE})

    def _of_one(self, profile: BoardProfile, frame: bytes) -> Explained:
        function, address = frame[2], frame[3]
        if function not in {ASK_ONE, SAYS_ONE}:
            return super()._of_one(profile, frame)
        channel = frame[4] if function == ASK_ONE else frame[5]
        if not 1 <= channel <= LOCKS:
            return refuse(f"lock {channel} is none: they are counted 1 to {LOCKS}")
        if function == ASK_ONE:
            return Explained(True, "other", "request", address, channel=channel, reason=NEVER)
        levels = ({0: False, 1: True}.get(frame[4]),)
        states = _states(profile, levels)
        reason = "" if levels[0] is not None else f"state {frame[4]:02X} is neither open nor shut"
        return Explained(
            True, "doors", "reply", address, channel=channel, first=channel, states=states, reason=reason
        )


def sealed(function: int, *body: int) -> bytes:
    return bytes([START, LENGTHS[function], function, *body, END])


def _levels(frame: bytes, first: int, count: int) -> tuple[bool, ...]:
    bits = int.from_bytes(frame[4:6], "little")
    return tuple(bool(bits >> n & 1) for n in range(first - 1, first - 1 + count))


def _states(profile: BoardProfile, levels: tuple[bool | None, ...]) -> tuple[str, ...]:
    shut = profile.inputs.closed_level if profile.inputs else 0
    return tuple("unknown" if level is None else "closed" if level == shut else "open" for level in levels)


def _asks(address: int, mask: int) -> Explained:
    """Ours ask one run of locks."""
    first, count = (mask & -mask).bit_length(), mask.bit_count()
    if mask and mask == ((1 << count) - 1) << (first - 1):
        return Explained(True, "read_doors", "request", address, first=first, count=count)
    return Explained(True, "other", "request", address, reason=f"asks locks by mask {mask:04X}: {NEVER}")


def _mismatch(frame: bytes, request: bytes) -> str:
    if frame == request:
        return "the request itself: an echo"
    if frame[3] != request[3]:
        return f"from station {frame[3]}, asked was {request[3]}"
    if frame[2] != request[2] | 0x80:
        return f"answers function {frame[2] & 0x7F:02X}, asked was {request[2]:02X}"
    return "of another lock than was asked for, or with a result that does not exist"
