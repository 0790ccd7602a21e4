"""A new epoch of the journal: this history cannot go on, the centre knows another one.

What this locker knows is kept and told; of what it may have forgotten it assumes the worst. Until the centre
has said what *it* knows (`HistoryRestored`) no door opens; see `domain.history`.
"""

from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeVar

from locker.domain import history
from locker.domain.deposit import ENDED
from locker.domain.door import Position, Presence
from locker.domain.events import (
    CodeReported,
    CompartmentDoubted,
    DepositReported,
    DepositRestored,
    DoorReported,
    EpochStarted,
    Event,
    HistoryReported,
    HistoryRestored,
    TicketOpened,
)
from locker.domain.fold.history import taken
from locker.domain.history import Break
from locker.domain.ids import DepositId, Epoch, LockerId
from locker.domain.state import LockerState
from locker.operations.ports import Decided, Secrets, World

T = TypeVar("T")


class EpochJournal(Protocol):
    """The journal as far as it can begin anew."""

    async def begin_epoch(self, cause: str, decide: Callable[[LockerState, bytes], Decided[T]]) -> T:
        """See `locker.journal.journal.Journal.begin_epoch`."""
        ...


class Author(Protocol):
    """Who begins one; `World` fits, and a command beside a stopped daemon."""

    @property
    def locker(self) -> LockerId: ...

    @property
    def secrets(self) -> Secrets: ...


REST_MS: Final = 600_000
"""Two cards that answer to one name take turns: they must not fill their journals with new beginnings."""


class Beginnings:
    """Begins an epoch for what is found, at most one every `REST_MS` of a run."""

    def __init__(self, world: World, journal: EpochJournal) -> None:
        self._world = world
        self._journal = journal
        self._rested_mono_ms = 0

    async def found(self, why: Break, judged: str) -> None:
        """The centre's history and ours, ``judged``, do not fit. It is found again at each hello until then.

        Raises JournalFailing.
        """
        now_ms = self._world.clock.mono_ms()
        if now_ms < self._rested_mono_ms:
            return
        self._rested_mono_ms = now_ms + REST_MS
        await begin(self._world, self._journal, why, judged)


async def begin(world: Author, journal: EpochJournal, why: Break, judged: str) -> bool:
    """Begin it; False where ``judged``, the epoch of which this was found, is over already.

    Raises JournalFailing.
    """

    def decide(state: LockerState, head: bytes) -> Decided[bool]:
        if state.epoch != judged:
            return Decided(answer=False)
        epoch = Epoch(f"{world.secrets.draw(2**128):032x}")
        born = EpochStarted(epoch, world.locker, state.epoch, state.seq, head.hex(), why)
        doubts = () if why is Break.HOLE else _doubts(state)
        return Decided(True, (born, *doubts, *_report(state, doubts)))

    return await journal.begin_epoch("centre", decide)


def _doubts(state: LockerState) -> tuple[CompartmentDoubted, ...]:
    return tuple(
        CompartmentDoubted(door, history.DOUBT)
        for door, compartment in state.compartments.items()
        if history.in_doubt(compartment)
    )


def _report(state: LockerState, doubts: Iterable[CompartmentDoubted]) -> tuple[Event, ...]:
    """All that this journal knows of doors, deposits and codes, for a centre that may not."""
    deposits = tuple(
        DepositReported(
            d.deposit, d.kind, d.door, d.case, d.authorisation, d.item, d.phase, d.since_ms, d.receipt
        )
        for d in state.deposits.values()
    )
    codes = tuple(
        CodeReported(c.code, c.deposit, c.locator, c.typed_digest, c.scan_digest, c.ended, c.entrustment)
        for c in state.codes.values()
    )
    doors = report_doors(state, doubts)
    return (*doors, *deposits, *codes, HistoryReported(len(doors), len(deposits), len(codes)))


def report_doors(state: LockerState, doubts: Iterable[CompartmentDoubted] = ()) -> tuple[DoorReported, ...]:
    """What this journal makes of every compartment, once it is doubted as ``doubts`` say."""
    doubted = {fact.door: fact.reason for fact in doubts}
    return tuple(
        DoorReported(door, c.deposit, doubted.get(door, c.doubt), c.fault, c.blocked, c.position, c.item)
        for door, c in state.compartments.items()
    )


def follows(state: LockerState, says: object) -> tuple[Event, ...]:
    """What a state entry of the centre's memory brings with it, beside itself."""
    match says:
        case DepositRestored() if says.phase not in ENDED and _is_elsewhere(state, says):
            ticket = TicketOpened("history_conflict", says.door, says.deposit)
            compartment = state.compartments.get(says.door)
            doubted = compartment is None or bool(compartment.doubt)
            return (ticket,) if doubted else (CompartmentDoubted(says.door, history.DOUBT), ticket)
        case HistoryRestored() if says.epoch == state.epoch:
            # An epoch without a parent is a new disk: of no door it knows what happened before.
            knows = state.history.broken not in {"", Break.REPLACED}
            doubts = () if knows else _doubts(state)
            return (*doubts, *report_doors(state, doubts), *_differences(state))
        case _:
            return ()


def _is_elsewhere(state: LockerState, says: DepositRestored) -> bool:
    """Whether it should lie where something else lies, or where no compartment is: it was not restored."""
    known = state.deposits.get(says.deposit)
    return taken(state, says) and (known is None or (known.door != says.door and not known.ended))


def _differences(state: LockerState) -> tuple[Event, ...]:
    """Where a sensor contradicts what is remembered, by us and by the centre together."""
    wrong = {
        door: compartment
        for door, compartment in state.compartments.items()
        if compartment.position is Position.CLOSED
        and (
            (compartment.holding and compartment.item is Presence.ABSENT)
            or (not compartment.occupied and compartment.item is Presence.PRESENT)
        )
    }
    found: list[Event] = []
    for door, compartment in wrong.items():
        if not compartment.doubt:
            found.append(CompartmentDoubted(door, history.DOUBT))
        found.append(TicketOpened("history_differs", door, DepositId(compartment.deposit)))
    return tuple(found)
