"""Certificates that nobody renewed: looked for once a day, before somebody stands before a silent locker."""

import logging
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from sync import certificates
from sync.central.alarms import Trouble, raise_alarm
from sync.central.authority.issuing import DAY_MS, Purpose
from sync.central.authority.tables import CERTIFICATE
from sync.central.desk import Desk
from sync.central.store import Store, find
from sync.central.tables import ALARM

log = logging.getLogger(__name__)

LEFT_MS: Final = 60 * DAY_MS
"""A locker asks for the next one when four months are left: who has not for two is away, or is refused."""
KIND: Final = "certificate_ending"
OWN_KIND: Final = "own_certificate_ending"
"""Of the hub's own and of servers': an alarm of no locker."""


async def keep(store: Store, desk: Desk) -> None:
    """Until cancelled."""
    while True:
        told = await store.write(lambda connection: look(connection, desk.clock.wall_ms()))
        for each in told:
            log.warning("%s", each)
        await desk.clock.sleep_until(desk.clock.mono_ms() + DAY_MS)


def look(connection: Connection, now_ms: int) -> list[str]:
    """Alarms for lockers, once for each certificate; what is to be told of our own and of servers'."""
    told: list[str] = []
    for row in _ending(connection, now_ms + LEFT_MS):
        ends = certificates.moment_of(row.not_after_ms).date().isoformat()
        if row.purpose != Purpose.LOCKER.value:
            told.append(f"the certificate of {row.name} ends {ends}: see `locker-central authority --help`")
            if find(connection, ALARM, {"locker": "", "kind": OWN_KIND, "subject": row.serial}) is None:
                trouble = Trouble(OWN_KIND, row.serial, f"{row.name}: {ends}")
                raise_alarm(connection, "", trouble, now_ms)
        elif find(connection, ALARM, {"locker": row.name, "kind": KIND, "subject": row.serial}) is None:
            raise_alarm(connection, row.name, Trouble(KIND, row.serial, ends), now_ms)
    return told


def _ending(connection: Connection, until_ms: int) -> Iterator[Row[Any]]:
    """The last certificate of each name, where it ends before ``until_ms``; who was taken out has none."""
    row = CERTIFICATE.c
    newest = (
        select(row.name, func.max(row.not_after_ms).label("ends_ms"))
        .where(row.revoked_ms == 0)
        .group_by(row.name)
        .subquery()
    )
    query = (
        select(CERTIFICATE)
        .join(newest, (newest.c.name == row.name) & (newest.c.ends_ms == row.not_after_ms))
        .where(row.revoked_ms == 0, row.not_after_ms < until_ms)
        .order_by(row.name)
    )
    yield from connection.execute(query).all()
