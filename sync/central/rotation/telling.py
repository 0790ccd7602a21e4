"""Every locker is told of the centre's keys as they stand, by its down-log; and which of them have it."""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, select

from locker.domain.events import CentreKeysTold
from sync.central.desk import Desk, Keys
from sync.central.directives import append
from sync.central.rotation.said import text_of
from sync.central.rotation.tables import CENTRE_KEYS
from sync.central.store import Store, find, put
from sync.central.tables import LOCKER

log = logging.getLogger(__name__)

EVERY_MS: Final = 3_600_000
"""Keys change while the hub stands still; a database that came back from a copy is told again meanwhile."""
AT_ONCE: Final = 200
"""Lockers in one transaction: nobody waits long for the others."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Who has a key, by its locker's own report."""

    have: tuple[str, ...]
    lack: tuple[str, ...]


def entry(keys: Keys) -> CentreKeysTold:
    return CentreKeysTold(
        tuple(each.hex() for each in keys.believed), tuple(each.hex() for each in keys.retired)
    )


def tell(connection: Connection, keys: Keys, locker: str, now_ms: int) -> bool:
    """Whether it is told something new. A hub that never had another key says nothing."""
    row = find(connection, CENTRE_KEYS, {"locker": locker})
    said, says = row.said if row else "", entry(keys)
    if said == text_of(says) or not (said or keys.coming or keys.former):
        return False
    append(connection, locker, says, now_ms)
    put(connection, CENTRE_KEYS, {"locker": locker}, {"said": text_of(says), "said_ms": now_ms})
    return True


def tell_some(connection: Connection, keys: Keys, lockers: Iterable[str], now_ms: int) -> list[str]:
    return [locker for locker in lockers if tell(connection, keys, locker, now_ms)]


async def keep(store: Store, desk: Desk, wake: Callable[[Iterable[str]], None]) -> None:
    """Until cancelled."""
    while True:
        await tell_all(store, desk, wake)
        await desk.clock.sleep_until(desk.clock.mono_ms() + EVERY_MS)


async def tell_all(store: Store, desk: Desk, wake: Callable[[Iterable[str]], None]) -> int:
    """How many lockers were told something new."""
    now_ms = desk.clock.wall_ms()
    lockers, count = await store.read(lambda connection: _stale(connection, desk.keys)), 0
    for first in range(0, len(lockers), AT_ONCE):
        some = lockers[first : first + AT_ONCE]
        told = await store.write(lambda c, some=some: tell_some(c, desk.keys, some, now_ms))  # type: ignore[misc]  # of one round
        wake(told)
        count += len(told)
    if count:
        log.info("the centre's keys were told to %d lockers", count)
    return count


def _stale(connection: Connection, keys: Keys) -> Sequence[str]:
    """Lockers that were told something else, or nothing where there is something to tell."""
    own = CENTRE_KEYS.c
    never = not (keys.coming or keys.former)
    joined = LOCKER.join(CENTRE_KEYS, own.locker == LOCKER.c.locker, isouter=not never)
    same = and_(own.said.is_not(None), own.said == text_of(entry(keys)))
    return (
        connection.execute(select(LOCKER.c.locker).select_from(joined).where(~same).order_by(LOCKER.c.locker))
        .scalars()
        .all()
    )


def holding(connection: Connection, public: bytes) -> Holding:
    """Of every enrolled locker."""
    joined = LOCKER.outerjoin(CENTRE_KEYS, CENTRE_KEYS.c.locker == LOCKER.c.locker)
    rows = connection.execute(
        select(LOCKER.c.locker, CENTRE_KEYS.c.held).select_from(joined).order_by(LOCKER.c.locker)
    ).all()
    has = {row.locker: bool(row.held) and public.hex() in json.loads(row.held)["keys"] for row in rows}
    return Holding(
        tuple(locker for locker, holds in has.items() if holds),
        tuple(locker for locker, holds in has.items() if not holds),
    )
