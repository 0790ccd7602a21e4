"""Until when papers may come, as the lockers are told: by the right under which they are handed in."""

from collections.abc import Iterable, Iterator

from sqlalchemy import ColumnElement, Connection, select

from locker.domain.events import PapersDue
from locker.domain.ids import AuthorisationId
from sync.central.intake import stages
from sync.central.intake.tables import OWED, TOP_UP
from sync.central.tables import AUTHORISATION


def standing(connection: Connection, locker: str, now_ms: int) -> Iterator[PapersDue]:
    """What is due under the rights that live at a locker."""
    for _, says in _due(connection, AUTHORISATION.c.locker == locker, now_ms):
        yield says


def of(connection: Connection, owed: str, now_ms: int) -> Iterable[tuple[str, PapersDue]]:
    """Whom to tell what of one supplement request or deferral: lockers, each with its entry."""
    return list(_due(connection, OWED.c.owed == owed, now_ms))


def _due(connection: Connection, which: ColumnElement[bool], now_ms: int) -> Iterator[tuple[str, PapersDue]]:
    right = AUTHORISATION.c
    told = (right.locker, right.authorisation, OWED.c.deadline_ms)
    living = [which, right.ended == "", right.valid_until_ms > now_ms, OWED.c.deadline_ms > 0]
    living.append(OWED.c.state.in_(sorted(stages.OPEN)))
    first = OWED.join(AUTHORISATION, right.authorisation == OWED.c.authorisation)
    later = OWED.join(TOP_UP, TOP_UP.c.owed == OWED.c.owed).join(
        AUTHORISATION, right.authorisation == TOP_UP.c.authorisation
    )
    for joined in (first, later):
        query = select(*told).select_from(joined).where(*living).order_by(right.made_ms, right.authorisation)
        for row in connection.execute(query):
            yield row.locker, PapersDue(AuthorisationId(row.authorisation), row.deadline_ms)
