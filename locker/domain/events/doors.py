"""What was asked of a door, what the wire said, what its sensor saw: facts kept apart."""

from dataclasses import dataclass

from locker.domain.door import Position, Presence
from locker.domain.ids import CompartmentNumber, DepositId, GrantId, StaffId
from locker.domain.opening import Purpose


@dataclass(frozen=True, slots=True)
class OpeningRequested:
    """The grant: the right to pulse this door once. Durable before any pulse."""

    grant: GrantId
    door: CompartmentNumber
    purpose: Purpose
    deposit: DepositId
    staff: StaffId
    attempt: int


@dataclass(frozen=True, slots=True)
class PulseAcknowledged:
    grant: GrantId


@dataclass(frozen=True, slots=True)
class PulseUncertain:
    grant: GrantId


@dataclass(frozen=True, slots=True)
class PulseRefused:
    grant: GrantId
    reason: str


@dataclass(frozen=True, slots=True)
class PulseNotSent:
    grant: GrantId
    reason: str


@dataclass(frozen=True, slots=True)
class OpeningUnknown:
    """The daemon ended between the grant and its outcome."""

    grant: GrantId


@dataclass(frozen=True, slots=True)
class DoorOpened:
    """By the sensor, under ``grant``."""

    door: CompartmentNumber
    grant: GrantId


@dataclass(frozen=True, slots=True)
class DoorClosed:
    """By the sensor. ``grant`` is empty where no opening of ours preceded."""

    door: CompartmentNumber
    grant: GrantId
    item: Presence


@dataclass(frozen=True, slots=True)
class DoorStuck:
    door: CompartmentNumber
    grant: GrantId


@dataclass(frozen=True, slots=True)
class DoorLeftOpen:
    door: CompartmentNumber
    grant: GrantId


@dataclass(frozen=True, slots=True)
class DoorForced:
    """Open by the sensor, and nobody was granted that."""

    door: CompartmentNumber


@dataclass(frozen=True, slots=True)
class DoorOpenedByKey:
    """Opened without a grant while a service window stood: by the technician, not forced."""

    door: CompartmentNumber


@dataclass(frozen=True, slots=True)
class DoorRead:
    """First sight of a door after a start or a silence; UNKNOWN where its board cannot tell any more."""

    door: CompartmentNumber
    position: Position
    item: Presence
