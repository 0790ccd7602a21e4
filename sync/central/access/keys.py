"""API keys: a program's right to ask. Shown once, kept as a digest, told apart by their first characters."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain.encoding import canonical
from sync.central.access import audit
from sync.central.access.accounts import AccountRefusal, AccountRefused, require_areas
from sync.central.access.actor import EVERY_AREA, Actor, Scope, program
from sync.central.access.matrix import Action
from sync.central.access.sessions import digest
from sync.central.access.tables import API_KEY
from sync.central.desk import Desk
from sync.central.guard import is_one_of
from sync.central.store import change, find

NAME_FORM: Final = re.compile(r"[a-z0-9-]{1,32}\Z")
MARK: Final = "dl_"
"""By which people, and programs that look for lost secrets, know one."""
PREFIX_CHARACTERS: Final = 9
SECRET_BYTES: Final = 30
DAY_MS: Final = 86_400_000
LASTS_DAYS: Final = range(1, 731)
USED_EVERY_MS: Final = 60_000
CONFIGURED: Final = program("central.toml", Scope, [EVERY_AREA])
"""Who asks with a key of the configuration. No key made here can have that name."""


@dataclass(frozen=True, slots=True)
class NewKey:
    name: str
    scopes: frozenset[Scope]
    areas: frozenset[str]
    lasts_days: int


def make(connection: Connection, desk: Desk, actor: Actor, new: NewKey) -> str:
    """The key, this once. Raises AccountRefused."""
    now_ms = desk.clock.wall_ms()
    if not NAME_FORM.match(new.name):
        raise AccountRefused(AccountRefusal.BAD_NAME, "1 to 32 of a-z, 0-9 and hyphen")
    if not new.scopes or new.lasts_days not in LASTS_DAYS:
        raise AccountRefused(AccountRefusal.BAD_ROLES, f"at least one scope, 1 to {LASTS_DAYS.stop - 1} days")
    require_areas(new.areas, actor)
    if find(connection, API_KEY, {"name": new.name}):
        raise AccountRefused(AccountRefusal.EXISTS, f"{new.name!r} is taken, maybe by a revoked key")
    key = MARK + base64.b32encode(desk.chance.random_bytes(SECRET_BYTES)).decode().lower()
    rights = {"scopes": canonical(sorted(new.scopes)), "areas": canonical(sorted(new.areas))}
    connection.execute(
        API_KEY.insert().values(
            name=new.name,
            prefix=key[:PREFIX_CHARACTERS],
            digest=digest(key),
            made_ms=now_ms,
            made_by=actor.who,
            expires_ms=now_ms + new.lasts_days * DAY_MS,
            **rights,
        )
    )
    audit.write(
        connection,
        now_ms,
        actor,
        Action.MANAGE_KEYS,
        new.name,
        {"what": "made", "days": new.lasts_days, **rights},
    )
    return key


def revoke(connection: Connection, now_ms: int, actor: Actor, name: str) -> None:
    """From its next request on it opens nothing. Raises AccountRefused."""
    row = find(connection, API_KEY, {"name": name})
    if row is None or not (actor.sees_all or set(json.loads(row.areas)) <= actor.areas):
        raise AccountRefused(AccountRefusal.UNKNOWN, "no such key")
    change(connection, API_KEY, {"name": name}, {"revoked_ms": row.revoked_ms or now_ms})
    audit.write(connection, now_ms, actor, Action.MANAGE_KEYS, name, {"what": "revoked"})


def listed(connection: Connection, actor: Actor) -> list[Row[Any]]:
    """All that lie within the actor's areas, revoked ones too; the keys themselves nobody has."""
    rows = connection.execute(select(API_KEY).order_by(API_KEY.c.name)).all()
    return [row for row in rows if actor.sees_all or set(json.loads(row.areas)) <= actor.areas]


def lookup(connection: Connection, key: str, now_ms: int) -> Row[Any] | None:
    """The living key that was given."""
    row = find(connection, API_KEY, {"digest": digest(key)})
    return row if row is not None and not row.revoked_ms and now_ms < row.expires_ms else None


def used(connection: Connection, name: str, now_ms: int) -> None:
    change(connection, API_KEY, {"name": name}, {"used_ms": now_ms})


def actor_of(row: Row[Any]) -> Actor:
    """Scopes of later software are none here."""
    scopes = [Scope(scope) for scope in json.loads(row.scopes) if scope in set(Scope)]
    return program(row.name, scopes, json.loads(row.areas))


def configured(key: str, known: tuple[str, ...]) -> Actor | None:
    """The actor behind a key of the configuration."""
    return CONFIGURED if key and is_one_of(key, known) else None
