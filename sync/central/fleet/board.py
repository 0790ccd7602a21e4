"""Every locker as one row, and which rows changed: what an overview of a thousand of them stands on.

A refresh asks one light question about all lockers, and the heavy ones (doors, snapshot) only about those
that said something since.
"""

import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, case, func, select

from sync.central.fleet.tables import ALARM_SEEN
from sync.central.presence import FRESH_MS, GONE_MS, Presence, presence
from sync.central.tables import ALARM, COMPARTMENT, LOCKER, STREAM

FULL_PERCENT: Final = 80
"""From here on a locker is to be emptied before others: what is left fills in an evening."""
ASKED_AT_ONCE: Final = 400
"""Names in one question; SQLite of old takes 999 values."""


@dataclass(frozen=True, slots=True)
class Room:
    """Doors of one size. ``used``: something lies, or may lie, behind them; ``broken``: out of service."""

    doors: int = 0
    used: int = 0
    broken: int = 0

    @property
    def free(self) -> int:
        return self.doors - self.used - self.broken

    @property
    def percent(self) -> int:
        """Of the doors that work. With none that works it is full."""
        working = self.doors - self.broken
        return round(100 * self.used / working) if working else 100

    def __add__(self, other: "Room") -> "Room":
        return Room(self.doors + other.doors, self.used + other.used, self.broken + other.broken)


@dataclass(frozen=True, slots=True)
class Glance:
    """One locker. Times are wall ms, 0 for never."""

    locker: str
    area: str
    presence: str
    last_heard_ms: int
    rooms: Mapping[str, Room]
    """By size."""
    alarms: int
    """Kinds of trouble that nobody has taken note of yet."""
    latest_alarm: str
    unsynced: int
    """Entries that the locker has and the hub does not."""
    untold: int
    """State entries of the hub that the locker does not have."""
    clock: str
    disk_used_percent: int
    software: str
    mark: str
    """Why its present history is not the whole one; empty while well."""

    @property
    def room(self) -> Room:
        return sum(self.rooms.values(), Room())


@dataclass(frozen=True, slots=True)
class _Heavy:
    """What is only asked again when the locker said something. ``said`` is what it had said by then."""

    said: tuple[Any, ...]
    rooms: Mapping[str, Room]
    clock: str
    disk_used_percent: int


@dataclass(frozen=True, slots=True)
class _Light:
    """Of what a glance was made, and within which time (wall ms) it stays so where nothing new comes."""

    row: Row[Any]
    raised: tuple[Any, ...] | None
    from_ms: float
    until_ms: float


@dataclass(slots=True)
class Board:
    """``rows`` by name, as of the last `refresh`."""

    rows: dict[str, Glance] = field(default_factory=dict)
    _heavy: dict[str, _Heavy] = field(default_factory=dict)
    _light: dict[str, _Light] = field(default_factory=dict)

    def refresh(self, connection: Connection, now_ms: int) -> list[Glance]:
        """Bring it up; the rows that are not what they were."""
        raised: dict[str, tuple[Any, ...]] = {row[0]: tuple(row) for row in connection.execute(_RAISED)}
        # Most have said nothing since: what they were made of is compared, and nothing is made of it again.
        moved = [
            row
            for row in connection.execute(_LIGHT).all()
            if (before := self._light.get(row[0])) is None
            or before.row != row
            or before.raised != raised.get(row[0])
            or not before.from_ms < now_ms <= before.until_ms
        ]
        self._ask(connection, [row for row in moved if self._said_more(row)])
        changed = []
        for row in moved:
            alarm = raised.get(row.locker)
            self._light[row.locker] = _Light(row, alarm, *_lasting(row, now_ms))
            glance = _glance(row, self._heavy[row.locker], alarm, now_ms)
            if self.rows.get(row.locker) != glance:
                self.rows[row.locker] = glance
                changed.append(glance)
        return changed

    def _said_more(self, row: Row[Any]) -> bool:
        before = self._heavy.get(row.locker)
        return before is None or before.said != _said(row)

    def _ask(self, connection: Connection, wanted: list[Row[Any]]) -> None:
        names = [row.locker for row in wanted]
        rooms, states = rooms_of(connection, names), _states(connection, names)
        for row in wanted:
            state = states.get(row.locker, {})
            self._heavy[row.locker] = _Heavy(
                _said(row),
                rooms.get(row.locker, {}),
                str(state.get("tq", "")),
                int(state.get("disk_used_percent", 0)),
            )


