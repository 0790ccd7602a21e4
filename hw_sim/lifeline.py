"""Tie this process to its parent: when the parent dies, however it dies, so does this one.

A demonstration that is killed with SIGKILL cannot tidy up. The kernel can: PR_SET_PDEATHSIG (prctl(2), Linux)
sends a chosen signal to the child when the thread that started it ends. It survives exec of a plain program.
"""

import argparse
import ctypes
import os
import signal
from typing import Final

PR_SET_PDEATHSIG: Final = 1

NO_LIFELINE: Final = -1


class LifelineUnavailableError(OSError):
    """The kernel refused; start without --die-with-parent and end the process yourself."""


def die_with_parent(expected_parent: int = 0) -> None:
    """Ask for SIGTERM at the parent's death; leave at once if it has died already.

    `expected_parent` is the parent's process id where it handed that over; with 0 the present parent counts.
    """
    parent = expected_parent or os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise LifelineUnavailableError(code, os.strerror(code))
    if os.getppid() != parent:  # it died between the start and the call: no signal will come any more
        raise SystemExit(0)


def option(parser: argparse.ArgumentParser) -> None:
    """Add `--die-with-parent [PID]`; hand `options.die_with_parent` to `obey`."""
    parser.add_argument(
        "--die-with-parent",
        type=int,
        nargs="?",
        const=0,
        default=NO_LIFELINE,
        metavar="PID",
        help="end when the starting process ends; with its PID also if it is gone already",
    )


def obey(wish: int) -> None:
    if wish != NO_LIFELINE:
        die_with_parent(wish)
