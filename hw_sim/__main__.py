"""`hw-sim COMMAND`. A command's module is imported only when it is the one that runs."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Final

COMMANDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {  # name: the module with `arguments(parser)` and `run(options) -> int`, and what it is for
        "cabinet": (
            "hw_sim.cabinet_command",
            "a simulated cabinet: lock boards on a pty, doors in a browser",
        ),
        "panel": (
            "hw_sim.panel_command",
            "the same for a look at it: nothing stays when it ends",
        ),
        "diagnose": (
            "hw_sim.diagnose",
            "the product's self-test on a simulated cabinet, with faults switched on one after another",
        ),
        "demo": ("hw_sim.demo", "the whole product on this machine, to click on"),
        "story": ("hw_sim.story", "the same, played through by itself, faults included"),
        "fleet": ("hw_sim.fleet.command", "many lockers without doors on a real broker and a real hub"),
        "phone": ("hw_sim.phone", "a simulated phone: receives the messages an SMS gateway would deliver"),
    }
)


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="hw-sim", description="A document locker made of bytes.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (path, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        if words[:1] == [name]:
            import_module(path).arguments(command)
    options = parser.parse_args(words)
    module = import_module(COMMANDS[options.command][0])
    return int(module.run(options))


if __name__ == "__main__":
    sys.exit(main())
