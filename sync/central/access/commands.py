"""``locker-central account`` and ``locker-central audit``: also beside a running hub."""

import argparse
import contextlib
import sys
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from sync import durable
from sync.central.access import accounts, audit
from sync.central.access.accounts import Account, AccountRefused
from sync.central.access.actor import EVERY_AREA, Actor, Role
from sync.central.access.passwords import Hashing, Passwords, WeakPassword, new_password, require_strong
from sync.central.config import Config, load, load_keys
from sync.central.desk import Desk
from sync.central.platform import Chance, SystemClock
from sync.central.store import Store

MACHINE: Final = Actor("machine", frozenset(), frozenset({EVERY_AREA}))
"""Whoever may run commands where the hub's keys lie."""


class Tampered(Exception):
    """The journal of acts is not what the hub wrote. Remedy: keep the database as it is, and find out."""


EXPECTED: Final = (AccountRefused, WeakPassword, Tampered)


def run(asked: argparse.Namespace) -> None:
    """Raises what `EXPECTED` holds, BadConfig, OSError, StoreTooNew."""
    config = load(asked.config)
    desk = Desk(load_keys(config.keys), SystemClock())
    with contextlib.closing(Store.open(config.database, checkpoints=False)) as store:
        _DOES[asked.command, asked.what](config, desk, store, asked)


def _add(config: Config, desk: Desk, store: Store, asked: argparse.Namespace) -> None:
    new = Account(asked.name, asked.shown, frozenset(map(Role, asked.role)), frozenset(asked.area))
    plain, hashed = _password(config, asked)
    now_ms = desk.clock.wall_ms()
    store.write_now(lambda c: accounts.add(c, now_ms, MACHINE, new, hashed, first=not asked.password_stdin))
    _tell(asked, plain)


def _give(config: Config, desk: Desk, store: Store, asked: argparse.Namespace) -> None:
    asked.password_stdin = False
    plain, hashed = _password(config, asked)
    now_ms = desk.clock.wall_ms()
    store.write_now(lambda c: accounts.restore(c, now_ms, MACHINE, asked.name, hashed))
    _tell(asked, plain)


def _password(config: Config, asked: argparse.Namespace) -> tuple[str, str]:
    """As it is told, and as it is kept."""
    chance = Chance()
    if asked.password_stdin:
        plain = sys.stdin.readline().rstrip("\n")
        require_strong(plain, asked.name)
    else:
        plain = new_password(chance.random_bytes)
    return plain, Passwords(Hashing.of(config.access), chance.random_bytes).hash(plain)


def _tell(asked: argparse.Namespace, plain: str) -> None:
    """The one time that it is shown. Standard output: logs are on standard error."""
    print(f"{asked.name} can sign in" if asked.password_stdin else f"{asked.name} signs in, once, by {plain}")


def _end(_config: Config, desk: Desk, store: Store, asked: argparse.Namespace) -> None:
    now_ms = desk.clock.wall_ms()
    store.write_now(lambda c: accounts.end(c, now_ms, MACHINE, asked.name))
    print(f"{asked.name} can no longer sign in")


def _drop(_config: Config, desk: Desk, store: Store, asked: argparse.Namespace) -> None:
    now_ms = desk.clock.wall_ms()
    store.write_now(lambda c: accounts.drop_second_factor(c, now_ms, MACHINE, asked.name))
    print(f"{asked.name} sets up a new second factor at the next sign-in")


def _list(_config: Config, _desk: Desk, store: Store, _asked: argparse.Namespace) -> None:
    for row in store.read_now(lambda c: accounts.listed(c, MACHINE)):
        found = accounts.of_row(row)
        marks = [
            word for word, holds in (("ended", row.ended_ms), ("second factor", row.totp_sealed)) if holds
        ]
        about = [", ".join(sorted(found.roles)), ", ".join(sorted(found.areas)), *marks]
        print(f"{found.account}: {'; '.join(about)}")


def _verify(_config: Config, desk: Desk, store: Store, _asked: argparse.Namespace) -> None:
    found = store.read_now(lambda c: audit.verify(c, *desk.keys.publics))
    for problem in found.problems:
        print(f"{problem.seq}: {problem.what}", file=sys.stderr)
    if found.problems:
        raise Tampered(f"{len(found.problems)} places are not what the hub wrote; keep the database as it is")
    print(f"{found.rows} acts, signed up to {found.signed_to}, head {found.head}: whole")


def _export(_config: Config, _desk: Desk, store: Store, asked: argparse.Namespace) -> None:
    def work(connection: Connection) -> str:
        return "".join(f"{line}\n" for line in audit.lines(connection))

    durable.write_new(asked.out, store.read_now(work))
    print(f"wrote {asked.out}")


Does = Callable[[Config, Desk, Store, argparse.Namespace], None]
_DOES: Final[dict[tuple[str, str], Does]] = {
    ("account", "add"): _add,
    ("account", "password"): _give,
    ("account", "end"): _end,
    ("account", "factor"): _drop,
    ("account", "list"): _list,
    ("audit", "verify"): _verify,
    ("audit", "export"): _export,
}
