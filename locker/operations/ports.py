"""The world as the operations see it: a few small Protocols. Edges conform without inheriting."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from locker.domain.door import DoorReading, PulseResult
from locker.domain.events import Event
from locker.domain.ids import AreaId, CompartmentNumber, LockerId, Seq
from locker.domain.state import LockerState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Decided(Generic[T]):
    """What a decision answers, and the facts it makes. No facts: nothing is written."""

    answer: T
    events: tuple[Event, ...] = ()


class JournalFailing(Exception):
    """The journal could not be written; from now on no door opens. Remedy: free or replace the disk."""


class Journal(Protocol):
    """The one truth. Decisions are made on the last durable state, one after the other."""

    @property
    def state(self) -> LockerState:
        """The fold of everything durable."""
        ...

    @property
    def acknowledged(self) -> Seq:
        """Up to where the centre has stored this epoch of it, by its own signed word."""
        ...

    async def commit(self, cause: str, decide: Callable[[LockerState], Decided[T]]) -> T:
        """Run ``decide`` on the state, make its events durable in one transaction, then answer.

        ``cause`` says who or what: ``applicant``, ``staff/ID``, ``centre``, ``sensor``, ``daemon``.
        ``decide`` is called once, and no other decision sees the state in between.
        Raises JournalFailing; the state then is what it was.
        """
        ...

    async def personal(self, seq: Seq) -> Mapping[str, str]:
        """The personal fields of one entry; empty once purged."""
        ...


class Doors(Protocol):
    """The cabinet. Reports (`locker.domain.door.Report`) go up through the callable given at construction."""

    def reading(self, door: CompartmentNumber) -> DoorReading:
        """The latest debounced reading; UNKNOWN before the first and while its board is lost."""
        ...

    async def pulse(self, door: CompartmentNumber, deadline_ms: int) -> PulseResult:
        """Energise one lock once. Past ``deadline_ms`` (monotonic) no byte is written: NOT_SENT ``late``.

        Never raises for what happens on the wire; called by `open_door` alone.
        """
        ...


class Clock(Protocol):
    """Monotonic time for durations, wall time for people."""

    def mono_ms(self) -> int: ...

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC; may be wrong, see ``quality``."""
        ...

    def quality(self) -> str:
        """One of ``ntp``, ``centre``, ``rtc``, ``restored``, ``unset``."""
        ...

    def call_at(self, mono_ms: int, action: Callable[[], None]) -> Callable[[], None]:
        """Run ``action`` on the event loop at ``mono_ms`` or as soon after; returns what cancels it."""
        ...

    async def sleep_until(self, mono_ms: int) -> None: ...


class Secrets(Protocol):
    """What needs keys or chance. Keys never leave it."""

    def draw(self, below: int) -> int:
        """A number in ``0..below-1``, unpredictable."""
        ...

    def new_id(self) -> str:
        """A fresh name: 16 characters ``[a-z2-7]``, 80 random bits."""
        ...

    def digest(self, kind: str, text: str) -> str:
        """`codes.keyed_digest` under the locker's code key."""
        ...

    def signed_by_centre(self, frame: bytes) -> bytes | None:
        """The body of a frame (algorithm and key id ‖ signature ‖ body) that the centre signed; else None."""
        ...

    def seal(self, plain: str) -> str:
        """Text that only the centre can open."""
        ...

    def sign(self, text: str) -> tuple[str, str]:
        """Key id and hex signature by the locker's own key."""
        ...


@dataclass(slots=True)
class UnknownGuesses:
    """Codes that met no record since the last rows about them: journaled once a minute, throttled at once.

    Scans are counted apart: nobody can make the keypad wait by holding rubbish before the scanner.
    """

    typed: int = 0
    last_mono_ms: int = 0
    scanned: int = 0
    counted_mono_ms: int = 0
    came: Callable[[], None] = lambda: None
    """Told of each: no entry says so yet."""


@dataclass(frozen=True, slots=True)
class World:
    """One locker's ports, and its name."""

    journal: Journal
    doors: Doors
    clock: Clock
    secrets: Secrets
    locker: LockerId
    area: AreaId
    guesses: UnknownGuesses
    takes_in: Callable[[], bool] = lambda: True
    """Whether the disk has room for what more would bring about."""
