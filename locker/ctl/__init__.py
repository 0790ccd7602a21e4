"""`lockerctl`: by the daemon's socket, or beside a stopped daemon. Imports what is heavy only when needed."""

import argparse
import os
import sys
from importlib import import_module
from typing import Final

COMMANDS: Final = {
    "status": "what the running daemon says of itself",
    "journal": "the journal: dump, verify, rehearse, readable",
    "config": "the configuration: check",
    "keys": "the locker's identity: new",
    "backup": "a copy of the journal, the keys and the configuration, beside a running daemon",
    "restore": "go back to such a copy: no door opens before the hub, or two staff, have had their say",
    "anchor": "the rollback anchor outside the card: show, adopt",
    "retire": "leave nothing on this machine that opens a door or names anybody",
    "doctor": "whether this machine is fit to serve, and what to do where it is not",
    "provision": "a claim of the hub becomes this locker's identity; and its next certificate",
    "evidence": "what happened to one case: export, verify",
    "bus": "the lines and their boards: explain, scan, watch, record, replay",
    "wiring": "which sensor sees which door: learn",
    "check": "boards, lines, sensors and contacts, without opening a door",
    "selftest": "the acceptance test of the cabinet: every vacant door, every board and line",
}
"""Each has its module here, named like it; what its ``arguments`` sets as ``run`` returns the exit code."""


def main() -> None:
    """Exit 0 where all is well, 1 where something is not, 2 for a bad command line or configuration."""
    arguments = _parser(sys.argv[1:]).parse_args()
    try:
        code = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read us has seen enough; Python's own last flush must not complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def _parser(words: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lockerctl", description="Looks after one document locker.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, help_text in COMMANDS.items():
        command = commands.add_parser(name, help=help_text)
        if name in words[:1]:  # the others need not even be imported
            import_module(f"locker.ctl.{name}").arguments(command)
    return parser


if __name__ == "__main__":
    main()
