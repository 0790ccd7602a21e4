"""`hw-sim cabinet`: a simulated cabinet as a process, its lines on ptys or sockets, its panel on loopback."""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from hw_sim import lifeline
from hw_sim.boards.profiles import PROFILES
from hw_sim.layout import BAUDS, LAYOUTS, Layout, made
from hw_sim.layout_file import BadLayoutError, load
from hw_sim.line import Wire
from hw_sim.panel.app import build
from hw_sim.physics import Mechanics
from hw_sim.rig import Rig
from hw_sim.scanner import KINDS, Scanner
from hw_sim.settings import wiring
from hw_sim.web import Broadcast, announce, bound, serve, url_of

DEFAULT_PORT: Final = 8701
DEFAULT_LAYOUT: Final = "two-board"
DEFAULT_BAUD: Final = 9600


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", type=Path, required=True, help="for its lines, wiring.toml and the records")
    make_up_arguments(parser)


def make_up_arguments(parser: argparse.ArgumentParser) -> None:
    """What the cabinet is made of, and how it behaves."""
    make_up = parser.add_mutually_exclusive_group()
    make_up.add_argument(
        "--layout", choices=sorted(LAYOUTS), help=f"a ready one; {DEFAULT_LAYOUT} unless said"
    )
    make_up.add_argument("--file", type=Path, metavar="TOML", help="lines, boards and doors from a file")
    make_up.add_argument("--make", choices=PROFILES, metavar="PROFILE", help="one board with all its doors")
    parser.add_argument(
        "--baud", type=int, choices=BAUDS, help="of every line; not with --file, which says it"
    )
    parser.add_argument("--panel-port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument(
        "--scanner", choices=["none", *KINDS], default="continuous", help="a code scanner on its own pty"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the line's faults")
    parser.add_argument("--bounce-ms", type=int, default=12, help="chatter of the door contacts after a move")
    lifeline.option(parser)


def run(options: argparse.Namespace) -> int:
    lifeline.obey(options.die_with_parent)
    options.dir = options.dir.absolute()  # whoever reads the lines' names may stand elsewhere
    try:
        layout = _layout(options)
        listener = bound(options.panel_port)
    except BadLayoutError as error:
        print(f"hw-sim cabinet: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"hw-sim cabinet: port {options.panel_port}: {error.strerror}", file=sys.stderr)
        return 1
    wire = Wire(options.baud or DEFAULT_BAUD)
    try:
        rig = Rig(layout, options.dir, wire, options.seed, Mechanics(bounce_ms=options.bounce_ms))
    except OSError as error:
        listener.close()
        print(f"hw-sim cabinet: {error}", file=sys.stderr)
        return 1
    broadcast = Broadcast(batched=frozenset({"frame"}))
    rig.listen(broadcast.tell)
    rig.start()
    scanner = None if options.scanner == "none" else Scanner(options.dir, options.scanner)
    if scanner:
        scanner.start()
    url = url_of(listener)

    def ready() -> None:
        bauds = {name: rig.wire(name).baud for name in rig.ports}
        facts = {"pid": os.getpid(), "panel": url, "lines": dict(rig.ports), "bauds": bauds}
        (options.dir / "wiring.toml").write_text(wiring(layout, rig.ports, bauds), encoding="utf-8")
        announce(options.dir, facts | ({"scanner": scanner.pattern} if scanner else {}))
        for name, port in rig.ports.items():
            print(f"line {name}: {port}")
        print(f"panel: {url}", flush=True)

    try:
        serve(build(rig, broadcast, scanner), broadcast, listener, ready)
    finally:
        if scanner:
            scanner.stop()
        rig.stop()
        (options.dir / "ready.json").unlink(missing_ok=True)
    return 0


def _layout(options: argparse.Namespace) -> Layout:
    if options.file is not None:
        if options.baud is not None:
            raise BadLayoutError(f"{options.file} says the baud of each line; drop --baud")
        return load(options.file)
    if options.make is not None:
        layout = made(options.make)
        return layout if options.baud is None else replace(layout, wires={})
    return LAYOUTS[options.layout or DEFAULT_LAYOUT]
