"""A case's trail with what is known of its times, and of what it lacks.

Where a locker's clock was not set, its own counter may still tell: an entry of the same start whose clock was
good fixes them all. Else the time lies between two that are known.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from sync.central import store
from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.notices import TRUSTED
from sync.central.queries import Step
from sync.central.tables import LEDGER, LOCKER, STREAM

LOOKED_AT: Final = 500
"""Entries before and after one without a time."""
HOLES_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was. ``clock``: ``good``, ``reckoned`` by the locker's counter, or ``unset``."""

    at_ms: int
    clock: str = "good"
    not_before_ms: int = 0
    """Of an unset clock; 0: not known."""
    not_after_ms: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    step: Step
    moment: Moment
    lacking_before: int = 0
    """Entries of the locker's journal between this step and the one before that nobody has here."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a locker's part is not the whole: its stream's mark, or ``behind``, ``raw``."""

    locker: str
    why: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Trail:
    steps: tuple[Told, ...]
    doubts: tuple[Doubt, ...]


def trail(connection: Connection, actor: Actor, case: str) -> Trail:
    """Raises Refused."""
    steps = scope.trail(connection, actor, case)
    moments = _Moments(connection)
    holes = {stream: _holes(connection, *stream, *ends) for stream, ends in _streams(steps).items()}
    told = tuple(
        Told(step, moments.of(step), _lacking(holes.get((step.source, step.epoch), []), step))
        for step in steps
    )
    return Trail(told, tuple(_doubts(connection, steps)))


# --- times --------------------------------------------------------------------------------------------------


class _Moments:
    """For one trail: what was found for one start of a locker serves for all its entries."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._anchors: dict[tuple[str, str, int], int] = {}
        """Wall ms at which the counter of a start stood at 0."""

    def of(self, step: Step) -> Moment:
        if not step.epoch or step.quality in TRUSTED:
            return Moment(step.at_ms)
        start = (step.source, step.epoch, step.boot)
        if start in self._anchors:
            return Moment(self._anchors[start] + step.mono_ms, "reckoned")
        before, after = self._near(step, later=False), self._near(step, later=True)
        for found in (before, after):
            if found is not None and found["boot"] == step.boot:
                self._anchors[start] = found["time"] - found["mono"]
                return Moment(self._anchors[start] + step.mono_ms, "reckoned")
        return Moment(
            0,
            "unset",
            before["time"] if before else 0,
            min(after["time"], step.received_ms) if after else step.received_ms,
        )

    def _near(self, step: Step, *, later: bool) -> dict[str, Any] | None:
        """The nearest entry of the stream whose clock was good."""
        own = LEDGER.c
        query = select(own.public).where(own.locker == step.source, own.epoch == step.epoch)
        query = query.where(own.seq > step.seq if later else own.seq < step.seq)
        order = own.seq.asc() if later else own.seq.desc()
        for text in self._connection.execute(query.order_by(order).limit(LOOKED_AT)).scalars():
            if found := _good(text):
                return found
        return None


def _good(text: str) -> dict[str, Any] | None:
    try:
        body = json.loads(text)
    except ValueError:  # what lies here raw may be anything
        return None
    whole = isinstance(body, dict) and all(isinstance(body.get(key), int) for key in ("time", "mono", "boot"))
    return body if whole and body.get("tq") in TRUSTED else None


# --- what is lacking ----------------------------------------------------------------------------------------


def _streams(steps: Sequence[Step]) -> dict[tuple[str, str], tuple[int, int]]:
    """Each locker's epoch in the trail, and from where to where."""
    ends: dict[tuple[str, str], tuple[int, int]] = {}
    for step in steps:
        if step.epoch:
            first, last = ends.get((step.source, step.epoch), (step.seq, step.seq))
            ends[step.source, step.epoch] = (min(first, step.seq), max(last, step.seq))
    return ends


def _holes(connection: Connection, locker: str, epoch: str, first: int, last: int) -> list[tuple[int, int]]:
    """After which seq how many rows are missing here."""
    own = LEDGER.c
    span = [own.locker == locker, own.epoch == epoch, own.seq.between(first, last)]
    if connection.execute(select(func.count()).where(*span)).scalar_one() == last - first + 1:
        return []
    following = func.lead(own.seq).over(order_by=own.seq).label("following")
    pairs = select(own.seq, following).where(*span).subquery()
    query = select(pairs).where(pairs.c.following - pairs.c.seq > 1).order_by(pairs.c.seq)
    rows = connection.execute(query.limit(HOLES_MAX)).all()
    return [(row.seq, row.following - row.seq - 1) for row in rows]


def _lacking(holes: list[tuple[int, int]], step: Step) -> int:
    """Taken out of ``holes``, so that each is told once."""
    found = sum(count for seq, count in holes if seq < step.seq)
    holes[:] = [hole for hole in holes if hole[0] >= step.seq]
    return found


def _doubts(connection: Connection, steps: Sequence[Step]) -> Iterator[Doubt]:
    for locker, epoch in sorted(_streams(steps)):
        stream = store.find(connection, STREAM, {"locker": locker, "epoch": epoch})
        place = store.find(connection, LOCKER, {"locker": locker})
        if stream is not None and stream.mark:
            yield Doubt(locker, stream.mark)
        if stream is not None and place is not None and place.epoch == epoch:
            behind = place.head - stream.stored_to
            if behind > 0:
                yield Doubt(locker, "behind", behind)
        raw = sum(1 for step in steps if (step.source, step.epoch) == (locker, epoch) and step.problem)
        if raw:
            yield Doubt(locker, "raw", raw)
