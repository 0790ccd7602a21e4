"""The calendar, kept year by year, and read into memory by every process of the hub."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.central import store as rows
from sync.central.access import audit
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.desk import Desk, Refusal, Refused
from sync.central.office import Office
from sync.central.store import Store
from sync.central.workdays.reading import Day
from sync.central.workdays.tables import WORK_DAY

EVERY_MS: Final = 60_000


def of_year(connection: Connection, year: int) -> Sequence[Row[Any]]:
    own = WORK_DAY.c
    inside = own.day.between(f"{year:04}-01-01", f"{year:04}-12-31")
    return connection.execute(select(WORK_DAY).where(inside).order_by(own.day)).all()


async def put_year(office: Office, actor: Actor, year: int, days: Iterable[Day]) -> None:
    """``days`` are all of this year that differ, from now on. Raises Refused."""
    now_ms = office.desk.clock.wall_ms()
    wanted = {each.day.isoformat(): each for each in days}
    if any(each.day.year != year for each in wanted.values()):
        raise Refused(Refusal.BAD_DAY, f"every day must lie in {year}")

    def work(connection: Connection) -> None:
        own = WORK_DAY.c
        before = {row.day: (row.works, row.called) for row in of_year(connection, year)}
        after = {day: (each.works, each.called) for day, each in wanted.items()}
        if before == after:
            return
        for day in before.keys() - after.keys():
            connection.execute(WORK_DAY.delete().where(own.day == day))
        for day, (works, called) in after.items():
            if before.get(day) != (works, called):
                said = {"works": works, "called": called, "who": actor.who, "at_ms": now_ms}
                rows.put(connection, WORK_DAY, {"day": day}, said)
        detail: dict[str, str | int | bool] = {"days": len(after)}
        audit.write(connection, now_ms, actor, Action.MANAGE_CALENDAR, str(year), detail)

    await office.store.write(work)
    await office.store.read(lambda connection: load(connection, office.desk))


def load(connection: Connection, desk: Desk) -> None:
    found = connection.execute(select(WORK_DAY.c.day, WORK_DAY.c.works)).all()
    desk.workdays.differing = {date.fromisoformat(row.day): bool(row.works) for row in found}


async def keep(store: Store, desk: Desk) -> None:
    """Until cancelled: what another process changed is known here within a minute."""
    while True:
        await store.read(lambda connection: load(connection, desk))
        await desk.clock.sleep_until(desk.clock.mono_ms() + EVERY_MS)
