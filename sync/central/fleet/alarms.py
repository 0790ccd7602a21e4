"""Alarms until a person has taken note of them."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select

from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.desk import Refusal, Refused
from sync.central.fleet.tables import ALARM_SEEN
from sync.central.paging import Keyset
from sync.central.store import put
from sync.central.tables import ALARM, LOCKER

NOTE_CHARACTERS_MAX: Final = 500
LISTED_MAX: Final = 500


ORDER: Final = Keyset("alarms", (ALARM.c.last_ms, ALARM.c.number), newest_first=True)


def listed(connection: Connection, actor: Actor, *, seen: bool) -> Sequence[Row[Any]]:
    """The latest first, at most `LISTED_MAX`; ``seen``: with those that somebody has taken note of."""
    query = asked(actor, seen=seen).order_by(ALARM.c.last_ms.desc(), ALARM.c.number.desc())
    return connection.execute(query.limit(LISTED_MAX)).all()


def asked(actor: Actor, *, seen: bool, locker: str = "") -> Select[Any]:
    """The same in no order yet; of one locker, if it is named."""
    query = (
        select(
            ALARM,
            ALARM.c.count.label("times"),
            ALARM_SEEN.c.who,
            ALARM_SEEN.c.note,
            ALARM_SEEN.c.at_ms,
            _IS_OPEN.label("open"),
        )
        .select_from(ALARM.outerjoin(ALARM_SEEN, ALARM_SEEN.c.number == ALARM.c.number))
        .where(scope.sees(actor, ALARM.c.locker))
    )
    if not seen:
        query = query.where(_IS_OPEN)
    if locker:
        query = query.where(ALARM.c.locker == locker)
    return query


def acknowledge(connection: Connection, actor: Actor, number: int, note: str, now_ms: int) -> None:
    """This person has taken note of alarm ``number`` as often as it was raised so far. Raises Refused."""
    found = select(ALARM.c.locker, ALARM.c.kind, ALARM.c.count.label("times")).where(ALARM.c.number == number)
    alarm = connection.execute(found).first()
    if alarm is None:
        raise Refused(Refusal.UNKNOWN_ALARM, "no such alarm")
    if not (actor.sees_all or (alarm.locker and _is_theirs(connection, actor, alarm.locker))):
        raise Refused(Refusal.UNKNOWN_ALARM, "no such alarm")
    seen = {"times": alarm.times, "who": actor.who, "note": note[:NOTE_CHARACTERS_MAX], "at_ms": now_ms}
    put(connection, ALARM_SEEN, {"number": number}, seen)
    detail: dict[str, str | int | bool] = {"alarm": number, "kind": alarm.kind, "times": alarm.times}
    audit.write(connection, now_ms, actor, Action.ACKNOWLEDGE_ALARM, alarm.locker, detail, reason=note)


def _is_theirs(connection: Connection, actor: Actor, locker: str) -> bool:
    """The hub's own alarms name no locker: they are for whoever sees all of them."""
    own = select(LOCKER.c.locker).where(LOCKER.c.locker == locker, scope.sees(actor, LOCKER.c.locker))
    return connection.execute(own).first() is not None


_IS_OPEN: Final = ALARM.c.count > func.coalesce(ALARM_SEEN.c.times, 0)
