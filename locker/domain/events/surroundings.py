"""What happened around the doors. Contacts are read anew after every start."""

from dataclasses import dataclass

from locker.domain.ids import StaffId


@dataclass(frozen=True, slots=True)
class TamperOpened:
    """A back panel was opened, or its loop cut. ``why``: ``open``, or ``unreadable`` where nobody can say."""

    why: str


@dataclass(frozen=True, slots=True)
class TamperClosed:
    pass


@dataclass(frozen=True, slots=True)
class MainsLost:
    """The locker lives on its battery: openings under way end, new ones are refused."""


@dataclass(frozen=True, slots=True)
class MainsBack:
    pass


@dataclass(frozen=True, slots=True)
class BatteryLow:
    pass


@dataclass(frozen=True, slots=True)
class BatteryGood:
    pass


@dataclass(frozen=True, slots=True)
class ServiceKeyTurned:
    on: bool


@dataclass(frozen=True, slots=True)
class ServiceWindowOpened:
    """The service key is turned, a technician is signed in and a second person beside them."""

    staff: StaffId
    second: StaffId


@dataclass(frozen=True, slots=True)
class ServiceWindowClosed:
    """``why``: ``ended`` by the technician, ``key`` turned back, ``time`` is up, ``restart``."""

    why: str


@dataclass(frozen=True, slots=True)
class LockSupplyCut:
    """The locks have no supply any more, until the next start: the second barrier against a stuck coil."""

    reason: str
