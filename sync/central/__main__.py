"""``locker-central``: serve the hub, enrol a locker, print public keys, make a first configuration.

Nothing heavy is imported before the command is known: ``--help`` answers at once.
"""

import argparse
import gc
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sync.central.access import parser as people
from sync.central.authority import parser as authority
from sync.central.rotation import parser as rotation

DEFAULT_CONFIG: Final = Path("/etc/doclocker/central.toml")
SERVING: Final = ("serve", "worker")
ABOUT: Final = "The hub of a fleet of document lockers: ledger, cases, outgoing items, messages, console."


def main(arguments: Sequence[str] | None = None) -> int:
    """0: done. 1: it cannot be done, for the reason told on standard error. 2: asked wrongly."""
    asked = _parser().parse_args(arguments)
    # Nothing of it ever becomes garbage: it is not looked through, neither while it is made nor later.
    gc.disable()
    from sync.central import commands  # noqa: PLC0415  # late: the parser answers --help without it

    if asked.command in SERVING:
        import sync.central.hub  # noqa: F401, PLC0415  # before what is there is frozen

    gc.freeze()
    gc.enable()

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # httpx tells every request: whom we message, and when, is nobody's business.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        _does(commands)[asked.command](asked)
    except commands.EXPECTED as error:
        print(f"locker-central: {error}", file=sys.stderr)
        return 1
    return 0


def _does(commands: Any) -> Mapping[str, Callable[[argparse.Namespace], None]]:
    """``commands``: the module, imported late."""
    return {
        "serve": lambda asked: commands.serve(asked.config),
        "worker": lambda asked: commands.worker(asked.config),
        "enrol": lambda asked: commands.enrol(
            asked.config, asked.locker, asked.area, asked.public, asked.out
        ),
        "enrol-many": lambda asked: commands.enrol_many(asked.config, asked.list, asked.out),
        "backup": lambda asked: commands.save(asked.config, asked.to),
        "restore": lambda asked: commands.restore(asked.config, asked.copy),
        "keys": commands.keys,
        "init": lambda asked: commands.init(asked.dir, asked.set),
        "account": commands.people,
        "audit": commands.people,
        "authority": commands.authority,
        "claim": commands.authority,
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("locker-central", description=ABOUT)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve the lockers, the API and the console")
    serve.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE")
    worker = commands.add_parser("worker", help="hear a part of the lockers, beside `serve`: on PostgreSQL")
    worker.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE")
    enrol = commands.add_parser("enrol", help="take a locker in; writes what it must know of its centre")
    enrol.add_argument("locker", metavar="LOCKER", help="its name: a-z, 0-9 and -, at most 24")
    enrol.add_argument("--area", required=True, help="lockers of one area take each other's drop-off tokens")
    enrol.add_argument("--public", required=True, metavar="HEX", help="from `lockerctl keys new`")
    enrol.add_argument("--out", type=Path, required=True, metavar="FILE", help="the locker's centre.json")
    enrol.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE")
    many = commands.add_parser("enrol-many", help="take many lockers in at once, from a list")
    many.add_argument("list", type=Path, metavar="LIST", help="CSV, first line locker,area,public")
    many.add_argument("--out", type=Path, required=True, metavar="DIR", help="for one LOCKER.json each")
    many.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE")
    save = commands.add_parser("backup", help="make a copy of the database, beside a running hub")
    save.add_argument("--to", type=Path, required=True, metavar="DIR", help="its name tells the moment")
    save.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE")
    back = commands.add_parser("restore", help="go back to such a copy, while no hub runs")
    back.add_argument("copy", type=Path, metavar="FILE")
    back.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE")
    rotation.add(commands, DEFAULT_CONFIG)
    init = commands.add_parser("init", help="make a configuration with fresh keys and passwords")
    init.add_argument("--dir", type=Path, required=True, help="an empty or new folder")
    init.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help="for instance web.port=8600 or sms.url=http://…; may be repeated",
    )
    people.add(commands, DEFAULT_CONFIG)
    authority.add(commands, DEFAULT_CONFIG)
    return parser


if __name__ == "__main__":
    sys.exit(main())
