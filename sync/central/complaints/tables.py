"""Complaints with every step of theirs, ratings, and what was learnt. Times are wall ms.

Call-back numbers lie here sealed; names are masked; long numbers that somebody typed are blotted out.
"""

from typing import ClassVar

from sqlalchemy import Index

from sync.central import columns
from sync.central.tables import Base, table_of


class ComplaintRow(Base, table=True):
    """One thing that somebody could not get done."""

    __tablename__: ClassVar[str] = "complaint"
    __table_args__ = (
        Index("complaint_state", "state", "next_ms"),
        Index("complaint_made", "made_ms", "complaint"),
        Index("complaint_source", "source"),
    )

    complaint: str = columns.key()
    """Unguessable: whoever has it may say whether it is solved."""
    source: str = ""
    """What it rests on, so that one trouble is one complaint: ``locker/deposit/category``, ``rating/…``."""
    origin: str
    category: str
    area: str
    locker: str = ""
    case_number: str = ""
    text: str = columns.text()
    context: str = columns.text("{}")
    name: str = ""
    """Masked."""
    phone: str = ""
    """Masked."""
    contact_sealed: str = columns.text()
    """``{"phone"}`` for the hub's own seal key; empty where nobody can be called."""
    state: str = "registered"
    assignee: str = ""
    solution: str = columns.text()
    level: int = 0
    """How often its time was over: `policy.LEVELS_MAX`."""
    made_ms: int = columns.big()
    opened_ms: int = columns.big()
    """Made, or last opened again: calls count from here."""
    due_ms: int = columns.big()
    """By when what its state asks for is to be done; 0 once it is closed."""
    next_ms: int = columns.big()
    """When it is to be escalated; 0: not any more."""
    resolved_ms: int = columns.big()
    closed_ms: int = columns.big()


class ComplaintStepRow(Base, table=True):
    """What was done, by whom; never changed."""

    __tablename__: ClassVar[str] = "complaint_step"

    complaint: str = columns.key()
    number: int = columns.key()
    move: str
    state: str
    """After it."""
    who: str
    note: str = columns.text()
    at_ms: int = columns.big()


class RatingRow(Base, table=True):
    """What somebody says of one visit; one each."""

    __tablename__: ClassVar[str] = "rating"
    __table_args__ = (
        Index("rating_subject", "kind", "reference", unique=True),
        Index("rating_at", "at_ms"),
    )

    number: int | None = columns.number()
    kind: str
    reference: str
    grade: int
    """5 very satisfied … 1 very dissatisfied."""
    text: str = columns.text()
    locker: str
    service_item: str = ""
    complaint: str = ""
    """The one that a low grade opened."""
    at_ms: int = columns.big()


class SolutionRow(Base, table=True):
    """How something was put right, told so that it helps with the next of its kind. About nobody."""

    __tablename__: ClassVar[str] = "solution"

    solution: str = columns.key()
    complaint: str
    category: str
    title: str
    text: str = columns.text()
    who: str
    at_ms: int = columns.big()
    withdrawn_ms: int = columns.big()


COMPLAINT = table_of(ComplaintRow)
COMPLAINT_STEP = table_of(ComplaintStepRow)
RATING = table_of(RatingRow)
SOLUTION = table_of(SolutionRow)
