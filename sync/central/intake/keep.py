"""What time and the lockers make of papers that are owed: came, taken back, overdue, to be reminded of.

Asked of the database every half minute, so that taking in entries costs nothing more for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, bindparam, exists, select

from locker.domain.deposit import Phase
from sync.central import store
from sync.central.access.actor import HUB
from sync.central.desk import Desk, note
from sync.central.intake import owed, stages, words
from sync.central.intake.stages import Signal, State
from sync.central.intake.tables import OWED, TOP_UP
from sync.central.presence import Presence, presence
from sync.central.store import Store
from sync.central.tables import DEPOSIT, LOCKER, STREAM

EVERY_MS: Final = 30_000
PATIENCE_MS: Final = 3 * stages.DAY_MS
"""After a deadline, for a locker that cannot tell yet what was handed in before it."""
_IN: Final = (Phase.AWAITING_INTAKE.value, Phase.TAKEN_IN.value)
_OPEN: Final = tuple(sorted(state.value for state in stages.OPEN))
_RUNNING: Final = tuple(sorted(state.value for state in stages.RUNNING))


@dataclass(frozen=True, slots=True)
class _Step:
    """What happened to one row. ``authorisation``: the top-up by which."""

    row: Row[Any]
    signal: Signal | None
    """None: to be reminded of."""
    authorisation: str = ""


async def keep(kept: Store, desk: Desk) -> None:
    """Until cancelled."""
    while True:
        await settle(kept, desk)
        await desk.clock.sleep_until(desk.clock.mono_ms() + EVERY_MS)


async def settle(kept: Store, desk: Desk) -> int:
    """One pass; how many changed. An idle hub leaves its disk alone."""
    now_ms = desk.clock.wall_ms()
    if not await kept.read(lambda connection: any(True for _ in _steps(connection, now_ms))):
        return 0
    return await kept.write(lambda connection: settle_in(connection, desk))


def settle_in(connection: Connection, desk: Desk) -> int:
    """The same in a transaction."""
    now_ms = desk.clock.wall_ms()
    steps = list(_steps(connection, now_ms))
    for step in steps:
        _take(connection, desk, step, now_ms)
    return len(steps)


def _steps(connection: Connection, now_ms: int) -> Iterator[_Step]:
    """At most one for each row: what follows is seen the next time."""
    moved: set[str] = set()
    for query, signal in ((_CAME, Signal.TOP_UP), (_TAKEN_BACK, Signal.TAKE_BACK)):
        for row in connection.execute(query).all():
            if row.owed not in moved and stages.may(State(row.state), signal):
                moved.add(row.owed)
                yield _Step(row, signal, row.by)
    for row in connection.execute(_TIMED, {"near": now_ms + max(stages.REMIND_BEFORE_MS)}):
        if row.owed in moved:
            continue
        if row.deadline_ms <= now_ms:
            if not _may_still_tell(connection, row, now_ms):
                yield _Step(row, Signal.LAPSE)
        elif stages.reminder_due(row.deadline_ms, row.reminded_ms, now_ms):
            yield _Step(row, None)


def _take(connection: Connection, desk: Desk, step: _Step, now_ms: int) -> None:
    row = step.row
    if step.signal is None:
        store.change(connection, OWED, {"owed": row.owed}, {"reminded_ms": now_ms})
        owed.tell(connection, desk, row, words.OWED_REMINDER)
        return
    state = stages.NEXT[State(row.state), step.signal]
    store.change(connection, OWED, {"owed": row.owed}, {"state": state.value, "since_ms": now_ms})
    detail: dict[str, str | int] = {"locker": row.locker, "owed": row.kind}
    if step.authorisation:
        came_ms = now_ms if step.signal is Signal.TOP_UP else 0
        store.change(connection, TOP_UP, {"authorisation": step.authorisation}, {"came_ms": came_ms})
        detail["authorisation"] = step.authorisation
    if step.signal is Signal.LAPSE:
        detail["papers"] = words.names(stages.lacking(stages.read(row.papers)))
        owed.tell(connection, desk, row, words.OWED_OVERDUE)
    note(connection, row.case_number, _KINDS[step.signal], row.owed, HUB.who, now_ms, **detail)


_KINDS: Final = {
    Signal.TOP_UP: "topped_up",
    Signal.TAKE_BACK: "top_up_taken_back",
    Signal.LAPSE: "owed_overdue",
}


def _may_still_tell(connection: Connection, row: Row[Any], now_ms: int) -> bool:
    """Whether papers may lie in a locker that has not told us: nobody is then called late yet."""
    if now_ms - row.deadline_ms > PATIENCE_MS:
        return False
    pending = select(TOP_UP.c.authorisation).where(TOP_UP.c.owed == row.owed, TOP_UP.c.came_ms == 0)
    if connection.execute(pending).first() is None:
        return False
    # Its token opens any locker of the area.
    stored = and_(STREAM.c.locker == LOCKER.c.locker, STREAM.c.epoch == LOCKER.c.epoch)
    query = select(LOCKER, STREAM.c.stored_to).outerjoin(STREAM, stored).where(LOCKER.c.area == row.area)
    return any(
        locker.epoch
        and (presence(locker, now_ms) is not Presence.ONLINE or (locker.stored_to or 0) < locker.head)
        for locker in connection.execute(query)
    )


def _by_top_up(*where: Any) -> Select[Any]:
    stay = DEPOSIT.c
    used = and_(stay.case_number == OWED.c.case_number, stay.authorisation == TOP_UP.c.authorisation)
    joined = OWED.join(TOP_UP, TOP_UP.c.owed == OWED.c.owed).join(DEPOSIT, used)
    return (
        select(OWED, TOP_UP.c.authorisation.label("by"))
        .select_from(joined)
        .where(OWED.c.state.in_(_OPEN), *where)
        .order_by(OWED.c.owed, TOP_UP.c.authorisation)
    )


_CAME: Final = _by_top_up(TOP_UP.c.came_ms == 0, DEPOSIT.c.phase.in_(_IN))
_AGAIN: Final = DEPOSIT.alias("again")
_TAKEN_BACK: Final = _by_top_up(
    TOP_UP.c.came_ms != 0,
    DEPOSIT.c.phase == Phase.TAKEN_BACK.value,
    # The same code may have handed them in once more.
    ~exists().where(
        _AGAIN.c.case_number == OWED.c.case_number,
        _AGAIN.c.authorisation == TOP_UP.c.authorisation,
        _AGAIN.c.phase.in_(_IN),
    ),
)
_TIMED: Final = select(OWED).where(
    OWED.c.state.in_(_RUNNING),
    OWED.c.deadline_ms <= bindparam("near"),
)
