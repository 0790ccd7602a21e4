"""A compartment: what it is, and what it is good for just now."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from locker.domain.door import Position, Presence
from locker.domain.ids import CompartmentNumber, DepositId, GrantId


class Size(IntEnum):
    """Small to large; an item fits in its own size and any larger."""

    S = 1
    M = 2
    L = 3


class Reach(StrEnum):
    """Height class of a door."""

    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"


class Status(StrEnum):
    VACANT = "vacant"
    RESERVED = "reserved"
    HOLDING = "holding"
    TO_CHECK = "to_check"
    """Something may lie in it: never allocated until a person has looked."""
    FAULTY = "faulty"
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True)
class CompartmentSpec:
    """What the configuration says of one door, and where the picture draws it."""

    number: CompartmentNumber
    cabinet: str
    size: Size
    reach: Reach
    row: int
    column: int
    item_sensor: bool


@dataclass(frozen=True, slots=True)
class Compartment:
    spec: CompartmentSpec
    deposit: DepositId = DepositId("")
    holding: bool = False
    """Whether the deposit has been handed in or loaded; otherwise it is only reserved for it."""
    doubt: str = ""
    """Why somebody must look; empty where nobody must."""
    fault: str = ""
    blocked: str = ""
    """Why it is out of service; empty where it is not."""
    barred: str = ""
    """Why the centre lets nothing new into it; empty where it does. What lies in it stays in reach."""
    position: Position = Position.UNKNOWN
    item: Presence = Presence.UNKNOWN
    grant: GrantId = GrantId("")
    """The latest grant for this door."""
    wear: int = 0
    """Openings commanded so far."""

    @property
    def occupied(self) -> bool:
        """Something lies in it, is to lie in it, or may; whatever its one word is."""
        return bool(self.deposit or self.doubt)

    @property
    def status(self) -> Status:
        """The one word for it: fault, block, doubt, use, bar, each outranking those after it."""
        if self.fault:
            return Status.FAULTY
        if self.blocked:
            return Status.OUT_OF_SERVICE
        if self.doubt:
            return Status.TO_CHECK
        if self.deposit:
            return Status.HOLDING if self.holding else Status.RESERVED
        return Status.OUT_OF_SERVICE if self.barred else Status.VACANT
