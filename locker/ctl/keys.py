"""`lockerctl keys new`."""

import argparse
from pathlib import Path

from locker.ctl import site


def arguments(parser: argparse.ArgumentParser) -> None:
    new = parser.add_subparsers(required=True).add_parser(
        "new", help="make the locker's own key; prints its public half"
    )
    new.add_argument("directory", type=Path)
    new.add_argument("locker")
    new.set_defaults(run=_new)


def _new(arguments: argparse.Namespace) -> int:
    from locker.platform import KeysError, write_own_key  # noqa: PLC0415  # late: heavy

    try:
        print(write_own_key(arguments.directory, arguments.locker))
    except KeysError as error:
        return site.wrong(str(error))
    return 0
