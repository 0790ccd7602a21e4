"""`lockerctl config check`."""

import argparse

from locker.ctl import site


def arguments(parser: argparse.ArgumentParser) -> None:
    check = parser.add_subparsers(required=True).add_parser("check", help="say what is wrong with it")
    site.with_config(check)
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    config = site.config(arguments)
    for line in config.wiring.lines:
        print(f"line {line}: an opening is seen within {config.wiring.detection_s(line):.2f} s")
    print(f"{len(config.cabinet)} compartments, all wired")
    return 0
