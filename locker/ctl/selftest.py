"""`lockerctl selftest`: the acceptance test of a cabinet, through the running daemon.

Exit code 0: passed; 1: failed; 2: bad command line or configuration; 3: incomplete, or there is no daemon.
"""

import argparse
import json
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from locker.ctl import files, site
from locker.ctl.report.page import page
from locker.ctl.report.result import Result
from locker.ctl.report.screen import Screen

if TYPE_CHECKING:
    from locker.config import Config

CODES: Final = {"passed": 0, "failed": 1, "incomplete": 3}
BAD_COMMAND: Final = 2
POLL_S: Final = 30
CLOSE_S: Final = 60


def arguments(parser: argparse.ArgumentParser) -> None:
    site.with_config(parser)
    parser.add_argument("--doors", type=doors, default=[], metavar="1,5-8", help="only these; else all")
    parser.add_argument(
        "--poll-s", type=int, default=POLL_S, metavar="S", help="how long the lines are watched at the end"
    )
    parser.add_argument(
        "--close-s", type=int, default=CLOSE_S, metavar="S", help="how long a door may stand open"
    )
    parser.add_argument(
        "--go-on", action="store_true", help="go on to the next door past one that was not seen shut"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="a page with plots, and its data as .json beside it"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="the data elsewhere, or alone")
    parser.set_defaults(run=_selftest)


def doors(text: str) -> list[int]:
    """Numbers and ranges: ``1,5-8``. Raises ArgumentTypeError."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        figures = all(each.isascii() and each.isdecimal() for each in ((first, last) if dash else (first,)))
        if not figures:
            raise argparse.ArgumentTypeError(f"{part!r} is no door and no range such as 5-8")
        found += range(int(first), int(last or first) + 1)
    if not found or len(set(found)) != len(found):
        raise argparse.ArgumentTypeError(f"{text!r} names no door, or one twice")
    return found


def _selftest(arguments: argparse.Namespace) -> int:
    config = site.config(arguments)
    if problem := _mistaken(arguments, config):
        site.wrong(problem)
        return BAD_COMMAND
    wish = {"doors": arguments.doors, "poll_s": arguments.poll_s, "close_s": arguments.close_s}
    try:
        status = site.ask_daemon(config, {"do": "status"})
        site.ask_daemon(config, {"do": "selftest start", **wish, "go_on": arguments.go_on})
    except site.NoAnswer as problem:
        site.wrong(str(problem))
        return CODES["incomplete"]
    result = Result(str(status["locker"]), str(status["software"]))
    print(f"self-test of {result.locker}: push each door shut once it has opened; Ctrl-C stops the test")
    _follow(config, result)
    return _write(arguments, result) or CODES[result.verdict]


def _mistaken(arguments: argparse.Namespace, config: "Config") -> str:
    """What is wrong with the wish, before any door moves; empty where nothing is."""
    known = {int(spec.number) for spec in config.cabinet}
    strangers = [door for door in arguments.doors if door not in known]
    if strangers:
        return f"there is no door {strangers[0]}; there are {min(known)} to {max(known)}"
    wanted = [path for path in (arguments.report, _data_path(arguments)) if path is not None]
    if len({path.absolute() for path in wanted}) < len(wanted):
        return f"{wanted[0]}: the page and its data need two files; end the page's name in .html"
    return next((problem for path in wanted if (problem := files.unwritable(path))), "")


def _data_path(arguments: argparse.Namespace) -> Path | None:
    """Where the result goes as JSON: beside the page, if nothing else was said."""
    report: Path | None = arguments.report
    target: Path | None = arguments.json
    return target or (report.with_suffix(".json") if report is not None else None)


def _follow(config: "Config", result: Result) -> None:
    """Show everything until the end. The first Ctrl-C ends the test in order, a second one leaves it."""
    screen, known, stopped = Screen(), 0, False
    ctrl_c = _CtrlC()
    before = signal.signal(signal.SIGINT, ctrl_c)
    try:
        while not result.ended:
            if ctrl_c.pressed and not stopped:
                stopped = True
                screen.say("stopping …")
                site.ask_daemon(config, {"do": "selftest stop"})
            # Waits for something new, but never long.
            answer = site.ask_daemon(config, {"do": "selftest progress", "after": known})
            known = answer["next"]
            for fact in answer["facts"]:
                result.add(fact)
                screen.show(fact)
            if not (answer["running"] or answer["facts"]):
                return
    except site.NoAnswer as problem:
        screen.say(f"the test was cut off: {problem}")
    except KeyboardInterrupt:
        screen.say("left: the daemon ends the test by itself")
    finally:
        signal.signal(signal.SIGINT, before)


class _CtrlC:
    """Remembers the first one: it may come between any two bytes that we print."""

    def __init__(self) -> None:
        self.pressed = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True


def _write(arguments: argparse.Namespace, result: Result) -> int:
    """The files that were asked for; an exit code only where one could not be written."""
    texts: dict[Path, str] = {}
    if (target := _data_path(arguments)) is not None:
        texts[target] = json.dumps(result.as_json(), indent=1, ensure_ascii=False) + "\n"
    if arguments.report is not None:
        texts[arguments.report] = page(result)
    code = 0
    for path, text in texts.items():
        try:
            files.put(path, text)
        except OSError as error:
            site.wrong(f"{path}: {error.strerror}: name a file that can be written")
            code = CODES["incomplete"]
        else:
            print(f"written: {path}")
    return code
