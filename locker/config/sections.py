"""The tables of locker.toml: which keys there are, of which type, with which default."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LockerSection:
    id: str
    area: str
    state_dir: str
    keys_dir: str
    place: str = ""
    """Where it stands, as people call it."""
    help_line: str = ""


@dataclass(frozen=True, slots=True)
class KioskSection:
    host: str = "127.0.0.1"
    port: int = 8080
    scanner: str = "none"
    """``none``; ``serial``: the one of ``[scanner]``; or ``screen``: codes may be shown to the page itself,
    for a kiosk without a scanner."""
    bags: bool = False
    """The city hands out numbered bags: the page asks for their labels."""


@dataclass(frozen=True, slots=True)
class MqttSection:
    host: str
    port: int = 8883
    user: str = ""
    password_file: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""
    loss_delay_max_s: int = 30
    """After the broker went away the first try comes within this time, at random: a fleet is not a wave."""


@dataclass(frozen=True, slots=True)
class StatusSection:
    port: int = 0
    """Of the status page and the figures, on this machine alone; 0: there are none."""


@dataclass(frozen=True, slots=True)
class AnchorSection:
    file: str = ""
    """The place outside the card that keeps the journal's end: an EEPROM as the kernel shows it; "": none."""


@dataclass(frozen=True, slots=True)
class BridgeSection:
    accept_experimental: bool = False
    """Boards with an unsettled fact may serve where the wiring was learned."""
    learned: str = ""
    """What ``lockerctl wiring learn`` writes: the digest of the wiring that it proved."""


@dataclass(frozen=True, slots=True)
class LineSection:
    url: str
    baud: int = 9600


@dataclass(frozen=True, slots=True)
class CompartmentSection:
    number: int
    size: str
    lock: str
    sensor: str
    cabinet: str = "A"
    reach: str = "middle"
    row: int = 0
    column: int = 0
    item: str = ""
    pulse_ms: int = 0
    """0: the board profile's own."""
    pulse_cap_ms: int = 500
    """What the lock is rated for."""
    door_closed_level: int = -1
    """-1: the board profile's own."""
    item_present_level: int = 1
