"""Names, phones and what is sealed leave the rows of cases that ended; numbers, times and outcomes stay."""

import json
from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Connection, Table, or_, select, union

from locker.domain.encoding import canonical
from sync.central.forgetting import ends
from sync.central.forgetting.settings import Personal
from sync.central.intake.tables import OWED
from sync.central.pickups.tables import ENTRUSTMENT
from sync.central.tables import AUTHORISATION, OUTGOING_ITEM

CASES_AT_ONCE: Final = 100
NAMING: Final = ("name", "phone", "phone4_digest")
"""In a state entry: masked words, and four digits of the phone under the locker's key."""
_ROWS: Final[tuple[tuple[Table, str], ...]] = (
    (AUTHORISATION, "authorisation"),
    (OUTGOING_ITEM, "item"),
    (ENTRUSTMENT, "entrustment"),
)
_NOBODY: Final = {"name": "", "phone": "", "sealed": ""}


def page(connection: Connection, after: str) -> Sequence[str]:
    """The next cases in which something personal lies, by their numbers."""
    named = [
        select(table.c.case_number).where(
            table.c.case_number > after, or_(*(table.c[column] != "" for column in _NOBODY))
        )
        for table, _ in _ROWS
    ]
    owed = select(OWED.c.case_number).where(
        OWED.c.case_number > after, (OWED.c.name != "") | (OWED.c.promised_by != "")
    )
    found = union(*named, owed).subquery()
    query = select(found.c.case_number).order_by(found.c.case_number).limit(CASES_AT_ONCE)
    return connection.execute(query).scalars().all()


def forget(connection: Connection, cases: Collection[str], settings: Personal, now_ms: int) -> int:
    """Of those that are over; how many."""
    over = ends.over(connection, cases, settings, now_ms)
    if not over:
        return 0
    for table, key in _ROWS:
        query = select(table.c[key], table.c.directive).where(table.c.case_number.in_(over))
        for row in connection.execute(query).all():
            own = table.update().where(table.c[key] == row[0])
            connection.execute(own.values(**_NOBODY, directive=unnamed(row.directive)))
    named = OWED.update().where(OWED.c.case_number.in_(over))
    connection.execute(named.values(name="", promised_by=""))
    return len(over)


def unnamed(text: str) -> str:
    """A state entry without who it is about."""
    body = json.loads(text)
    body["data"] |= {name: "" for name in NAMING if name in body["data"]}
    return canonical(body)
