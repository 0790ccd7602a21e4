"""`lockerctl journal dump | verify`: beside the daemon, read-only."""

import argparse

from locker.ctl import site


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
    verify.set_defaults(run=_verify)


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
    return verify.main([str(site.config(arguments).journal_path), *head])
