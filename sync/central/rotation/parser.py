"""The words of `commands`, apart from what they need: ``--help`` answers at once."""

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any, config: Path) -> None:
    """``commands``: what argparse's ``add_subparsers`` returned."""
    keys = commands.add_parser("keys", help="print the centre's public keys; make the next signing key")
    keys.add_argument("--config", type=Path, default=config, metavar="FILE")
    keys.set_defaults(what="")
    steps = keys.add_subparsers(
        metavar="STEP", help="none: print the public keys by which evidence of a case is checked"
    )
    status = steps.add_parser("status", help="which keys there are, and which lockers lack one")
    made = steps.add_parser("next", help="make the key that will sign next; the hub tells every locker")
    switch = steps.add_parser("switch", help="sign with it, once every locker has it")
    retire = steps.add_parser("retire", help="have no locker believe the key before any more")
    retire.add_argument(
        "--now", action="store_true", help="though drop-off codes or labels that it signed are still good"
    )
    for name, parser in (("status", status), ("next", made), ("switch", switch), ("retire", retire)):
        # No default: it would take the place of what stands before the step.
        parser.add_argument("--config", type=Path, default=argparse.SUPPRESS, metavar="FILE")
        parser.set_defaults(what=name)
    for parser in (switch, retire):
        parser.add_argument(
            "--without",
            action="append",
            default=[],
            metavar="LOCKER",
            help="go on though this one lacks it: it is away; may be repeated",
        )
