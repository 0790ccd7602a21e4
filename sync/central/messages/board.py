"""Messages as staff see them: what waits, what a clerk must tell, what channels took. No number, no code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, case, func, select

from sync.central.access import audit, scope
from sync.central.access.actor import Actor
from sync.central.access.matrix import Action
from sync.central.desk import Desk, Refusal, Refused
from sync.central.messages.tables import ATTEMPT
from sync.central.store import find
from sync.central.tables import NOTICE

LISTED_MAX: Final = 200
DAY_MS: Final = 86_400_000
STATES: Final = ("clerk", "failing", "due", "held", "sent", "superseded")
"""As the page has them. ``failing``: due, and tried in vain at least once."""
REPLAYABLE: Final = frozenset({"clerk", "due", "sent"})


@dataclass(frozen=True, slots=True)
class Way:
    """One channel in the last day."""

    channel: str
    taken: int
    failed: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Board:
    counts: dict[str, int]
    ways: tuple[Way, ...]
    rows: Sequence[Any]


_STATE: Final = case(((NOTICE.c.state == "due") & (NOTICE.c.attempts > 0), "failing"), else_=NOTICE.c.state)
_SHOWN: Final = (
    "key",
    "template",
    "locker",
    "case_number",
    "detail",
    "attempts",
    "next_ms",
    "made_ms",
    "sent_ms",
)
"""Neither what is sealed nor what was filled in."""


def board(connection: Connection, actor: Actor, state: str, now_ms: int) -> Board:
    """Of those that exist for this actor; of one state of `STATES`, the latest first."""
    mine = scope.sees(actor, NOTICE.c.locker)
    counts = select(_STATE.label("shown"), func.count().label("messages")).where(mine).group_by(_STATE)
    latest = (
        select(ATTEMPT.c.channel)
        .where(ATTEMPT.c.notice == NOTICE.c.key)
        .order_by(ATTEMPT.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = (
        select(
            *(NOTICE.c[name] for name in _SHOWN),
            _STATE.label("shown"),
            latest.label("channel"),
            (NOTICE.c.contact_sealed != "").label("reachable"),
        )
        .where(mine, _STATE.in_([state]))
        .order_by(NOTICE.c.made_ms.desc(), NOTICE.c.key)
        .limit(LISTED_MAX)
    )
    return Board(
        {row.shown: row.messages for row in connection.execute(counts).all()},
        tuple(_ways(connection, now_ms)),
        connection.execute(rows).all(),
    )


def _ways(connection: Connection, now_ms: int) -> list[Way]:
    own = ATTEMPT.c
    taken = func.sum(case((own.outcome == "", 1), else_=0))
    query = (
        select(
            own.channel, taken.label("taken"), func.count().label("tries"), func.max(own.at_ms).label("last")
        )
        .where(own.at_ms > now_ms - DAY_MS)
        .group_by(own.channel)
        .order_by(own.channel)
    )
    return [
        Way(row.channel, int(row.taken), row.tries - int(row.taken), row.last)
        for row in connection.execute(query).all()
    ]


def replay(connection: Connection, desk: Desk, actor: Actor, key: str, now_ms: int) -> None:
    """It is due once more, for a day, by every channel from the first on. Raises Refused."""
    row = find(connection, NOTICE, {"key": key})
    if row is None or not _exists_for(connection, actor, row):
        raise Refused(Refusal.UNKNOWN_MESSAGE, "no such message")
    if row.state not in REPLAYABLE or not row.contact_sealed:
        raise Refused(Refusal.NOT_NOW, "it is over, or nobody's number is known; a person has to tell them")
    # Whoever presses this has somebody before them.
    values = {"state": "due", "detail": "", "made_ms": now_ms, "next_ms": now_ms, "urgent": True}
    connection.execute(NOTICE.update().where(NOTICE.c.key == key).values(values))
    desk.bell.ring(desk.clock.mono_ms())
    detail = {"template": row.template, "locker": row.locker}
    audit.write(connection, now_ms, actor, Action.REPLAY_MESSAGE, row.case_number, detail)


def _exists_for(connection: Connection, actor: Actor, row: Row[Any]) -> bool:
    where = [NOTICE.c.key == row.key, scope.sees(actor, NOTICE.c.locker)]
    return connection.execute(select(NOTICE.c.key).where(*where)).first() is not None
