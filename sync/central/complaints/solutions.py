"""What was learnt from solved complaints: published by a lead, about nobody, found by words."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, or_, select

from sync.central import store
from sync.central.complaints.personal import holds_any
from sync.central.complaints.states import State
from sync.central.complaints.tables import SOLUTION
from sync.central.desk import Desk, Refusal, Refused

TITLE_CHARACTERS_MAX: Final = 80
TEXT_CHARACTERS_MAX: Final = 1000
FOUND_MAX: Final = 50
QUERY_CHARACTERS_MAX: Final = 60
WORDS_MAX: Final = 5


def publish(connection: Connection, desk: Desk, row: Row[Any], title: str, text: str, who: str) -> str:
    """The solution's reference. ``row``: the complaint it was learnt from. Raises Refused."""
    if State(row.state) is not State.SATISFIED:
        raise Refused(Refusal.NOT_MOVABLE, "only what the applicant was satisfied with helps the next")
    if holds_any(title) or holds_any(text):
        raise Refused(
            Refusal.HOLDS_NUMBERS, "take out phone, identity and other long numbers: it is about nobody"
        )
    reference = desk.chance.new_id()
    connection.execute(
        SOLUTION.insert().values(
            solution=reference,
            complaint=row.complaint,
            category=row.category,
            title=title.strip()[:TITLE_CHARACTERS_MAX],
            text=text.strip()[:TEXT_CHARACTERS_MAX],
            who=who,
            at_ms=desk.clock.wall_ms(),
            withdrawn_ms=0,
        )
    )
    return reference


def withdraw(connection: Connection, reference: str, now_ms: int) -> None:
    """Raises Refused."""
    row = store.find(connection, SOLUTION, {"solution": reference})
    if row is None or row.withdrawn_ms:
        raise Refused(Refusal.UNKNOWN_SOLUTION, "no such solution")
    store.change(connection, SOLUTION, {"solution": reference}, {"withdrawn_ms": now_ms})


def found(connection: Connection, words: str = "", category: str = "") -> Sequence[Row[Any]]:
    """The latest first, at most `FOUND_MAX`: those in which every word stands, in title or text.

    Words are parts between spaces, and match anywhere: so Chinese, which has none, is found by any piece.
    """
    own = SOLUTION.c
    query = select(SOLUTION).where(own.withdrawn_ms == 0)
    if category:
        query = query.where(own.category == category)
    for word in words[:QUERY_CHARACTERS_MAX].replace("\0", "").split()[:WORDS_MAX]:
        query = query.where(
            or_(own.title.icontains(word, autoescape=True), own.text.icontains(word, autoescape=True))
        )
    return connection.execute(query.order_by(own.at_ms.desc(), own.solution).limit(FOUND_MAX)).all()


def of(connection: Connection, complaint: str) -> Sequence[Row[Any]]:
    """What was published of one complaint."""
    own = SOLUTION.c
    return connection.execute(
        select(SOLUTION).where(own.complaint == complaint, own.withdrawn_ms == 0).order_by(own.at_ms)
    ).all()
