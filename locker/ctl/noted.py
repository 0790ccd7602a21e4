"""How the work of a night ended, kept for the status page: only where the unit of that night asks for it."""

import argparse
from typing import TYPE_CHECKING

from locker.ctl import site

if TYPE_CHECKING:
    from locker.config import Config


def with_note(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--note", action="store_true", help="keep how it ended for the status page: what timers do"
    )


def note(arguments: argparse.Namespace, config: "Config", name: str, *, ok: bool, told: str = "") -> None:
    """A card that takes nothing any more is told of by others."""
    if not arguments.note:
        return
    from locker.platform import LockerClock, Times  # noqa: PLC0415  # late: heavy
    from locker.watching.results import Result, keep  # noqa: PLC0415  # late

    try:
        keep(config.state_dir, name, Result(LockerClock(Times.real()).wall_ms(), ok, told))
    except OSError as error:
        site.wrong(f"{config.state_dir}: how it ended could not be kept ({error.strerror})")
