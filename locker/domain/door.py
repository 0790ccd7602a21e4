"""What sensors say of a door, and what became of a pulse: facts, kept apart."""

from dataclasses import dataclass
from enum import StrEnum

from locker.domain.ids import BoardId, CompartmentNumber


class Position(StrEnum):
    """The leaf, as its sensor shows it after debouncing."""

    UNKNOWN = "unknown"
    OPEN = "open"
    CLOSED = "closed"


class Presence(StrEnum):
    """Whether an item lies inside. UNKNOWN where no (good) sensor is."""

    UNKNOWN = "unknown"
    PRESENT = "present"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class DoorReading:
    position: Position = Position.UNKNOWN
    item: Presence = Presence.UNKNOWN


class PulseOutcome(StrEnum):
    """What the wire said of one pulse. None of these says that a door opened."""

    ACKNOWLEDGED = "acknowledged"
    UNCERTAIN = "uncertain"
    """Sent; no matching reply. It may or may not have fired; never sent again."""
    REFUSED = "refused"
    """The board answered with an exception: nothing moved."""
    NOT_SENT = "not_sent"
    """No byte left this machine."""


@dataclass(frozen=True, slots=True)
class PulseResult:
    outcome: PulseOutcome
    reason: str = ""
    """NOT_SENT: ``late``, ``cool_down``, ``hourly_limit``, ``queue_full``, ``withdrawn``, ``board_lost``,
    ``board_locked_out``, ``port_closed``, ``no_supply``, ``mains_lost``.

    REFUSED: ``exception_2`` and the like.
    """


@dataclass(frozen=True, slots=True)
class DoorMoved:
    """A debounced change of a door or item sensor. ``at_ms`` is monotonic."""

    door: CompartmentNumber
    reading: DoorReading
    at_ms: int


@dataclass(frozen=True, slots=True)
class BoardLost:
    board: BoardId
    doors: tuple[CompartmentNumber, ...]
    """Doors whose position is unknown while this board is silent."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class BoardFound:
    board: BoardId
    at_ms: int


@dataclass(frozen=True, slots=True)
class RelayStuck:
    """A lock keeps its current although all was tried; its board is lost as well."""

    board: BoardId
    doors: tuple[CompartmentNumber, ...]
    """Those of the locks concerned."""
    at_ms: int


Report = DoorMoved | BoardLost | BoardFound | RelayStuck
"""What the cabinet tells upward, in order, on the event loop."""
