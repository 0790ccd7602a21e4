"""How cases stand at the office, and which papers are owed to them.

Names are masked, as everywhere here. A case is of an area: who hands something in elsewhere under a guessed
number touches nothing of it. Times are wall ms.
"""

from typing import ClassVar

from sqlalchemy import Index

from sync.central import columns
from sync.central.tables import Base, table_of


class OwedRow(Base, table=True):
    """A supplement request, or papers deferred by a promise: see `stages`."""

    __tablename__: ClassVar[str] = "owed"
    __table_args__ = (
        Index("owed_case", "case_number"),
        Index("owed_state", "kind", "state", "deadline_ms"),
    )

    owed: str = columns.key()
    kind: str
    area: str
    case_number: str
    authorisation: str
    """The latest of the case when this was made: whom it is about, and their phone."""
    locker: str
    """Of that authorisation: who sees it sees this."""
    service_item: str
    name: str
    state: str
    since_ms: int = columns.big()
    papers: str = columns.text()
    """`stages.written`."""
    deadline_ms: int = columns.big()
    """Of the first paper that still lacks; 0 where none does."""
    consequence: str = columns.text()
    """What follows if they do not come, as the applicant is told."""
    again: str = columns.text()
    """Why something was asked for a second time."""
    reason: str = columns.text()
    """Of the last decision about it."""
    promised_by: str = ""
    promised_how: str = ""
    """``signed`` or ``online``."""
    promise: str = columns.text()
    """Where the applicant's own words are: of the sheet, or of the record in the city's system."""
    department: str = ""
    """In whose name it goes out, by the register; empty for none."""
    reminded_ms: int = columns.big()
    made_by: str
    made_ms: int = columns.big()


class TopUpRow(Base, table=True):
    """An authorisation by which papers that are owed may be handed in."""

    __tablename__: ClassVar[str] = "top_up"
    __table_args__ = (Index("top_up_owed", "owed"),)

    authorisation: str = columns.key()
    owed: str
    made_ms: int = columns.big()
    came_ms: int = columns.big()
    """When this hub knew that it was used; 0 before."""


class StandingRow(Base, table=True):
    """What the office has last found or decided of a case. No row: nothing yet."""

    __tablename__: ClassVar[str] = "standing"

    area: str = columns.key()
    case_number: str = columns.key()
    standing: str
    remark: str = columns.text()
    who: str
    at_ms: int = columns.big()


OWED = table_of(OwedRow)
TOP_UP = table_of(TopUpRow)
STANDING = table_of(StandingRow)
