"""What is wished for the fleet, for an area, for one locker; and the versions that lockers are told of it."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from locker.domain.encoding import canonical
from locker.domain.policy import Settings, range_of, unfit
from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.desk import Refusal, Refused
from sync.central.directives import append
from sync.central.office import Office
from sync.central.settings.levels import DEFAULTS, Level, Target, Wishes
from sync.central.settings.said import Values, entry
from sync.central.settings.tables import LOCKER_SETTINGS, SETTING_WISH
from sync.central.store import find, put
from sync.central.tables import LOCKER


def revision(values: Values) -> str:
    """Differs where somebody has changed them meanwhile."""
    return hashlib.sha256(canonical(dict(values)).encode()).hexdigest()[:16]


async def change(office: Office, actor: Actor, target: Target, values: Values, seen: str) -> int:
    """``values`` are all wishes of this place from now on, those that are not named are taken back; ``seen``:
    the revision that they rest on. Returns how many lockers are told. Raises Refused."""
    now_ms = office.desk.clock.wall_ms()

    def work(connection: Connection) -> list[str]:
        require(connection, actor, target)
        wishes = Wishes(connection)
        before = wishes.at(target)
        if seen != revision(before):
            raise Refused(Refusal.CHANGED_MEANWHILE, "somebody has changed these settings: look again")
        _require_fit(wishes, connection, target, values)
        changed = {name for name in {*before, *values} if before.get(name) != values.get(name)}
        if not changed:
            return []
        for name in changed:
            _write(connection, target, name, values.get(name), actor.who, now_ms)
        told = spread(connection, target, now_ms)
        detail: dict[str, str | int | bool] = {name: values.get(name, "") for name in sorted(changed)}
        subject = f"{target.level}/{target.place}" if target.level is Level.AREA else target.place or "fleet"
        audit.write(
            connection, now_ms, actor, Action.CHANGE_SETTINGS, subject, {**detail, "lockers": len(told)}
        )
        return told

    told = await office.store.write(work)
    office.pump.wake(told)
    return len(told)


def require(connection: Connection, actor: Actor, target: Target) -> str:
    """That this place exists for this actor; its area, "" for the fleet. Raises Refused."""
    if target.level is Level.LOCKER:
        return str(scope.locker_row(connection, actor, target.place).area)
    if target.level is Level.AREA:
        known = select(LOCKER.c.locker).where(LOCKER.c.area == target.place).limit(1)
        if not actor.sees(target.place) or connection.execute(known).first() is None:
            raise Refused(Refusal.UNKNOWN_AREA, f"no area {target.place!r} has lockers here")
        return target.place
    if not actor.sees_all:
        raise Refused(Refusal.WHOLE_FLEET, "who sets for every locker must see every area")
    return ""


def spread(connection: Connection, target: Target, now_ms: int) -> list[str]:
    """Tell every locker of a place for which something is different now; their names."""
    query = select(LOCKER.c.locker, LOCKER.c.area).order_by(LOCKER.c.locker)
    if target.level is Level.LOCKER:
        query = query.where(LOCKER.c.locker == target.place)
    elif target.level is Level.AREA:
        query = query.where(LOCKER.c.area == target.place)
    wishes = Wishes(connection)
    return [
        row.locker
        for row in connection.execute(query).all()
        if _say(connection, wishes, row.locker, row.area, now_ms)
    ]


def _say(connection: Connection, wishes: Wishes, locker: str, area: str, now_ms: int) -> bool:
    """A new version, where what is wanted is not what was said last."""
    values = {name: each.value for name, each in wishes.wanted(locker, area).items()}
    before = find(connection, LOCKER_SETTINGS, {"locker": locker})
    if values == (json.loads(before.said) if before else {}):
        return False
    # Above the time of day as well: a restored centre does not use a number twice.
    version = max(now_ms, before.version + 1 if before else 1)
    append(connection, locker, entry(version, values), now_ms)
    told = {"version": version, "said": canonical(values), "said_ms": now_ms, "refused": "[]"}
    put(connection, LOCKER_SETTINGS, {"locker": locker}, told)
    return True


def _write(
    connection: Connection, target: Target, name: str, value: int | str | None, who: str, now_ms: int
) -> None:
    keys = {"level": target.level.value, "place": target.place, "name": name}
    if value is None:
        connection.execute(SETTING_WISH.delete().where(*(SETTING_WISH.c[k] == keys[k] for k in keys)))
    else:
        put(connection, SETTING_WISH, keys, {"value": canonical(value), "who": who, "at_ms": now_ms})


def _require_fit(wishes: Wishes, connection: Connection, target: Target, values: Values) -> None:
    """Each within its hard range, and a warning before its alarm. Raises Refused, naming the first."""
    for name, value in values.items():
        if why := unfit(Settings, name, value):
            low, high = range_of(name)
            raise Refused(Refusal.UNFIT, f"{name}: {why} ({low}..{high})")
    area = target.place if target.level is Level.AREA else ""
    if target.level is Level.LOCKER:
        area = str(find(connection, LOCKER, {"locker": target.place}).area)  # type: ignore[union-attr]  # `require`
    above = {name: each.value for name, each in wishes.above(area, target.level).items()}
    if problem := contradiction({**above, **values}):
        raise Refused(Refusal.UNFIT, problem)


def contradiction(values: Mapping[str, Any]) -> str:
    """What two values say against each other; empty where nothing is."""
    warning = values.get("left_open_warning_ms", DEFAULTS.left_open_warning_ms)
    alarm = values.get("left_open_alarm_ms", DEFAULTS.left_open_alarm_ms)
    return "" if warning < alarm else "left_open_warning_ms: must come before left_open_alarm_ms"


def areas(connection: Connection, actor: Actor) -> Sequence[tuple[str, int]]:
    """Those that exist for this actor, with the number of their lockers."""
    count: dict[str, int] = defaultdict(int)
    for area in connection.execute(select(LOCKER.c.area)).scalars():
        count[area] += actor.sees(area)
    return sorted((area, lockers) for area, lockers in count.items() if lockers)
