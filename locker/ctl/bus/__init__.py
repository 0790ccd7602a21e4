"""`lockerctl bus explain | scan | watch | record | replay`: what passes on the lines, for a technician.

Each has its module here. None of them can move a door: all they ever send is questions.
"""

import argparse
from importlib import import_module
from typing import Final

COMMANDS: Final = {
    "explain": "what one frame means, as a JSON object",
    "scan": "find the boards on a line and guess their profiles",
    "watch": "lines, boards and doors, live",
    "record": "what passes a line's port, into a file",
    "replay": "a recorded file through the parsers",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, help_text in COMMANDS.items():
        import_module(f"locker.ctl.bus.{name}").arguments(commands.add_parser(name, help=help_text))
