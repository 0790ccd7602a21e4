"""Enrolling a locker: the hub learns its key, it learns the hub's."""

import re
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, select

from locker.domain import chain
from locker.domain.tokens import TEXT_MAX
from sync import seal
from sync.central.authority.tables import FORMER_KEY
from sync.central.desk import Desk
from sync.central.directives import EPOCH_BYTES
from sync.central.ledger import current_epoch
from sync.central.rotation.telling import tell
from sync.central.settings.levels import Level, Target
from sync.central.settings.wishes import spread
from sync.central.store import change
from sync.central.tables import LOCKER

ID_FORM: Final = re.compile(r"[a-z0-9-]{1,24}\Z")
"""The wire allows 32 characters; a label's token holds `tokens.TEXT_MAX`."""
CODE_KEY_BYTES: Final = 32


class CannotEnrol(Exception):
    """The message says what to do."""


def public_keys(connection: Connection) -> list[tuple[str, str]]:
    """Every enrolled locker with its key in hex."""
    rows = connection.execute(select(LOCKER.c.locker, LOCKER.c.public).order_by(LOCKER.c.locker)).all()
    return [(row.locker, row.public) for row in rows]


def every_key(connection: Connection) -> Iterator[tuple[str, str | list[str]]]:
    """As `lockerctl evidence verify` reads them: of a locker whose controller was exchanged, all it had."""
    for locker, public in public_keys(connection):
        every = [each for each in (public, *sorted(former_keys(connection, locker))) if each]
        yield locker, every[0] if len(every) == 1 else every


def former_keys(connection: Connection, locker: str) -> set[str]:
    """Those that it gave up, in hex."""
    own = FORMER_KEY.c
    return set(connection.execute(select(own.public).where(own.locker == locker)).scalars())


def _has_spoken(connection: Connection, locker: str) -> bool:
    """Whether a journal of this locker is known: another one must not begin as if nothing lay there."""
    return bool(current_epoch(connection, locker))


def require_names(locker: str, area: str) -> None:
    """Raises CannotEnrol for names that cannot be."""
    for what, value in (("locker", locker), ("area", area)):
        if not ID_FORM.match(value):
            raise CannotEnrol(f"{what} {value!r}: 1 to {TEXT_MAX} of a-z, 0-9 and -")


def enrol(connection: Connection, desk: Desk, locker: str, area: str, public: str) -> dict[str, Any]:
    """What the locker must know of its centre (its ``centre.json``). Again for the same key: the same answer.

    Raises CannotEnrol for a bad name or key, and for a name that belongs to another key.
    """
    require_names(locker, area)
    try:
        raw = seal.key_from_hex(public)
    except seal.BadKey as error:
        raise CannotEnrol(f"public key: {error}") from error
    row = connection.execute(select(LOCKER).where(LOCKER.c.locker == locker)).first()
    if row is not None and (row.public not in {"", raw.hex()} or row.area != area):
        raise CannotEnrol(f"{locker!r} is enrolled already with another key or area; choose another name")
    if raw.hex() in former_keys(connection, locker):
        raise CannotEnrol(f"{locker!r} gave up this key: `lockerctl retire` that machine first")
    if row is None:
        code_key = desk.chance.random_bytes(CODE_KEY_BYTES)
        connection.execute(
            LOCKER.insert().values(
                locker=locker,
                area=area,
                public=raw.hex(),
                code_key_sealed=desk.sealed({"code_key": code_key.hex()}),
                enrolled_ms=desk.clock.wall_ms(),
                dn_epoch=desk.chance.random_bytes(EPOCH_BYTES).hex(),
                dn_hash=chain.START.hex(),
            )
        )
        tell(connection, desk.keys, locker, desk.clock.wall_ms())
        spread(connection, Target(Level.LOCKER, locker), desk.clock.wall_ms())
    else:
        code_key = desk.code_key(row)
        if not row.public:
            change(connection, LOCKER, {"locker": locker}, {"public": raw.hex()})
    keys = desk.keys
    return {
        "locker": locker,
        "area": area,
        "code_key": code_key.hex(),
        "centre_sign": [{"id": seal.key_id(each).hex(), "public": each.hex()} for each in keys.believed],
        "centre_seal": {"id": keys.seal.id.hex(), "public": keys.seal.public.hex()},
        "known": _has_spoken(connection, locker),
    }
