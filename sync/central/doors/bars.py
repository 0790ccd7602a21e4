"""Bar a door and end the bar, from afar: what lies behind it stays in reach all the while."""

from typing import Final

from sqlalchemy import Connection

from locker.domain.events import CompartmentBarred, CompartmentUnbarred
from locker.domain.ids import CompartmentNumber
from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.acts import approvals
from sync.central.desk import Refusal, Refused
from sync.central.directives import append
from sync.central.doors.tables import DOOR_BAR
from sync.central.office import Office
from sync.central.store import find, put
from sync.central.tables import COMPARTMENT

REASON_CHARACTERS_MAX: Final = 120


async def bar(office: Office, actor: Actor, locker: str, door: int, reason: str) -> None:
    """Nothing new goes into it from when its locker hears of this. Raises Refused."""
    now_ms = office.desk.clock.wall_ms()
    why = " ".join(reason.split())[:REASON_CHARACTERS_MAX]

    def work(connection: Connection) -> None:
        _require_door(connection, actor, locker, door)
        if problem := approvals.unfit_reason(why):
            raise Refused(Refusal.UNFIT, problem)
        keys = {"locker": locker, "door": door}
        before = find(connection, DOOR_BAR, keys)
        if before is not None and before.reason == why:
            return
        append(connection, locker, CompartmentBarred(CompartmentNumber(door), why, actor.who), now_ms)
        put(connection, DOOR_BAR, keys, {"reason": why, "who": actor.who, "at_ms": now_ms, "seen_ms": 0})
        detail: dict[str, str | int | bool] = {"what": "bar", "door": door}
        audit.write(connection, now_ms, actor, Action.DIRECT_LOCKER, locker, detail, reason=why)

    await office.store.write(work)
    office.pump.wake([locker])


async def unbar(office: Office, actor: Actor, locker: str, door: int) -> None:
    """The centre's own bar ends; a fault, or a technician's block, does not. Raises Refused."""
    now_ms = office.desk.clock.wall_ms()

    def work(connection: Connection) -> None:
        _require_door(connection, actor, locker, door)
        keys = {"locker": locker, "door": door}
        row = find(connection, COMPARTMENT, {"locker": locker, "number": door})
        if find(connection, DOOR_BAR, keys) is None and not (row and row.barred):
            return
        connection.execute(DOOR_BAR.delete().where(*(DOOR_BAR.c[name] == keys[name] for name in keys)))
        append(connection, locker, CompartmentUnbarred(CompartmentNumber(door), actor.who), now_ms)
        detail: dict[str, str | int | bool] = {"what": "unbar", "door": door}
        audit.write(connection, now_ms, actor, Action.DIRECT_LOCKER, locker, detail)

    await office.store.write(work)
    office.pump.wake([locker])


def _require_door(connection: Connection, actor: Actor, locker: str, door: int) -> None:
    """Raises Refused."""
    scope.locker_row(connection, actor, locker)
    row = find(connection, COMPARTMENT, {"locker": locker, "number": door})
    if row is None or not row.configured:
        raise Refused(Refusal.UNFIT, f"{locker} has no door {door}")
