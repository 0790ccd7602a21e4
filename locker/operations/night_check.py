"""What can be known of a cabinet without moving anything: every night, when nobody is there to shut a door.

Boards, lines, inputs and sensors. No pulse: a door that springs open at night would stand open until morning.
That locks open is shown by every visit, and by the self-test with a person in front.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from locker.domain.acceptance import Finding, Outcome, judged_board, judged_line
from locker.domain.compartment import Compartment, Status
from locker.domain.door import Position
from locker.domain.figures import LineFigures
from locker.domain.ids import CompartmentNumber
from locker.domain.state import LockerState
from locker.domain.surroundings import Surroundings
from locker.operations.door_trace import unfit
from locker.operations.ports import World

SCANNER: Final = "scanner_lost"
NOT_ASKED: Final = frozenset({Finding.ITEM_NOT_SEEN})
"""Of an item sensor without a word the next visit hears; it is no matter of a night."""


@dataclass(frozen=True, slots=True)
class Found:
    """``about``: board, line, door or contact; ``finding``: as the self-test names it."""

    about: str
    finding: str
    detail: str = ""


async def night_check(
    world: World, figures: Callable[[], tuple[LineFigures, ...]], scanner_why: Callable[[], str], watch_s: int
) -> tuple[Found, ...]:
    """Two looks, ``watch_s`` apart. ``scanner_why``: why it is lost; empty where it is not.

    A door counts as open only if it was at both looks: who visits at night does not stand there for so long.
    """
    clock, journal = world.clock, world.journal
    before, doors = figures(), _doubtful(journal.state)
    await clock.sleep_until(clock.mono_ms() + watch_s * 1_000)
    still = _doubtful(journal.state)
    return (
        *_lines(before, figures()),
        *(found for door, found in doors.items() if still.get(door) == found),
        *_around(journal.state.surroundings),
        *((Found("scanner", SCANNER, why),) if (why := scanner_why()) else ()),
    )


def _lines(before: tuple[LineFigures, ...], after: tuple[LineFigures, ...]) -> Iterator[Found]:
    known = {line.line: line for line in before}
    for line in after:
        for board in line.boards:
            judged = judged_board(board)
            if judged.outcome is Outcome.FAILED:
                yield Found(f"board {board.board}", judged.finding.value, judged.about)
        if line.line in known:
            for problem in judged_line(known[line.line], line, ()).problems:
                if problem is not Finding.BOARD_DOWN:  # its board says so
                    yield Found(f"line {line.line}", problem.value)


def _doubtful(state: LockerState) -> Mapping[CompartmentNumber, Found]:
    found = {}
    for number, compartment in state.compartments.items():
        finding, detail = _finding(compartment)
        if finding:
            found[number] = Found(f"door {number}", finding.value, detail)
    return found


def _finding(compartment: Compartment) -> tuple[Finding, str]:
    """Of a door that is out of use somebody knows already."""
    if compartment.status in {Status.FAULTY, Status.OUT_OF_SERVICE}:
        return Finding.NONE, ""
    if compartment.status is Status.VACANT:
        finding, detail = unfit(compartment) or (Finding.NONE, "")
        return (Finding.NONE, "") if finding in NOT_ASKED else (finding, detail)
    if compartment.position is Position.CLOSED:
        return Finding.NONE, ""
    seen = compartment.position is Position.OPEN
    return (Finding.READS_OPEN if seen else Finding.NOT_SEEN), ""


def _around(surroundings: Surroundings) -> Iterator[Found]:
    for name in ("tamper_open", "mains_lost", "battery_low"):
        if getattr(surroundings, name):
            yield Found("contact", name)
    if surroundings.supply_cut:
        yield Found("contact", "supply_cut", surroundings.supply_cut)
