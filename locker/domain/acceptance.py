"""What a self-test finds, and how it is judged: facts for whoever shows them, and pure verdicts.

Words for people are the business of each screen: a finding is a name, and the figures stand beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from locker.domain.door import Presence
from locker.domain.figures import BoardFigures, LineFigures
from locker.domain.ids import BoardId, CompartmentNumber, StaffId

MISSED_SHARE_MAX: Final = 0.01
"""A sound line loses nothing. One question, or one in a hundred, is left to a hiccup of this machine."""
SPRING_MS: Final = 500
"""From the pulse until the leaf has left its sensor; the sensor's own way through the line comes on top."""
EXPERIMENTAL: Final = "experimental"
SERVING: Final = "serving"


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    """Something was found that must be mended; also where the test was not finished."""
    INCOMPLETE = "incomplete"
    """Nothing bad was found, and not enough was seen."""


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Doing(StrEnum):
    """What is under way, for a progress bar."""

    IDENTIFYING = "identifying"
    OPENING = "opening"
    AWAITING_SHUT = "awaiting_shut"
    """Somebody is to push this door shut."""
    POLLING = "polling"


class Finding(StrEnum):
    """Why a door, a board or a line is not simply good. ``about`` beside it says the particulars."""

    NONE = ""
    # Skipped doors
    NOT_VACANT = "not_vacant"
    """About: its status."""
    BUSY = "busy"
    """Somebody else opens it just now."""
    RESTING = "resting"
    """Its lock has been pulsed as often as it bears for now. About: which limit."""
    NOT_REACHED = "not_reached"
    """The test ended before."""
    # Doors
    NOT_SEEN = "not_seen"
    """Its sensor's board does not answer."""
    READS_OPEN = "reads_open"
    """Open before anything was done: it is, or its sensor is inverted, stuck or unplugged."""
    ITEM_SEEN = "item_seen"
    """An item where none may be. About: ``before`` or ``after``."""
    ITEM_NOT_SEEN = "item_not_seen"
    """An item sensor is wired and says nothing."""
    NOT_SENT = "not_sent"
    """About: why no pulse left."""
    REFUSED = "refused"
    """By the board. About: its exception; or by us, about our reason."""
    NOT_ACKNOWLEDGED = "not_acknowledged"
    """The pulse was sent, its reply never came; the door opened all the same."""
    STUCK = "stuck"
    """Pulsed, and its sensor saw no opening."""
    OTHER_MOVED = "other_moved"
    """Another door's sensor moved. About: which ones."""
    NOT_SHUT = "not_shut"
    """Not seen shut in time."""
    SEEN_LATE = "seen_late"
    """It took longer to be seen open than the configuration's reckoning allows."""
    OPENED_ALONE = "opened_alone"
    """A door opened that nobody was granted, and not while another was tried. About: which ones."""
    # Boards
    BOARD_DOWN = "board_down"
    """About: what the driver says of it. Of a line: one that answered at first does so no more."""
    EXPERIMENTAL = "experimental"
    """Its profile is not proven: watch it."""
    # Lines
    NOT_ASKED = "not_asked"
    """No question went out: there is no port."""
    LOSSES = "losses"
    SILENCE_BROKEN = "silence_broken"
    NOISE = "noise"
    """Stray bytes before replies: heard through, and not good."""
    REFUSALS = "refusals"
    """A board answered reads with exceptions."""
    # The test as a whole
    STOPPED = "stopped"
    NOBODY_FOLLOWS = "nobody_follows"
    """Whoever started it has gone: no further door is opened."""
    JOURNAL_FAILING = "journal_failing"
    NO_DOOR = "no_door"
    """No door could be tried."""


@dataclass(frozen=True, slots=True)
class Began:
    wall_ms: int
    staff: StaffId
    doors: tuple[CompartmentNumber, ...]
    poll_s: int
    close_s: int


@dataclass(frozen=True, slots=True)
class Step:
    doing: Doing
    door: CompartmentNumber
    """0: about none."""
    done: int
    of: int


@dataclass(frozen=True, slots=True)
class BoardResult:
    board: BoardId
    profile: str
    quality: str
    standing: str
    outcome: Outcome
    finding: Finding = Finding.NONE
    about: str = ""


@dataclass(frozen=True, slots=True)
class DoorResult:
    door: CompartmentNumber
    outcome: Outcome
    finding: Finding = Finding.NONE
    about: str = ""
    acknowledged_ms: int | None = None
    """From the command to its board's reply; None: there was none."""
    opened_ms: int | None = None
    """From the command until the opening was believed."""
    shut_ms: int | None = None
    """From then until the closing was believed: the time a person took."""
    item_before: Presence = Presence.UNKNOWN
    item_after: Presence = Presence.UNKNOWN

    @property
    def seen_ms(self) -> int | None:
        """From the pulse, as far as it is known, until the opening was believed."""
        return None if self.opened_ms is None else max(0, self.opened_ms - (self.acknowledged_ms or 0))


@dataclass(frozen=True, slots=True)
class BoardTraffic:
    """Of one board, while the test ran."""

    board: BoardId
    asked: int
    missed: int
    refused: int
    noise_bytes: int
    latencies_ms: tuple[float, ...]
    """Of its last reads; at most 256."""


