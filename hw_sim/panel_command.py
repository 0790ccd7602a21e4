"""`hw-sim panel`: a cabinet to look at and to break by hand; its folder goes when it ends."""

import argparse

from hw_sim import cabinet_command
from hw_sim.scratch import scratch


def arguments(parser: argparse.ArgumentParser) -> None:
    cabinet_command.make_up_arguments(parser)


def run(options: argparse.Namespace) -> int:
    with scratch("panel") as folder:
        options.dir = folder
        return cabinet_command.run(options)
