"""`lockerctl check`: boards, lines, sensors and contacts, without opening a door. What the night runs."""

import argparse
from typing import Final

from locker.ctl import noted, site

WATCH_S: Final = 60
INCOMPLETE: Final = 3


def arguments(parser: argparse.ArgumentParser) -> None:
    site.with_config(parser)
    parser.add_argument("--watch-s", type=int, default=WATCH_S, metavar="S", help="between two looks")
    noted.with_note(parser)
    parser.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    """0: all is well; 1: something was found; 3: there is no daemon."""
    config = site.config(arguments)
    try:
        answer = site.ask_daemon(config, {"do": "check", "watch_s": arguments.watch_s})
    except site.NoAnswer as problem:
        site.wrong(str(problem))
        noted.note(arguments, config, "check", ok=False, told=str(problem))
        return INCOMPLETE
    told = [
        f"{each['about']}: {each['finding']}{' (' + each['detail'] + ')' if each['detail'] else ''}"
        for each in answer["findings"]
    ]
    print("\n".join(told) or "all is well")
    noted.note(arguments, config, "check", ok=not told, told="; ".join(told))
    return 1 if told else 0