@dataclass(frozen=True, slots=True)
class LineResult:
    line: str
    url: str
    baud: int
    outcome: Outcome
    problems: tuple[Finding, ...]
    remarks: tuple[Finding, ...]
    """Worth knowing, and no failure."""
    utilisation: float
    shortest_silence_ms: float
    needed_silence_ms: float
    detection_s: float
    """The configuration's reckoning: an opening is believed at most this long after it happened."""
    slowest_ms: int | None
    """From a pulse until the opening was believed, of the slowest door; None: none opened."""
    doors: tuple[CompartmentNumber, ...]
    """Those of the test whose sensors hang on it."""
    boards: tuple[BoardTraffic, ...]

    @property
    def asked(self) -> int:
        return sum(board.asked for board in self.boards)

    @property
    def missed(self) -> int:
        return sum(board.missed for board in self.boards)

    @property
    def noise_bytes(self) -> int:
        return sum(board.noise_bytes for board in self.boards)


@dataclass(frozen=True, slots=True)
class Ended:
    wall_ms: int
    verdict: Verdict
    finding: Finding
    """What cut it short or spoilt it as a whole."""
    about: str
    passed: tuple[CompartmentNumber, ...]
    failed: tuple[CompartmentNumber, ...]
    skipped: tuple[CompartmentNumber, ...]


Fact = Began | Step | BoardResult | DoorResult | LineResult | Ended


def judged_board(board: BoardFigures) -> BoardResult:
    """Whether a board is what its profile says, and answers."""
    bad = board.standing != SERVING
    finding = Finding.BOARD_DOWN if bad else Finding.NONE
    if not bad and board.quality == EXPERIMENTAL:
        finding = Finding.EXPERIMENTAL
    return BoardResult(
        board.board,
        board.profile,
        board.quality,
        board.standing,
        Outcome.FAILED if bad else Outcome.PASSED,
        finding,
        board.why if bad else "",
    )


def judged_line(before: LineFigures, after: LineFigures, doors: Iterable[DoorResult]) -> LineResult:
    """What a line was like between two looks at its figures; ``doors``: those with sensors on it."""
    known = {board.board: board for board in before.boards}
    boards = tuple(_traffic(known[board.board], board) for board in after.boards if board.board in known)
    # A board that was down all along has its own finding; its silence says nothing of the line.
    counted = [b for b in boards if known[b.board].standing == SERVING]
    problems = tuple(_problems(after, counted))
    tried = tuple(doors)
    return LineResult(
        line=after.line,
        url=after.url,
        baud=after.baud,
        outcome=Outcome.FAILED if problems else Outcome.PASSED,
        problems=problems,
        remarks=tuple(_remarks(boards)),
        utilisation=after.utilisation,
        shortest_silence_ms=after.shortest_silence_ms,
        needed_silence_ms=after.needed_silence_ms,
        detection_s=after.detection_s,
        slowest_ms=max((door.seen_ms for door in tried if door.seen_ms is not None), default=None),
        doors=tuple(door.door for door in tried),
        boards=boards,
    )


def limit_ms(detection_s: float) -> int:
    """An opening must be believed this long after its pulse."""
    return round(detection_s * 1000) + SPRING_MS


def _traffic(before: BoardFigures, after: BoardFigures) -> BoardTraffic:
    asked, missed = after.asked - before.asked, after.missed - before.missed
    new = min(len(after.latencies_ms), max(0, asked - missed))
    return BoardTraffic(
        after.board,
        asked,
        missed,
        after.refused - before.refused,
        after.noise_bytes - before.noise_bytes,
        tuple(round(each, 2) for each in after.latencies_ms[len(after.latencies_ms) - new :]),
    )


def _problems(after: LineFigures, boards: list[BoardTraffic]) -> Iterable[Finding]:
    asked, missed = sum(b.asked for b in boards), sum(b.missed for b in boards)
    if boards and not asked:
        yield Finding.NOT_ASKED
    if missed > max(1, MISSED_SHARE_MAX * asked):
        yield Finding.LOSSES
    # 0: fewer than two requests yet.
    if 0 < after.shortest_silence_ms < after.needed_silence_ms:
        yield Finding.SILENCE_BROKEN
    if any(b.standing != SERVING and b.board in {each.board for each in boards} for b in after.boards):
        yield Finding.BOARD_DOWN


def _remarks(boards: tuple[BoardTraffic, ...]) -> Iterable[Finding]:
    if any(b.noise_bytes for b in boards):
        yield Finding.NOISE
    if any(b.refused for b in boards):
        yield Finding.REFUSALS


def verdict(facts: Iterable[BoardResult | DoorResult | LineResult], spoilt: Finding) -> Verdict:
    """Of the whole test. What failed outranks what was not seen."""
    outcomes = [(isinstance(each, DoorResult), each.outcome) for each in facts]
    if spoilt is Finding.OPENED_ALONE or any(outcome is Outcome.FAILED for _, outcome in outcomes):
        return Verdict.FAILED
    opened = any(door and outcome is Outcome.PASSED for door, outcome in outcomes)
    return Verdict.PASSED if opened and not spoilt else Verdict.INCOMPLETE
