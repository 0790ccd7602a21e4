"""Complaints with every step of theirs, ratings, and what was learnt. Times are wall ms.

Call-back numbers lie here sealed; names are masked; long numbers that somebody typed are blotted out.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Integer, Text
from sqlmodel import Field

from sync.central.tables import Base, table_of

# SQLite numbers rows by itself only where the column is called INTEGER.
_ROW_NUMBER: Any = BigInteger().with_variant(Integer(), "sqlite")


def _key(**more: Any) -> Any:
    return Field(primary_key=True, **more)


def _big(default: int = 0) -> Any:
    return Field(default=default, sa_type=BigInteger)


def _text(default: str = "") -> Any:
    return Field(default=default, sa_type=Text)


class ComplaintRow(Base, table=True):
    """One thing that somebody could not get done."""

    __tablename__: ClassVar[str] = "complaint"
    __table_args__ = (
        Index("complaint_state", "state", "next_ms"),
        Index("complaint_made", "made_ms", "complaint"),
        Index("complaint_source", "source"),
    )

    complaint: str = _key()
    """Unguessable: whoever has it may say whether it is solved."""
    source: str = ""
    """What it rests on, so that one trouble is one complaint: ``locker/deposit/category``, ``rating/…``."""
    origin: str
    category: str
    area: str
    locker: str = ""
    case_number: str = ""
    text: str = _text()
    context: str = _text("{}")
    name: str = ""
    """Masked."""
    phone: str = ""
    """Masked."""
    contact_sealed: str = _text()
    """``{"phone"}`` for the hub's own seal key; empty where nobody can be called."""
    state: str = "registered"
    assignee: str = ""
    solution: str = _text()
    level: int = 0
    """How often its time was over: `policy.LEVELS_MAX`."""
    made_ms: int = _big()
    opened_ms: int = _big()
    """Made, or last opened again: calls count from here."""
    due_ms: int = _big()
    """By when what its state asks for is to be done; 0 once it is closed."""
    next_ms: int = _big()
    """When it is to be escalated; 0: not any more."""
    resolved_ms: int = _big()
    closed_ms: int = _big()


class ComplaintStepRow(Base, table=True):
    """What was done, by whom; never changed."""

    __tablename__: ClassVar[str] = "complaint_step"

    complaint: str = _key()
    number: int = _key()
    move: str
    state: str
    """After it."""
    who: str
    note: str = _text()
    at_ms: int = _big()


class RatingRow(Base, table=True):
    """What somebody says of one visit; one each."""

    __tablename__: ClassVar[str] = "rating"
    __table_args__ = (
        Index("rating_subject", "kind", "reference", unique=True),
        Index("rating_at", "at_ms"),
    )

    number: int | None = Field(default=None, primary_key=True, sa_type=_ROW_NUMBER)
    kind: str
    reference: str
    grade: int
    """5 very satisfied … 1 very dissatisfied."""
    text: str = _text()
    locker: str
    service_item: str = ""
    complaint: str = ""
    """The one that a low grade opened."""
    at_ms: int = _big()


class SolutionRow(Base, table=True):
    """How something was put right, told so that it helps with the next of its kind. About nobody."""

    __tablename__: ClassVar[str] = "solution"

    solution: str = _key()
    complaint: str
    category: str
    title: str
    text: str = _text()
    who: str
    at_ms: int = _big()
    withdrawn_ms: int = _big()


COMPLAINT = table_of(ComplaintRow)
COMPLAINT_STEP = table_of(ComplaintStepRow)
RATING = table_of(RatingRow)
SOLUTION = table_of(SolutionRow)
