"""What a bus tells upward, in the order in which it happened. Times are float seconds of the line's clock."""

from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_bridge.boards import BoardProfile
from firmware_bridge.request import Pulse, Reading, Reply
from firmware_bridge.station import Counters, Standing
from locker.domain.door import PulseResult
from locker.domain.ids import BoardId


@dataclass(frozen=True, slots=True)
class InputsRead:
    board: BoardId
    first: int
    levels: tuple[bool | None, ...]
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
class RelaysStuck:
    """These relays stay on although all was tried; the board is locked out."""

    board: BoardId
    channels: tuple[int, ...]
    at_s: float


@dataclass(frozen=True, slots=True)
class PulseSettled:
    pulse: Pulse
    result: PulseResult
    at_s: float
    sent_s: float | None = None
    """When its first byte left; None: none did."""


@dataclass(frozen=True, slots=True, eq=False)
class Inquiry:
    """A technician's question, to any address on the line. Compared by identity. It can change nothing."""

    profile: BoardProfile
    address: int
    request: Reading
    done: Callable[["Answer"], None] = field(repr=False)
    """Called on the line's thread, once."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an inquiry: no reply, or one and the time it took."""

    reply: Reply | None
    took_s: float = 0.0


BusEvent = InputsRead | PollMissed | StationLost | StationFound | RelaysStuck | PulseSettled


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes as they passed the port; numbered from 1, so that a reader knows where it left off."""

    n: int
    at_s: float
    sent: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class StationReport:
    board: BoardId
    standing: Standing
    why: str
    counters: Counters
