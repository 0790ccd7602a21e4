"""What stands of bars, as it would be said to its locker now."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from locker.domain.events import CompartmentBarred
from locker.domain.ids import CompartmentNumber
from sync.central.doors.tables import DOOR_BAR


def standing(connection: Connection, locker: str) -> Iterable[CompartmentBarred]:
    own = DOOR_BAR.c
    query = select(own.door, own.reason, own.who).where(own.locker == locker).order_by(own.door)
    for row in connection.execute(query):
        yield CompartmentBarred(CompartmentNumber(row.door), row.reason, row.who)
