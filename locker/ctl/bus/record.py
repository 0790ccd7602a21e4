"""`lockerctl bus record`: what passes a line's port, through the running daemon into a file."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from locker.ctl import files, site
from locker.ctl.bus.scan import lines_of

if TYPE_CHECKING:
    from firmware_bridge.happenings import Frame
    from locker.config import Config

LOOK_MS: Final = 250
MS_PER_S: Final = 1000


def arguments(parser: argparse.ArgumentParser) -> None:
    site.with_config(parser)
    parser.add_argument("--line", metavar="A", help="need not be said where there is one")
    parser.add_argument("--seconds", type=float, metavar="N", help="else until Ctrl-C")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")
    parser.set_defaults(run=_record)


def _record(arguments: argparse.Namespace) -> int:
    from firmware_bridge.capture import Header, header_text  # noqa: PLC0415  # late: heavy

    config = site.config(arguments)
    try:
        line = _only(lines_of(config, arguments.line))
    except ValueError as error:
        site.wrong(str(error))
        return 2
    profiles = {each.board: each.profile.name for each in config.wiring.on_line(line)}
    part = ""
    try:
        start = _ask(config, line)["last"]
        with arguments.out.open("x", encoding="utf-8") as file:
            part = f"; {arguments.out} has what came before"
            file.write(header_text(Header(line, config.wiring.lines[line].timing, profiles)))
            try:
                kept, missed = _follow(config, line, start, arguments.seconds, file)
            finally:
                files.keep(file)
    except FileExistsError:
        return site.wrong(f"{arguments.out} is there already: name a new file")
    except OSError as error:
        return site.wrong(f"{arguments.out}: {error.strerror}: name a file that can be written")
    except site.NoAnswer as problem:
        return site.wrong(f"{problem}{part}")
    print(f"{kept} frames of line {line}: {arguments.out}")
    if missed:
        return site.wrong(f"{missed} frames were missed: the daemon keeps no more; the file has a gap")
    return 0


def _only(lines: "list[str]") -> str:
    if len(lines) > 1:
        raise ValueError(f"say which with --line: {', '.join(lines)}")
    return lines[0]


def _follow(config: "Config", line: str, last: int, seconds: float | None, file: TextIO) -> tuple[int, int]:
    """Frames kept and frames missed."""
    from firmware_bridge.capture import frame_text  # noqa: PLC0415  # late: heavy

    kept = missed = 0
    left_ms = None if seconds is None else max(1, round(seconds * MS_PER_S))
    try:
        while left_ms is None or left_ms > 0:
            wait_ms = LOOK_MS if left_ms is None else min(LOOK_MS, left_ms)
            left_ms = None if left_ms is None else left_ms - wait_ms
            # The last one is asked for again: while it is still there, nothing was missed.
            frames = list(_frames(_ask(config, line, wait_ms=wait_ms, **{"from": max(1, last)})))
            if last and frames:
                missed += max(0, frames[0].n - last - 1)
            for frame in (frame for frame in frames if frame.n > last):
                last = frame.n
                if kept or frame.sent:  # the rest of an answer whose question is not there helps nobody
                    file.write(frame_text(line, frame))
                    kept += 1
            _progress(kept)
    except KeyboardInterrupt:
        pass  # enough was seen; what is written holds
    finally:
        _progress(None)
    return kept, missed


def _ask(config: "Config", line: str, **wish: int) -> Mapping[str, Any]:
    return site.ask_daemon(config, {"do": "bus frames", "line": line, **wish})


def _frames(answer: Mapping[str, Any]) -> "Iterator[Frame]":
    from firmware_bridge.happenings import Frame  # noqa: PLC0415  # late: heavy

    for n, at_s, sent, data in answer["frames"]:
        yield Frame(n, at_s, sent, bytes.fromhex(data))


def _progress(kept: int | None) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K" + ("" if kept is None else f"{kept} frames"), end="", file=sys.stderr, flush=True)
