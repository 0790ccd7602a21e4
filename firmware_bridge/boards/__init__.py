"""Board profiles: what one kind of board speaks and bears, as data. A new board is a new TOML file here."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from importlib import resources
from typing import Any, Final, TypeVar

from firmware_bridge.errors import ProfileError
from firmware_bridge.request import PULSE_CEILING_MS

CODECS: Final = frozenset({"modbus"})
ADDRESS_MAX: Final = 247
"""Above it lies what the protocol reserves; 0 is the broadcast and has no place here."""
IDENTIFY_FUNCTIONS: Final = frozenset({2, 3})
FRAME_BYTES: Final = 8
REPLY_TIMEOUT_MAX_MS: Final = 1_000
GAP_MAX_MS: Final = 50
CHANNELS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Transport:
    reply_timeout_ms: int
    """Silence this long after the request's last byte is no reply. The bus learns shorter ones for reads."""
    turn_around_ms: int
    """What the board usually needs; only for reckoning the detection time beforehand."""
    gap_ms: int = 0
    """Silence the board wants before a request where 3.5 characters are not enough for it."""


@dataclass(frozen=True, slots=True)
class Addresses:
    min: int
    max: int


@dataclass(frozen=True, slots=True)
class Locks:
    """Relay channels that the board itself releases after the pulse. A board that cannot is not supported."""

    channels: int
    flash_coil: int
    """Coil address of channel 1's pulse command."""
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
    channels: int
    address: int


@dataclass(frozen=True, slots=True)
class Identity:
    function: int
    address: int
    minimum: int | None = None
    """Of the register read; None: an answer is enough."""


@dataclass(frozen=True, slots=True)
class Modes:
    address: int
    normal: int
    absent_ok: bool
    """An "illegal address" exception then means that the board has no such modes."""


@dataclass(frozen=True, slots=True)
class AllOff:
    frame: str
    """The manual's literal frame for address 1, in hex; other addresses differ in address and checksum."""

    @property
    def pdu(self) -> bytes:
        return bytes.fromhex(self.frame)[1:-2]


@dataclass(frozen=True, slots=True)
class BoardProfile:
    name: str
    title: str
    manual: str
    codec: str
    transport: Transport
    address: Addresses
    identify: Identity
    locks: Locks | None = None
    inputs: Inputs | None = None
    modes: Modes | None = None
    all_off: AllOff | None = None


SECTIONS: Final[Mapping[str, type]] = {
    "transport": Transport,
    "address": Addresses,
    "identify": Identity,
    "locks": Locks,
    "inputs": Inputs,
    "modes": Modes,
    "all_off": AllOff,
}

Section = TypeVar("Section")


def names() -> tuple[str, ...]:
    """All profiles that come with the product."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def load(name: str) -> BoardProfile:
    """The profile ``name``. Raises ProfileError."""
    if name not in names():
        raise ProfileError(name, "name", f"unknown; there are {', '.join(names())}")
    return parse(name, resources.files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))


def parse(name: str, text: str) -> BoardProfile:
    """A profile from its text, checked. Raises ProfileError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(name, "file", str(error)) from error
    for section, kind in SECTIONS.items():
        if section in table:
            table[section] = _build(name, section, kind, table[section])
    profile = _build(name, "profile", BoardProfile, {"name": name, **table})
    _check(profile)
    return profile


def _build(profile: str, where: str, kind: type[Section], table: Any) -> Section:
    if not isinstance(table, dict):
        raise ProfileError(profile, where, "is not a table")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key, value in table.items():
        if key not in known:
            raise ProfileError(profile, f"{where}.{key}", f"unknown key; there are {', '.join(known)}")
        wanted: Any = known[key].type
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise ProfileError(profile, f"{where}.{key}", f"{value!r} is of the wrong kind")
    missing = [key for key, field in known.items() if field.default is MISSING and key not in table]
    if missing:
        raise ProfileError(profile, where, f"lacks {', '.join(missing)}")
    return kind(**table)


def _check(profile: BoardProfile) -> None:
    """What the kinds alone do not say."""

    def require(holds: bool, field: str, problem: str) -> None:
        if not holds:
            raise ProfileError(profile.name, field, problem)

    require(profile.codec in CODECS, "codec", f"there are {', '.join(sorted(CODECS))}")
    require(
        1 <= profile.address.min <= profile.address.max <= ADDRESS_MAX,
        "address",
        f"within 1 to {ADDRESS_MAX}",
    )
    require(
        profile.locks is not None or profile.inputs is not None, "locks", "a board has locks, inputs or both"
    )
    require(
        profile.identify.function in IDENTIFY_FUNCTIONS, "identify.function", "2 or 3, for it must be a read"
    )
    transport = profile.transport
    require(
        0 <= transport.turn_around_ms < transport.reply_timeout_ms <= REPLY_TIMEOUT_MAX_MS,
        "transport.reply_timeout_ms",
        f"longer than turn_around_ms, at most {REPLY_TIMEOUT_MAX_MS}",
    )
    require(0 <= transport.gap_ms <= GAP_MAX_MS, "transport.gap_ms", f"0 to {GAP_MAX_MS}")
    for part, channels in (("locks", profile.locks), ("inputs", profile.inputs)):
        fits = channels is None or 1 <= channels.channels <= CHANNELS_MAX
        require(fits, f"{part}.channels", f"1 to {CHANNELS_MAX}")
    if profile.locks is not None:
        _check_locks(profile.name, profile.locks)
    if profile.all_off is not None:
        _check_all_off(profile.name, profile.all_off)


def _check_locks(name: str, locks: Locks) -> None:
    pulses = (locks.pulse_min_ms, locks.pulse_default_ms, locks.pulse_max_ms)
    if locks.unit_ms < 1 or not locks.unit_ms <= pulses[0] <= pulses[1] <= pulses[2] <= PULSE_CEILING_MS:
        problem = f"unit ≤ min ≤ default ≤ max ≤ {PULSE_CEILING_MS} ms does not hold"
        raise ProfileError(name, "locks.pulse_max_ms", problem)
    if any(pulse % locks.unit_ms for pulse in pulses):
        raise ProfileError(name, "locks.unit_ms", "pulses are whole multiples of it")
    if locks.cool_down_ms < 0 or locks.opening_gap_ms < 0 or locks.openings_per_hour < 1:
        raise ProfileError(name, "locks", "limits are not negative, and one opening an hour is the least")


def _check_all_off(name: str, all_off: AllOff) -> None:
    try:
        frame = bytes.fromhex(all_off.frame)
    except ValueError as error:
        raise ProfileError(name, "all_off.frame", "is not hex") from error
    # FC05 with value 0000 is the one write that can only release; on any other this would be an open-all.
    if len(frame) != FRAME_BYTES or frame[:2] != b"\x01\x05" or frame[4:6] != b"\x00\x00":
        raise ProfileError(
            name, "all_off.frame", "must be the literal FC05 frame for address 1 with value 00 00"
        )
