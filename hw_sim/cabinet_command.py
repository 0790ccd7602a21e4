"""`hw-sim cabinet`: one simulated cabinet as a process, its lines on ptys, its panel on loopback."""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from hw_sim import lifeline
from hw_sim.layout import LAYOUTS
from hw_sim.line import Wire
from hw_sim.panel.app import build
from hw_sim.physics import Mechanics
from hw_sim.rig import Rig
from hw_sim.web import Broadcast, announce, bound, serve, url_of

DEFAULT_PORT: Final = 8701
BAUDS: Final = (4800, 9600, 19200, 38400, 57600, 115200)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", type=Path, required=True, help="where line-A, ready.json and the records go")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), default="two-board")
    parser.add_argument("--baud", type=int, choices=BAUDS, default=9600)
    parser.add_argument("--panel-port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="of the line's faults")
    parser.add_argument("--bounce-ms", type=int, default=12, help="chatter of the door contacts after a move")
    lifeline.option(parser)


def run(options: argparse.Namespace) -> int:
    lifeline.obey(options.die_with_parent)
    try:
        listener = bound(options.panel_port)
    except OSError as error:
        print(f"hw-sim cabinet: port {options.panel_port}: {error.strerror}", file=sys.stderr)
        return 1
    layout = LAYOUTS[options.layout]
    rig = Rig(layout, options.dir, Wire(options.baud), options.seed, Mechanics(bounce_ms=options.bounce_ms))
    broadcast = Broadcast(batched=frozenset({"frame"}))
    rig.listen(broadcast.tell)
    rig.start()
    url = url_of(listener)

    def ready() -> None:
        announce(options.dir, {"pid": os.getpid(), "panel": url, "lines": dict(rig.ports)})
        for name, port in rig.ports.items():
            print(f"line {name}: {port}")
        print(f"panel: {url}", flush=True)

    try:
        serve(build(rig, broadcast), broadcast, listener, ready)
    finally:
        rig.stop()
        (options.dir / "ready.json").unlink(missing_ok=True)
    return 0
