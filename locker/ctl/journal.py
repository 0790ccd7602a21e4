"""`lockerctl journal dump | verify | rehearse | readable`: beside the daemon; nothing of it is changed."""

import argparse
import sqlite3
from typing import Final

from locker.ctl import noted, site

LOG: Final = "journalctl -u locker-{}"


def arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True)
    dump = commands.add_parser("dump", help="all entries, a JSON line each")
    site.with_config(dump)
    dump.add_argument("--after", type=int, default=0, metavar="SEQ")
    dump.add_argument("--personal", action="store_true", help="personal parts too")
    dump.set_defaults(run=_dump)
    verify = commands.add_parser("verify", help="check every link of the chain")
    site.with_config(verify)
    verify.add_argument("--head", default="", metavar="SEQ:HASH", help="what the centre knows of the head")
    noted.with_note(verify)
    verify.set_defaults(run=_verify)
    rehearse = commands.add_parser(
        "rehearse", help="whether this software can go on with it: on a copy, in full"
    )
    site.with_config(rehearse)
    noted.with_note(rehearse)
    rehearse.set_defaults(run=_rehearse)
    readable = commands.add_parser(
        "readable", help="the same of a stopped daemon's, of its last entries alone"
    )
    site.with_config(readable)
    readable.add_argument("--after", type=int, default=0, metavar="SEQ")
    readable.set_defaults(run=_readable)


def _dump(arguments: argparse.Namespace) -> int:
    from locker.journal.dump import dump  # noqa: PLC0415  # late: heavy
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late

    config = site.config(arguments)
    try:
        for line in dump(config.journal_path, after=arguments.after, personal=arguments.personal):
            print(line)
    except JournalError as error:
        return site.wrong(str(error))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from locker.journal import verify  # noqa: PLC0415  # late

    head = ["--head", arguments.head] if arguments.head else []
    config = site.config(arguments)
    code = verify.main([str(config.journal_path), *head])
    noted.note(arguments, config, "verify", ok=not code, told="" if not code else LOG.format("verify"))
    return code


def _rehearse(arguments: argparse.Namespace) -> int:
    from locker.ctl.rehearse import CannotRehearse, rehearse  # noqa: PLC0415  # late: heavy
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late

    config = site.config(arguments)
    try:
        print(rehearse(config.journal_path))
    except (CannotRehearse, JournalError, sqlite3.Error, OSError) as error:
        noted.note(arguments, config, "rehearse", ok=False, told=str(error))
        return site.wrong(str(error))
    noted.note(arguments, config, "rehearse", ok=True)
    return 0


def _readable(arguments: argparse.Namespace) -> int:
    from locker.ctl.rehearse import CannotRehearse, readable  # noqa: PLC0415  # late: heavy
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late

    try:
        count = readable(site.config(arguments).journal_path, arguments.after)
    except (CannotRehearse, JournalError, sqlite3.Error) as error:
        return site.wrong(str(error))
    print(f"{count} entries after {arguments.after}, all understood")
    return 0
