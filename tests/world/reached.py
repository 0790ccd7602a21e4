"""Which corners of the product a world went through, as its entries, screens and alarms tell.

People and faults say what they do themselves (`World.reached`, `World.happened`). A point that worlds never
reach is a corner that no world has looked into: the runner names it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from kiosk_ui.names import Screen as Page
from locker.domain import events as ev
from locker.domain.deposit import TENTATIVE
from locker.domain.door import Position
from locker.domain.entry import Entry
from locker.domain.errors import Reason
from locker.domain.opening import Phase, Purpose
from locker.domain.state import LockerState
from sync.central.tables import ALARM
from tests.world.faults.plan import KINDS
from tests.world.occupancy import FULL as OCCUPIED
from tests.world.occupancy import REACHED as NEARLY_FULL
from tests.world.people.points import POINTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.world.machine import Machine
    from tests.world.screen import View
    from tests.world.world import World

OUTCOMES: Final = {
    ev.DoorOpened: "opened",
    ev.DoorClosed: "shut again",
    ev.DoorStuck: "stuck",
    ev.DoorLeftOpen: "left open",
    ev.PulseUncertain: "no reply to the pulse",
    ev.PulseRefused: "refused by the board",
    ev.PulseNotSent: "not sent",
}
DEPOSIT_ENDS: Final = {
    ev.DepositCancelled: "cancelled",
    ev.SubmissionTaken: "taken in",
    ev.SubmissionTakenBack: "taken back",
    ev.ItemPickedUp: "collected",
    ev.ItemWithdrawn: "withdrawn",
}
PLAIN: Final = {
    kind: f"journal: {kind.__name__}"
    for kind in ev.TYPES.values()
    if kind
    not in {
        *OUTCOMES,
        *DEPOSIT_ENDS,
        ev.EpochStarted,
        ev.Booted,
        ev.CompartmentsConfigured,
        ev.OpeningUnknown,
    }
}

FRESH: Final = "start: a journal of its own"
AGAIN: Final = "start: with a history"
WITH_OPENING: Final = "start: an opening was under way"
WITH_TENTATIVE: Final = "start: somebody was about to hand in"
OPEN_AFTER: Final = "start: a door that was opening stands open"
BOARD_BACK: Final = "line: a lost board found again"
ALL_BOARDS: Final = "line: every board lost at once"
BACKWARDS: Final = "clock: set back"
FORWARDS: Final = "clock: set forward"
REPEATED: Final = "centre: a directive said twice"
REFUSED: Final = "centre: a directive refused"
OVER_AND_SHUT: Final = "door: shut again after it was left open"
SAYS_REPEATED: Final = "link: a frame heard twice"
SAYS_DROPPED: Final = "link: a frame that did not fit"
OWN: Final = (
    *(
        f"opening for {purpose}: {outcome}"
        for purpose in Purpose
        for outcome in (*OUTCOMES.values(), "unknown")
    ),
    *(f"deposit: {end}" for end in DEPOSIT_ENDS.values()),
    *PLAIN.values(),
    *(f"screen: {page.value}" for page in Page),
    *(f"refused: {reason.value}" for reason in Reason),
    *(FRESH, AGAIN, WITH_OPENING, WITH_TENTATIVE, OPEN_AFTER),
    *(BOARD_BACK, ALL_BOARDS, BACKWARDS, FORWARDS, OVER_AND_SHUT),
    *(REPEATED, REFUSED, SAYS_REPEATED, SAYS_DROPPED),
    *(NEARLY_FULL, OCCUPIED),
)
"""What is observed here. Tickets, alarms, people's and faults' own points come on top as they are met."""


def observe(world: "World") -> None:
    """Before the world begins."""
    watch = _Watch(world)
    world.on_entries.append(watch.entries)
    world.on_start.append(watch.started)
    for machine in world.machines:
        machine.screen.on_view.append(watch.seen)


def settle(world: "World") -> None:
    """When the world is over: what only counters and the hub's tables know."""
    for machine in world.machines:
        if machine.built is not None:
            edge = machine.built.edge
            _some(world, SAYS_REPEATED, edge.repeated.total())
            _some(world, SAYS_DROPPED, edge.dropped.total())
    if world.centre.store is not None:
        kinds = world.centre.store.read_now(
            lambda connection: connection.execute(select(ALARM.c.kind).distinct()).scalars().all()
        )
        for kind in sorted(kinds):
            world.reached(f"alarm: {kind}")


