"""What one kind of board speaks and bears, as data: the shape of a profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Transport:
    reply_timeout_ms: int
    """Silence this long after the request's last byte is no reply. The bus learns shorter ones for reads."""
    turn_around_ms: int
    """What the board usually needs; only for reckoning the detection time beforehand."""
    gap_ms: int = 0
    """Silence the board wants before a request where 3.5 characters are not enough for it."""
    drain_ms: int = 50
    """After a time-out, all that still comes in this long is thrown away. As long as the time-out itself
    where no reply tells which question it answers."""


@dataclass(frozen=True, slots=True)
class Addresses:
    min: int
    max: int


@dataclass(frozen=True, slots=True)
class Locks:
    """Channels that give a lock power for a while. ``unit_ms`` is the step of the pulse's length."""

    channels: int
    unit_ms: int
    pulse_min_ms: int
    pulse_max_ms: int
    pulse_default_ms: int
    cool_down_ms: int
    opening_gap_ms: int
    """From the end of one pulse to the next, so that one coil at a time draws current."""
    openings_per_hour: int
    """Of one lock: its coil's temperature."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What can be read of doors and items, channel by channel from 1."""

    channels: int
    closed_level: int = 1
    """Level of a shut door's channel where the compartment does not say otherwise."""
    believe_reads: int = 2
    """Equal readings until a change is believed: 3 where frames carry no checksum."""


@dataclass(frozen=True, slots=True)
class AllOff:
    frame: str
    """The manual's literal frame for address 1, in hex; other addresses differ in address and checksum."""

    @property
    def pdu(self) -> bytes:
        return bytes.fromhex(self.frame)[1:-2]


# --- what each family needs to know beyond that -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModbusPulse:
    """How a channel is pulsed: a write to ``address`` + channel - 1.

    ``flash``: FC05, the value is the number of units. ``flash_high``: the number stands in the high byte.
    ``level``: FC05, ``value`` as it is; the board ends the pulse. ``command``: FC06, ``value`` as it is.
    ``timed``: FC05, ``value`` switches on, 0000 off again, and we must say so: the last resort.
    """

    kind: str
    address: int
    value: int = 0


@dataclass(frozen=True, slots=True)
class ModbusBits:
    """Where levels are read. Functions 1 and 2 give bits; 3 gives a register for each, or a ``bitmap``."""

    function: int
    address: int
    bitmap: bool = False


@dataclass(frozen=True, slots=True)
class ModbusIdentity:
    function: int
    address: int
    minimum: int | None = None
    """Of the register read; None: an answer is enough."""


@dataclass(frozen=True, slots=True)
class ModbusModes:
    address: int
    normal: int
    absent_ok: bool
    """An "illegal address" exception then means that the board has no such modes."""


@dataclass(frozen=True, slots=True)
class Modbus:
    identify: ModbusIdentity
    pulse: ModbusPulse | None = None
    inputs: ModbusBits | None = None
    coils: ModbusBits | None = None
    """Relays that can be read back, so that one that stays on is noticed."""
    modes: ModbusModes | None = None


@dataclass(frozen=True, slots=True)
class Xor8a:
    status_bytes: int
    """Of the answer about all locks; their number does not follow the number of channels."""
    high_first: bool = True
    timed: bool = False
    """The open command carries the pulse's length in seconds."""


@dataclass(frozen=True, slots=True)
class Wkly:
    """Self-delimiting, fully specified: nothing more to know."""


@dataclass(frozen=True, slots=True)
class Kerong:
    """``five``: address and lock share a byte. ``six``: status bytes from ``status_offset`` on."""

    frame: str
    status_offset: int = 0
    status_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Winnsen:
    """16 locks a board, no checksum: what it says is believed only when said three times."""


Speech = Modbus | Xor8a | Wkly | Kerong | Winnsen
SPEECHES: Final[Mapping[str, type]] = MappingProxyType(
    {
        "modbus": Modbus,
        "xor8a": Xor8a,
        "wkly": Wkly,
        "kerong": Kerong,
        "winnsen": Winnsen,
    }
)
"""Each family's table in a profile is named like it. A quirk's codec is named ``family-quirk``."""
QUALITIES: Final = ("bronze", "silver", "gold")
"""Golden frames only · seen to work on hardware · a cabinet of it has passed the self-test and a year."""


@dataclass(frozen=True, slots=True)
class BoardProfile:
    name: str
    title: str
    manual: str
    codec: str
    quality: str
    transport: Transport
    address: Addresses
    speech: Speech = field(kw_only=True)
    locks: Locks | None = None
    inputs: Inputs | None = None
    all_off: AllOff | None = None
    experimental: str = ""
    """The fact that is not settled; such a board serves only where the configuration accepts it."""
    replies_to_pulse: bool = True
    """False: silence after a pulse is usual and no sign of trouble; the pulse is uncertain all the same."""

    @property
    def family(self) -> str:
        """Who understands whose frames."""
        frame = f"-{self.speech.frame}" if isinstance(self.speech, Kerong) else ""
        return self.codec.partition("-")[0] + frame

    @property
    def standing(self) -> str:
        """Its quality for people: ``experimental`` outweighs the rest."""
        return "experimental" if self.experimental else self.quality
