"""`lockerctl bus watch`: lines, boards and doors as they are now; again every half second on a terminal."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from locker.ctl import site

PERIOD_MS: Final = 500
MS_PER_S: Final = 1000
LEVELS: Final[Mapping[bool | None, str]] = {None: "?", True: "1", False: "0"}
CLEAR: Final = "\x1b[H\x1b[2J"


def arguments(parser: argparse.ArgumentParser) -> None:
    site.with_config(parser)
    parser.add_argument("--once", action="store_true", help="one look, then end")
    parser.add_argument("--json", action="store_true", help="an object a look, one a line")
    parser.set_defaults(run=_watch)


def _watch(arguments: argparse.Namespace) -> int:
    config, wait_ms = site.config(arguments), 0
    live = sys.stdout.isatty() and not arguments.json and not arguments.once
    try:
        while True:
            look = site.ask_daemon(config, {"do": "bus watch", "wait_ms": wait_ms})
            text = json.dumps(look, ensure_ascii=False) if arguments.json else "\n".join(table(look))
            if live:
                height = shutil.get_terminal_size().lines - 1
                text = CLEAR + fitted(text, height)
            print(text, flush=True)
            if arguments.once:
                return 0
            wait_ms = PERIOD_MS
    except KeyboardInterrupt:
        print()
        return 0
    except site.NoAnswer as problem:
        return site.wrong(str(problem))


def fitted(text: str, height: int) -> str:
    """As many lines as the window has; what is left out is counted: a door may be there."""
    lines = text.split("\n")
    if len(lines) <= height:
        return text
    kept = lines[: max(0, height - 1)]
    left = len(lines) - len(kept)
    return "\n".join([*kept, f"… {left} more lines: make the window taller, or --once"])


def table(look: Mapping[str, Any]) -> Iterator[str]:
    for line in look["lines"]:
        yield from _line(line)
    yield ""
    yield f"door  {'lock':<8} {'sensor':<8} raw {'is':<8} {'item':<8} {'status':<14} last opening"
    for door in look["doors"]:
        yield _door(door, look["now_ms"])


def _line(line: Mapping[str, Any]) -> Iterator[str]:
    asked = sum(board["asked"] for board in line["boards"])
    missed = sum(board["missed"] for board in line["boards"])
    yield (
        f"line {line['line']}  {line['url']}  {line['baud']} baud: {line['utilisation']:.0%} busy, "
        f"{missed / asked if asked else 0:.2%} unanswered, "
        f"silence {line['shortest_silence_ms']:.1f} ms ({line['needed_silence_ms']:.1f} needed), "
        f"an opening is seen within {line['detection_s']:.1f} s"
    )
    for board in line["boards"]:
        why = f"  {board['why']}" if board["why"] else ""
        yield (
            f"  {board['board']:<7} {board['profile']:<22} {board['standing']:<10} "
            f"{board['latency_ms']:6.1f} ms  {board['error_rate']:6.2%} of {board['asked']} unanswered  "
            f"{board['noise_bytes']} stray bytes{why}"
        )


def _door(door: Mapping[str, Any], now_ms: int) -> str:
    raw = LEVELS[door["level"]]
    return (
        f"{door['door']:>4}  {door['lock']:<8} {door['sensor']:<8} {raw:<3} {door['position']:<8} "
        f"{door['item']:<8} {door['status']:<14} {_opening(door['opening'], now_ms)}"
    ).rstrip()


def _opening(seen: Mapping[str, Any] | None, now_ms: int) -> str:
    """How long after the request it opened, how long it stood open, and how long ago."""
    if seen is None:
        return ""
    ago = f"{(now_ms - seen['asked_ms']) // MS_PER_S} s ago"
    if seen["how"] == "forced":
        return f"{ago}: opened unasked"
    if seen["opened_ms"] is None:
        return f"{ago}: {seen['how'] or 'under way'}"
    took = f"{ago}: open after {(seen['opened_ms'] - seen['asked_ms']) / MS_PER_S:.2f} s"
    if seen["shut_ms"] is None:
        return took
    return f"{took}, shut {(seen['shut_ms'] - seen['opened_ms']) / MS_PER_S:.1f} s later"
