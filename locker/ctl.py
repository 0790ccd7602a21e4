"""`lockerctl`: by the daemon's socket, or read-only beside it. Imports what is heavy only when needed."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locker.config import Config

DEFAULT_CONFIG = Path("/etc/doclocker/locker.toml")


def main() -> None:
    """Exit 0 where all is well, 1 where something is not, 2 for a bad command line or configuration."""
    arguments = _parser().parse_args()
    try:
        code = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read us has seen enough; Python's own last flush must not complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lockerctl", description="Looks after one document locker.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    status = commands.add_parser("status", help="what the running daemon says of itself")
    _with_config(status)
    status.set_defaults(run=_status)

    journal = commands.add_parser("journal", help="the journal").add_subparsers(required=True)
    dump = journal.add_parser("dump", help="all entries, a JSON line each")
    _with_config(dump)
    dump.add_argument("--after", type=int, default=0, metavar="SEQ")
    dump.add_argument("--personal", action="store_true", help="personal parts too")
    dump.set_defaults(run=_dump)
    verify = journal.add_parser("verify", help="check every link of the chain")
    _with_config(verify)
    verify.add_argument("--head", default="", metavar="SEQ:HASH", help="what the centre knows of the head")
    verify.set_defaults(run=_verify)

    config = commands.add_parser("config", help="the configuration").add_subparsers(required=True)
    check = config.add_parser("check", help="say what is wrong with it")
    _with_config(check)
    check.set_defaults(run=_check)

    keys = commands.add_parser("keys", help="the locker's identity").add_subparsers(required=True)
    new = keys.add_parser("new", help="make the locker's own key; prints its public half")
    new.add_argument("directory", type=Path)
    new.add_argument("locker")
    new.set_defaults(run=_new_keys)
    return parser


def _with_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG)


def _status(arguments: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415  # late: see the module's first line

    from locker.control import ask  # noqa: PLC0415  # late

    config = _config(arguments)
    try:
        answer = asyncio.run(ask(config.control_path, {"do": "status"}))
    except OSError as error:
        return _wrong(f"no daemon listens at {config.control_path}: {error}")
    except ValueError:
        return _wrong(f"the daemon at {config.control_path} gave no answer: see its log")
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    return 0 if answer["ok"] else 1


def _dump(arguments: argparse.Namespace) -> int:
    from locker.journal.dump import dump  # noqa: PLC0415  # late
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late

    config = _config(arguments)
    try:
        for line in dump(config.journal_path, after=arguments.after, personal=arguments.personal):
            print(line)
    except JournalError as error:
        return _wrong(str(error))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from locker.journal import verify  # noqa: PLC0415  # late

    head = ["--head", arguments.head] if arguments.head else []
    return verify.main([str(_config(arguments).journal_path), *head])


def _check(arguments: argparse.Namespace) -> int:
    config = _config(arguments)
    for line in config.wiring.lines:
        print(f"line {line}: an opening is seen within {config.wiring.detection_s(line):.2f} s")
    print(f"{len(config.cabinet)} compartments, all wired")
    return 0


def _new_keys(arguments: argparse.Namespace) -> int:
    from locker.platform import KeysError, write_own_key  # noqa: PLC0415  # late

    try:
        print(write_own_key(arguments.directory, arguments.locker))
    except KeysError as error:
        return _wrong(str(error))
    return 0


def _config(arguments: argparse.Namespace) -> "Config":
    from locker.config import ConfigError, load  # noqa: PLC0415  # late

    try:
        return load(arguments.config)
    except ConfigError as error:
        _wrong(str(error))
        sys.exit(2)


def _wrong(what: str) -> int:
    print(f"lockerctl: {what}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    main()
