"""`lockerctl bus replay`: a recorded line through the parsers. Exit code 1 where anything was refused."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from locker.ctl import site

if TYPE_CHECKING:
    from firmware_bridge.capture import BoardTally, Tally

MS_PER_S: Final = 1000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--profile",
        action="append",
        type=_profile,
        default=[],
        metavar="A/1=NAME",
        help="read this board's frames as such a board's; or NAME alone, for all",
    )
    which.add_argument("--config", type=Path, help="take the profiles from this configuration")
    parser.set_defaults(run=_replay)


def _profile(text: str) -> tuple[str, str]:
    """Board, empty for all, and profile."""
    board, equals, name = text.rpartition("=")
    if bool(equals) != bool(board) or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a profile nor A/1=profile")
    return board, name


def _replay(arguments: argparse.Namespace) -> int:
    from firmware_bridge import capture  # noqa: PLC0415  # late: heavy

    try:
        known = capture.read(arguments.file).header.boards
        wanted: dict[str, str] = dict(arguments.profile)
        names = {board: wanted.get(board, wanted.get("", name)) for board, name in known.items()}
        if arguments.config is not None:
            boards = site.config(arguments).wiring.boards
            names |= {board: wired.profile.name for board, wired in boards.items() if board in known}
        tally = capture.replay(arguments.file, names)
    except capture.CaptureError as error:
        return site.wrong(str(error))
    except OSError as error:
        return site.wrong(f"{arguments.file}: {error.strerror}")
    print("\n".join(_table(tally)))
    return 0 if tally.sound else 1


def _table(tally: "Tally") -> Iterator[str]:
    for board in tally.boards.values():
        yield from _board(board)
    for sent, times in tally.strangers.most_common():
        yield f"sent to none of these boards, {times} times: {sent}"
    if tally.unasked_bytes:
        yield f"{tally.unasked_bytes} bytes came unasked"


def _board(board: "BoardTally") -> Iterator[str]:
    yield (
        f"board {board.board} as {board.profile}: {board.requests} requests, {board.answered} answered, "
        f"{board.unanswered} unanswered, {board.refused} refused by the board"
    )
    if board.latencies_s:
        sorted_s = sorted(board.latencies_s)
        middle_s, slowest_s = sorted_s[len(sorted_s) // 2], sorted_s[-1]
        yield f"  answered in {middle_s * MS_PER_S:.1f} ms, at the slowest {slowest_s * MS_PER_S:.1f} ms"
    if board.noise_bytes:
        yield f"  {board.noise_bytes} stray bytes before answers"
    if board.short_gaps:
        shortest_ms = board.shortest_gap_s * MS_PER_S
        yield f"  {board.short_gaps} requests too soon after what came before, {shortest_ms:.2f} ms at worst"
    for reason, times in board.reasons.most_common():
        yield f"  not taken for the answer, {times} times: {reason}"
