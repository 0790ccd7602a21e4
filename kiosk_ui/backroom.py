"""What a technician may look at behind the doors: figures of the machine, read when the page is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from locker.domain.acceptance import Fact
from locker.domain.figures import LineFigures
from locker.domain.ids import BoardId, CompartmentNumber
from locker.operations.self_tester import SelfTester

Terminal = tuple[BoardId, int]
"""A board, and a channel on it."""


@dataclass(frozen=True, slots=True)
class Wires:
    """Where one compartment is connected, by the configuration."""

    lock: Terminal
    sensor: Terminal
    item: Terminal | None


@dataclass(frozen=True, slots=True)
class Contact:
    """How it stands with the centre."""

    online: bool = False
    last_wall_ms: int = 0
    """Of the last hello in this run, which opens every connection; 0: there was none."""
    unsent: int = 0
    """Entries that it has not acknowledged."""
    fork: str = ""
    """Why nothing is sent although it answered; empty where there is no reason."""


@dataclass(frozen=True, slots=True)
class Offline:
    """Since when the centre has not been reached, by both clocks; the wall's may be wrong."""

    mono_ms: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Backroom:
    """The daemon's side of the service page; every callable answers at once."""

    figures: Callable[[], tuple[LineFigures, ...]] = tuple
    contact: Callable[[], Contact] = Contact
    wires: Mapping[CompartmentNumber, Wires] = field(default_factory=lambda: MappingProxyType({}))
    software: str = ""
    tester: SelfTester | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at it."""

    lines: tuple[LineFigures, ...] = ()
    contact: Contact = field(default_factory=Contact)
    wires: Mapping[CompartmentNumber, Wires] = field(default_factory=lambda: MappingProxyType({}))
    software: str = ""
    clock: str = ""
    """The wall clock's quality."""
    testing: bool = False
    facts: tuple[Fact, ...] = ()
    """Of the self-test that runs, or of the last one."""

    def level(self, terminal: Terminal) -> bool | None:
        """What an input read last, raw; None where it was not read."""
        board, channel = terminal
        for line in self.lines:
            for each in line.boards:
                place = channel - each.first
                if each.board == board and 0 <= place < len(each.levels):
                    return each.levels[place]
        return None
