"""`lockerctl anchor`: what is kept outside the card, and beginning it for this locker."""

import argparse
import contextlib
from typing import TYPE_CHECKING

from locker.ctl import site

if TYPE_CHECKING:
    from locker.anchor.record import Sight
    from locker.config import Config


def arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True)
    show = commands.add_parser("show", help="what stands there, and whether the journal has it")
    adopt = commands.add_parser(
        "adopt", help="a new module, or one from elsewhere, becomes this locker's; with the daemon stopped"
    )
    for command, run in ((show, _show), (adopt, _adopt)):
        site.with_config(command)
        command.set_defaults(run=run)


def _show(arguments: argparse.Namespace) -> int:
    from locker.anchor.keeper import place_of  # noqa: PLC0415  # late: heavy
    from locker.anchor.place import PlaceError  # noqa: PLC0415  # late
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late

    config = site.config(arguments)
    place = place_of(config)
    if place is None:
        print("no place outside the card is configured: [anchor] in locker.toml")
        return 0
    try:
        return _tell(config, place.look())
    except (PlaceError, JournalError) as error:
        return site.wrong(str(error))


def _tell(config: "Config", sight: "Sight") -> int:
    from locker.anchor.adopt import lacks  # noqa: PLC0415  # late: heavy

    if sight.mark is None:
        print(f"{config.anchor.file} is {sight.standing.value}: lockerctl anchor adopt begins it")
        return 1
    mark, slot = sight.mark, f"slot {sight.slot} of {sight.slots}, turn {sight.turn}"
    print(f"entry {mark.seq} of epoch {mark.epoch or '-'}, hash {mark.head.hex()} ({slot})")
    broken = lacks(config, sight)
    if broken is None:
        print("the journal has it")
        return 0
    print(f"THE JOURNAL HAS IT NOT ({broken.value}): this card is an older one, or another")
    return 1


def _adopt(arguments: argparse.Namespace) -> int:
    from locker.anchor import adopt  # noqa: PLC0415  # late: heavy
    from locker.anchor.place import PlaceError  # noqa: PLC0415  # late
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late
    from locker.journal.lock import JournalLock  # noqa: PLC0415  # late

    config = site.config(arguments)
    if not config.anchor.file:
        return site.wrong("no place outside the card is configured: [anchor] in locker.toml")
    try:
        with contextlib.ExitStack() as undo:
            if config.journal_path.exists():
                undo.callback(JournalLock(config.journal_path).release)
            return _tell(config, adopt.begin(config))
    except (PlaceError, JournalError) as error:
        return site.wrong(str(error))