def rooms_of(connection: Connection, names: Iterable[str]) -> dict[str, dict[str, Room]]:
    """By locker and size."""
    found: dict[str, dict[str, Room]] = defaultdict(dict)
    for part in _parts(names):
        for row in connection.execute(_ROOMS.where(COMPARTMENT.c.locker.in_(part))).all():
            found[row.locker][row.size] = Room(row.doors, row.used, row.broken)
    return found


def _states(connection: Connection, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What each last said of itself at a glance."""
    found = {}
    for part in _parts(names):
        texts = select(LOCKER.c.locker, LOCKER.c.state_text).where(LOCKER.c.locker.in_(part))
        for row in connection.execute(texts).all():
            found[row.locker] = json.loads(row.state_text or "{}")
    return found


def _parts(names: Iterable[str]) -> Iterable[Collection[str]]:
    every = list(names)
    return (every[n : n + ASKED_AT_ONCE] for n in range(0, len(every), ASKED_AT_ONCE))


def _said(row: Row[Any]) -> tuple[Any, ...]:
    return (row.epoch, row.stored_to, row.last_heard_ms)


def _lasting(row: Row[Any], now_ms: int) -> tuple[float, float]:
    """After when and until when its presence is what it is now."""
    if not row.online:
        return -math.inf, math.inf
    stale_ms, gone_ms = row.last_heard_ms + FRESH_MS, row.last_heard_ms + GONE_MS
    match presence(row, now_ms):
        case Presence.ONLINE:
            return -math.inf, stale_ms
        case Presence.STALE:
            return stale_ms, gone_ms
        case Presence.OFFLINE:
            return gone_ms, math.inf


def _glance(row: Row[Any], heavy: _Heavy, raised: tuple[Any, ...] | None, now_ms: int) -> Glance:
    return Glance(
        locker=row.locker,
        area=row.area,
        presence=presence(row, now_ms).value,
        last_heard_ms=row.last_heard_ms,
        rooms=heavy.rooms,
        alarms=raised[2] if raised else 0,
        latest_alarm=raised[1] if raised else "",
        unsynced=max(0, row.head - (row.stored_to or 0)),
        untold=max(0, row.dn_head - row.dn_stored_to),
        clock=heavy.clock,
        disk_used_percent=heavy.disk_used_percent,
        software=row.software,
        mark=row.mark or "",
    )


# --- the questions ---

_own, _stream = LOCKER.c, STREAM.c
_LIGHT: Final[Select[Any]] = (
    select(
        _own.locker,
        _own.area,
        _own.online,
        _own.last_heard_ms,
        _own.epoch,
        _own.head,
        _own.software,
        _own.dn_head,
        _own.dn_stored_to,
        _stream.stored_to,
        _stream.mark,
    )
    .select_from(LOCKER.outerjoin(STREAM, and_(_stream.locker == _own.locker, _stream.epoch == _own.epoch)))
    .order_by(_own.locker)
)

_open: Final = (
    select(ALARM.c.locker, ALARM.c.number, ALARM.c.last_ms, ALARM.c.kind)
    .select_from(ALARM.outerjoin(ALARM_SEEN, ALARM_SEEN.c.number == ALARM.c.number))
    .where(ALARM.c.count > func.coalesce(ALARM_SEEN.c.times, 0))
    .subquery()
)
_ranked: Final = select(
    _open.c.locker,
    _open.c.kind,
    func.count().over(partition_by=_open.c.locker).label("open"),
    func.row_number()
    .over(partition_by=_open.c.locker, order_by=(_open.c.last_ms.desc(), _open.c.number.desc()))
    .label("place"),
).subquery()
_RAISED: Final[Select[Any]] = select(_ranked.c.locker, _ranked.c.kind, _ranked.c.open).where(
    _ranked.c.place == 1
)
"""For each locker with open alarms: how many, and the kind of the latest."""

_door: Final = COMPARTMENT.c
_something: Final = (_door.doubt != "") | (_door.deposit != "")
_broken: Final = (_door.fault != "") | (_door.blocked != "") | (~_something & (_door.barred != ""))
_used: Final = ~_broken & _something
_ROOMS: Final[Select[Any]] = (
    select(
        _door.locker,
        _door.size,
        func.count().label("doors"),
        func.sum(case((_broken, 1), else_=0)).label("broken"),
        func.sum(case((_used, 1), else_=0)).label("used"),
    )
    .where(_door.configured)
    .group_by(_door.locker, _door.size)
)
"""In the words of `sync.central.queries`: faulty and blocked first, then what lies or may lie in it."""
