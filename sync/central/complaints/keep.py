"""Beside everything else: what is late is raised, what ended long ago loses number and name."""

from functools import partial
from typing import Final

from sqlalchemy import Connection, or_, select

from sync.central.complaints import policy, work
from sync.central.complaints.tables import COMPLAINT
from sync.central.desk import Desk
from sync.central.store import Store

EVERY_MS: Final = 60_000


async def keep(store: Store, desk: Desk) -> None:
    """Until cancelled."""
    clock = desk.clock
    while True:
        await step(store, desk)
        await clock.sleep_until(clock.mono_ms() + EVERY_MS)


async def step(store: Store, desk: Desk) -> None:
    """One look. With nothing to do the disk is left alone."""
    now_ms = desk.clock.wall_ms()
    if not await store.read(partial(_is_any, now_ms=now_ms)):
        return
    while await store.write(lambda connection: work.escalate(connection, desk)) == work.AT_ONCE:
        pass
    await store.write(lambda connection: work.forget(connection, now_ms))


def _is_any(connection: Connection, now_ms: int) -> bool:
    own = COMPLAINT.c
    late = (own.next_ms > 0) & (own.next_ms <= now_ms)
    ended = (own.closed_ms > 0) & (own.closed_ms < now_ms - policy.PERSONAL_AFTER_MS)
    named = (own.contact_sealed != "") | (own.name != "") | (own.phone != "")
    return (
        connection.execute(select(own.complaint).where(or_(late, ended & named)).limit(1)).first() is not None
    )