def _some(world: "World", point: str, count: int) -> None:
    if count:
        world.points[point] += count


class _Watch:
    def __init__(self, world: "World") -> None:
        self.world = world
        self._purposes: dict[str, Purpose] = {}
        self._left_open: set[tuple[str, int]] = set()

    def started(self, machine: "Machine") -> None:
        assert machine.built is not None
        state, reached = machine.built.journal.state, self.world.reached
        reached(FRESH if machine.lives == 1 else AGAIN)
        self._purposes.update((key, o.purpose) for key, o in state.openings.items())
        for opening in state.openings.values():
            if opening.phase is Phase.UNKNOWN:
                reached(WITH_OPENING)
                reached(f"opening for {opening.purpose}: unknown")
                if machine.is_open(opening.door):
                    reached(OPEN_AFTER)
        if any(deposit.phase in TENTATIVE for deposit in state.deposits.values()):
            reached(WITH_TENTATIVE)

    def entries(self, machine: "Machine", state: LockerState, entries: tuple[Entry, ...]) -> None:
        for entry in entries:
            for point in self._points(machine.name, state, entry.event):
                self.world.reached(point)

    def seen(self, view: "View") -> None:
        points = self.world.points
        points[f"screen: {view['screen']}"] += 1
        if view.get("refused"):
            points[f"refused: {view['refused']['reason']}"] += 1

    def _points(self, name: str, state: LockerState, e: ev.Event) -> Iterator[str]:
        kind = type(e)
        if kind in PLAIN:
            yield PLAIN[kind]
        if kind in DEPOSIT_ENDS:
            yield f"deposit: {DEPOSIT_ENDS[kind]}"
        if kind in OUTCOMES:
            yield from self._of_opening(name, e)
        yield from self._in_particular(state, e)

    def _in_particular(self, state: LockerState, e: ev.Event) -> Iterator[str]:
        match e:
            case ev.OpeningRequested():
                self._purposes[e.grant] = e.purpose
            case ev.TicketOpened():
                yield f"ticket: {e.kind}"
            case ev.BoardAnswered():
                yield BOARD_BACK
            case ev.BoardWentSilent():
                if all(c.position is Position.UNKNOWN for c in state.compartments.values()):
                    yield ALL_BOARDS
            case ev.ClockStepped():
                yield BACKWARDS if e.delta_ms < 0 else FORWARDS
            case ev.DirectiveApplied() if e.outcome != "applied":
                yield REPEATED if e.outcome == "repeated" else REFUSED

    def _of_opening(self, name: str, e: ev.Event) -> Iterator[str]:
        grant, door = getattr(e, "grant", ""), getattr(e, "door", 0)
        if isinstance(e, ev.DoorLeftOpen):
            self._left_open.add((name, door))
        elif isinstance(e, ev.DoorClosed) and (name, door) in self._left_open:
            self._left_open.discard((name, door))
            yield OVER_AND_SHUT
        if grant in self._purposes:
            yield f"opening for {self._purposes[grant]}: {OUTCOMES[type(e)]}"


def points() -> tuple[str, ...]:
    """All that worlds are known to be able to reach."""
    return (*OWN, *POINTS, *(f"fault {kind}" for kind in KINDS))


def never(reached: "Mapping[str, int]") -> list[str]:
    """Of those: what was not."""
    return [point for point in points() if not reached.get(point)]
