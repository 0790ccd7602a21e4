"""What the bus can ask of a board. Reads may be asked again; a Pulse never is, and its type says so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firmware_bridge.errors import RequestError
from locker.domain.ids import BoardId

PULSE_CEILING_MS: Final = 2_000
"""No lock coil of this field is rated for more in one go; above every profile's own cap."""


@dataclass(frozen=True, slots=True)
class Read:
    """Changes nothing on the board, so it may be repeated."""

    board: BoardId


@dataclass(frozen=True, slots=True)
class Identify(Read):
    """Is this the board the profile describes? Also the question after a silence: its reply has another shape
    than a poll's, so a late poll reply cannot pass for it."""


@dataclass(frozen=True, slots=True)
class ReadModes(Read):
    """Are all channels driven by us alone? Asked at every start of a board that has such modes."""


@dataclass(frozen=True, slots=True)
class ReadInputs(Read):
    """Channels ``first`` to ``first + count - 1`` (from 1) in one reply."""

    first: int
    count: int

    def __post_init__(self) -> None:
        if self.first < 1 or self.count < 1:
            raise RequestError(
                f"{self.board}: inputs are counted from 1, asked {self.count} from {self.first}"
            )


class ReadDoors(ReadInputs):
    """Door sensors, and the item sensors wired among them."""

    __slots__ = ()


class ReadItems(ReadInputs):
    """Item sensors on a board that has no door sensor."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ReadCoils(Read):
    """Which relays have power: after every pulse, where a board can tell, none may."""


@dataclass(frozen=True, slots=True)
class AllOff:
    """Every relay of one board released: at its first start, and when one stays on. Only where the profile
    has the literal frame."""

    board: BoardId


@dataclass(frozen=True, slots=True)
class Release:
    """The end of a timed pulse. It can only take power away, so it is said until it is confirmed."""

    board: BoardId
    channel: int

    def __post_init__(self) -> None:
        if self.channel < 1:
            raise RequestError(f"{self.board}: locks are counted from 1, channel {self.channel} is none")


@dataclass(frozen=True, slots=True, eq=False)
class Pulse:
    """Energise one lock once. Compared by identity: each object is one grant and is sent at most once.

    ``deadline_s`` is on the line's monotonic clock; past it no byte is written.
    """

    board: BoardId
    channel: int
    pulse_ms: int
    deadline_s: float

    def __post_init__(self) -> None:
        if self.channel < 1:
            raise RequestError(f"{self.board}: locks are counted from 1, channel {self.channel} is none")
        if not 0 < self.pulse_ms <= PULSE_CEILING_MS:
            raise RequestError(
                f"{self.board}: a pulse of {self.pulse_ms} ms is not within 1 to {PULSE_CEILING_MS}"
            )


Poll = ReadDoors | ReadItems
Reading = Identify | ReadModes | ReadDoors | ReadItems | ReadCoils
Request = Reading | AllOff | Release | Pulse


@dataclass(frozen=True, slots=True)
class Bits:
    """Levels of the channels asked for, in their order; None where the frame does not say for certain."""

    levels: tuple[bool | None, ...]


@dataclass(frozen=True, slots=True)
class Fits:
    """The board is as the profile says."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """The board answers, but is not what the profile says, or is set up dangerously."""

    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """The board has carried the write out, as it says. Says nothing of a door."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The board said no: nothing moved. ``code`` is the protocol's own."""

    code: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The board heard, and says that the lock did not open. Its coil may have fired: the sensor decides."""

    code: int


Reply = Bits | Fits | Unfit | Done | Refused | Failed


Match = Callable[[bytes], tuple[Reply, int] | None]
"""Recognises one reply at the very start of a window: the reply and its length, or None where no whole,
sound, fitting frame begins there."""


@dataclass(frozen=True, slots=True)
class Telegram:
    """The bytes of one request, and how its reply is known."""

    data: bytes
    reply_length: int
    """Of the good reply; an exception is shorter."""
    match: Match
    confirmed_by_echo: bool
    """A good reply may be the request itself, so an adapter's echo must be told apart from it."""
    shortest: int = 0
    """Of any reply, where one may be shorter than the good one; fewer bytes need not be looked at."""

    @property
    def least(self) -> int:
        return self.shortest or self.reply_length
