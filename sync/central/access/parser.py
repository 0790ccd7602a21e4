"""The words of `commands`, apart from what they need: ``--help`` answers at once."""

from pathlib import Path
from typing import Any, Final

from sync.central.access.actor import Role

ROLES: Final = [str(role) for role in Role if role is not Role.INTEGRATOR]


def add(commands: Any, config: Path) -> None:
    """``commands``: what argparse's ``add_subparsers`` returned."""
    account = commands.add_parser("account", help="who may sign in at the console, and as what")
    people = account.add_subparsers(dest="what", required=True, metavar="WHAT")
    new = people.add_parser("add", help="add a person; prints a password for the first sign-in")
    new.add_argument("name", metavar="NAME", help="a-z, 0-9, dot, hyphen and underscore, at most 32")
    new.add_argument(
        "--role", action="append", required=True, choices=ROLES, metavar="ROLE", help=", ".join(ROLES)
    )
    new.add_argument(
        "--area", action="append", required=True, metavar="AREA", help="may be repeated; * is all"
    )
    new.add_argument("--shown", default="", metavar="TEXT", help="what colleagues call them")
    new.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password, which then stays, from standard input",
    )
    for what, does in (
        ("password", "print a new first password; also brings an ended account back"),
        ("end", "end an account, and every session of it"),
        ("factor", "drop a lost second factor"),
    ):
        people.add_parser(what, help=does).add_argument("name", metavar="NAME")
    people.add_parser("list", help="all accounts")
    audit = commands.add_parser("audit", help="the journal of what was looked at and done")
    parts = audit.add_subparsers(dest="what", required=True, metavar="WHAT")
    parts.add_parser("verify", help="check every row, link and signature")
    parts.add_parser("export", help="write it as JSON lines").add_argument(
        "--out", type=Path, required=True, metavar="FILE"
    )
    for parser in (*people.choices.values(), *parts.choices.values()):
        parser.add_argument("--config", type=Path, default=config, metavar="FILE")
