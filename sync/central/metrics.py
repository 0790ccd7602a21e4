"""What machines watch the hub by: ``/metrics`` for Prometheus, ``/readyz`` for whoever sends people here."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, Response

from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.fleet.board import Glance
from sync.central.fleet.watch import Watch
from sync.central.presence import Presence
from sync.central.tables import NOTICE, STREAM

FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"
STATES: Final = ("held", "due", "clerk")
"""Of messages that are not done with."""

Health = Callable[[], tuple[bool, Mapping[str, int]]]
"""Whether the broker is there, and what was dropped so far, by kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One look at everything that is told."""

    rows: Sequence[Glance]
    broker: bool
    dropped: Mapping[str, int]
    messages: Mapping[str, int]
    stored: int

    def collect(self) -> Iterator[Metric]:
        """As `prometheus_client` wants a collector."""
        states = Counter(row.presence for row in self.rows)
        yield _by("doclocker_lockers", "Lockers by state", "state", {p.value: states[p] for p in Presence})
        yield _by("doclocker_messages", "Messages to people that wait", "state", self.messages)
        yield _one("doclocker_broker_up", "1 while the hub is connected to the broker", int(self.broker))
        yield _one("doclocker_unsynced_entries", "Entries lockers have and the hub has not", self._unsynced)
        yield _one(
            "doclocker_alarms_open", "Alarms nobody has taken note of", sum(r.alarms for r in self.rows)
        )
        for name, what, value in (
            ("doclocker_occupied_percent", "Doors in use, of those that work", lambda r: r.room.percent),
            ("doclocker_disk_used_percent", "Disk used on the locker", lambda r: r.disk_used_percent),
            ("doclocker_last_heard_seconds", "When it was last heard, Unix time", _heard_s),
        ):
            yield _of_each(name, what, self.rows, value)
        yield CounterMetricFamily(
            "doclocker_entries_stored", "Entries of all journals stored here", self.stored
        )
        dropped = CounterMetricFamily("doclocker_frames_dropped", "Frames that fit no rule", labels=["kind"])
        for kind, count in sorted(self.dropped.items()):
            dropped.add_metric([kind], count)
        yield dropped

    @property
    def _unsynced(self) -> int:
        return sum(row.unsynced for row in self.rows)


def add(app: FastAPI, watch: Watch, gate: Gate, health: Health) -> None:
    sees_lockers = Depends(gate.allowed(Action.SEE_LOCKERS))

    @app.get("/metrics", include_in_schema=False)
    async def metrics(actor: Annotated[Actor, sees_lockers]) -> Response:
        """Of the lockers that exist for this key."""
        _, rows = await watch.since(0, actor.sees)
        broker, dropped = health()
        messages, stored = await watch.store.read(_sums)
        reading = Reading(rows, broker, dropped, messages, stored)
        return Response(exposition(reading), media_type=FORMAT)

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        """200 while the database answers and the broker is there; 503 tells which does not."""
        broker, _ = health()
        try:
            await watch.store.read(lambda connection: connection.execute(select(1)))
            database = True
        except SQLAlchemyError:
            database = False
        return JSONResponse({"database": database, "broker": broker}, 200 if database and broker else 503)


def exposition(reading: Reading) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(reading)
    return generate_latest(registry)


def _sums(connection: Connection) -> tuple[dict[str, int], int]:
    waiting = (
        select(NOTICE.c.state, func.count().label("waiting"))
        .where(NOTICE.c.state.in_(STATES))
        .group_by(NOTICE.c.state)
    )
    found = {row.state: row.waiting for row in connection.execute(waiting).all()}
    stored = connection.execute(select(func.coalesce(func.sum(STREAM.c.stored_to), 0))).scalar_one()
    return {state: found.get(state, 0) for state in STATES}, int(stored)


def _one(name: str, what: str, value: int) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, value)


def _by(name: str, what: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _of_each(
    name: str, what: str, rows: Iterable[Glance], value: Callable[[Glance], float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=["locker", "area"])
    for row in rows:
        family.add_metric([row.locker, row.area], value(row))
    return family


def _heard_s(row: Glance) -> float:
    return row.last_heard_ms / 1000
