"""Who holds what beyond the lockers, and how it came there. Nothing here is ever deleted. Times are wall ms.

A *thing* is what passes from hand to hand: ``papers/LOCKER/DEPOSIT`` that were handed in, ``result/ITEM``.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Integer, Text
from sqlmodel import Field

from sync.central.tables import Base, table_of

_ROW_NUMBER: Any = BigInteger().with_variant(Integer(), "sqlite")


def _key() -> Any:
    return Field(primary_key=True)


def _number() -> Any:
    return Field(default=None, primary_key=True, sa_type=_ROW_NUMBER)


def _big_key() -> Any:
    return Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})


def _big() -> Any:
    return Field(default=0, sa_type=BigInteger)


def _text() -> Any:
    return Field(default="", sa_type=Text)


class HeldRow(Base, table=True):
    """In whose hands a thing is now: the fold of what lockers told and of confirmed hand-overs."""

    __tablename__: ClassVar[str] = "custody_held"
    __table_args__ = (
        Index("custody_held_holder", "holder_kind", "holder"),
        Index("custody_held_case", "case_number"),
    )

    thing: str = _key()
    case_number: str = ""
    area: str = ""
    locker: str = ""
    """The last one that it lay in, or the one that it is for."""
    holder_kind: str = ""
    """See `parties.Kind`."""
    holder: str = ""
    since_ms: int = _big()
    confirmed: bool = False
    """Somebody took it over; until then only a locker's word says who has it."""
    window: str = ""
    queue: int = 0
    """Its number at that window; 0 before it was ever handed to one."""
    slip: str = ""
    """Where it is on its way, or missed: it can be handed to nobody else meanwhile."""


class SlipRow(Base, table=True):
    """One hand-over, proposed by who gives and settled by who receives."""

    __tablename__: ClassVar[str] = "custody_slip"
    __table_args__ = (Index("custody_slip_state", "state", "proposed_ms"),)

    slip: str = _key()
    area: str
    from_kind: str
    from_name: str
    to_kind: str
    to_name: str
    note: str = _text()
    proposed_by: str
    proposed_ms: int = _big()
    state: str
    settled_by: str = ""
    settled_ms: int = _big()


class SlipLineRow(Base, table=True):
    __tablename__: ClassVar[str] = "custody_slip_line"
    __table_args__ = (Index("custody_slip_line_thing", "thing"),)

    slip: str = _key()
    thing: str = _key()
    case_number: str = ""
    service_item: str = ""
    window: str = ""
    queue: int = 0
    state: str


class QueueRow(Base, table=True):
    """The last number that was given at a window."""

    __tablename__: ClassVar[str] = "custody_queue"

    area: str = _key()
    window: str = _key()
    number: int


class DifferenceRow(Base, table=True):
    """Something does not agree. Open until somebody has said what came of it."""

    __tablename__: ClassVar[str] = "custody_difference"
    __table_args__ = (Index("custody_difference_open", "resolved_ms", "area"),)

    number: int | None = _number()
    room: str
    """Whose business it is: ``hand_over``, ``stocktake`` or ``locker``."""
    kind: str
    area: str
    locker: str = ""
    door: int = 0
    slip: str = ""
    thing: str = ""
    case_number: str = ""
    said: str = _text()
    found_by: str
    at_ms: int = _big()
    outcome: str = ""
    note: str = _text()
    resolved_by: str = ""
    resolved_ms: int = _big()


class LookRow(Base, table=True):
    """What people who looked into a compartment found, as its locker told it."""

    __tablename__: ClassVar[str] = "custody_look"
    __table_args__ = (Index("custody_look_at", "at_ms"),)

    locker: str = _key()
    epoch: str = _key()
    seq: int = _big_key()
    door: int
    found: str
    staff: str
    second: str = ""
    case_number: str = ""
    at_ms: int = _big()
    """When the hub heard of it."""


class ResolutionRow(Base, table=True):
    """What became of an item that a dead locker held. It refers to the locker's facts and changes none."""

    __tablename__: ClassVar[str] = "custody_resolution"
    __table_args__ = (Index("custody_resolution_deposit", "locker", "deposit"),)

    number: int | None = _number()
    locker: str
    deposit: str
    door: int = 0
    case_number: str = ""
    outcome: str
    whereto: str = ""
    taken_by: str = ""
    """Staff number of who took it out."""
    note: str = _text()
    who: str
    at_ms: int = _big()
    epoch: str = ""
    stored_to: int = _big()
    """Up to where the locker's journal was known here at that time."""
    head: int = _big()
    """Up to where the locker was known to have written it."""


class FoldedToRow(Base, table=True):
    """How far each epoch of each locker has gone into `HeldRow`."""

    __tablename__: ClassVar[str] = "custody_folded_to"

    locker: str = _key()
    epoch: str = _key()
    seq: int = Field(sa_type=BigInteger)


HELD = table_of(HeldRow)
SLIP = table_of(SlipRow)
LINE = table_of(SlipLineRow)
QUEUE = table_of(QueueRow)
DIFFERENCE = table_of(DifferenceRow)
LOOK = table_of(LookRow)
RESOLUTION = table_of(ResolutionRow)
FOLDED_TO = table_of(FoldedToRow)
