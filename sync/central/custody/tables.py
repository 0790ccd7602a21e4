"""Who holds what beyond the lockers, and how it came there. Nothing here is ever deleted. Times are wall ms.

A *thing* is what passes from hand to hand: ``papers/LOCKER/DEPOSIT`` that were handed in, ``result/ITEM``.
"""

from typing import ClassVar

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from sync.central import columns
from sync.central.tables import Base, table_of


class HeldRow(Base, table=True):
    """In whose hands a thing is now: the fold of what lockers told and of confirmed hand-overs."""

    __tablename__: ClassVar[str] = "custody_held"
    __table_args__ = (
        Index("custody_held_holder", "holder_kind", "holder"),
        Index("custody_held_case", "case_number"),
        Index("custody_held_round", "round"),
    )

    thing: str = columns.key()
    case_number: str = ""
    area: str = ""
    locker: str = ""
    """The last one that it lay in, or the one that it is for."""
    holder_kind: str = ""
    """See `parties.Kind`."""
    holder: str = ""
    since_ms: int = columns.big()
    confirmed: bool = False
    """Somebody took it over; until then only a locker's word says who has it."""
    window: str = ""
    queue: int = 0
    """Its number at that window; 0 before it was ever handed to one."""
    slip: str = ""
    """Where it is on its way, or missed: it can be handed to nobody else meanwhile."""
    round: str = ""
    """While a helper has it who took it out on a round: the number of its slip, as the locker shows it."""


class SlipRow(Base, table=True):
    """One hand-over, proposed by who gives and settled by who receives."""

    __tablename__: ClassVar[str] = "custody_slip"
    __table_args__ = (Index("custody_slip_state", "state", "proposed_ms"),)

    slip: str = columns.key()
    area: str
    from_kind: str
    from_name: str
    to_kind: str
    to_name: str
    note: str = columns.text()
    proposed_by: str
    proposed_ms: int = columns.big()
    state: str
    settled_by: str = ""
    settled_ms: int = columns.big()


class SlipLineRow(Base, table=True):
    __tablename__: ClassVar[str] = "custody_slip_line"
    __table_args__ = (Index("custody_slip_line_thing", "thing"),)

    slip: str = columns.key()
    thing: str = columns.key()
    case_number: str = ""
    service_item: str = ""
    window: str = ""
    queue: int = 0
    state: str


class QueueRow(Base, table=True):
    """The last number that was given at a window."""

    __tablename__: ClassVar[str] = "custody_queue"

    area: str = columns.key()
    window: str = columns.key()
    number: int


class DifferenceRow(Base, table=True):
    """Something does not agree. Open until somebody has said what came of it."""

    __tablename__: ClassVar[str] = "custody_difference"
    __table_args__ = (Index("custody_difference_open", "resolved_ms", "area"),)

    number: int | None = columns.number()
    room: str
    """Whose business it is: ``hand_over``, ``stocktake`` or ``locker``."""
    kind: str
    area: str
    locker: str = ""
    door: int = 0
    slip: str = ""
    thing: str = ""
    case_number: str = ""
    said: str = columns.text()
    found_by: str
    at_ms: int = columns.big()
    outcome: str = ""
    note: str = columns.text()
    resolved_by: str = ""
    resolved_ms: int = columns.big()


class LookRow(Base, table=True):
    """What people who looked into a compartment found, as its locker told it."""

    __tablename__: ClassVar[str] = "custody_look"
    __table_args__ = (Index("custody_look_at", "at_ms"),)

    locker: str = columns.key()
    epoch: str = columns.key()
    seq: int = columns.big_key()
    door: int
    found: str
    staff: str
    second: str = ""
    case_number: str = ""
    at_ms: int = columns.big()
    """When the hub heard of it."""
    stocktake: str = ""
    """Of which stocktake it was a look; empty for a single one."""


class StocktakeRow(Base, table=True):
    """A stocktake at one locker, as that told it: who began and who ended it, and what it counted."""

    __tablename__: ClassVar[str] = "custody_stocktake"
    __table_args__ = (Index("custody_stocktake_at", "began_ms"),)

    locker: str = columns.key()
    stocktake: str = columns.key()
    epoch: str
    scope: str
    began_by: str
    began_ms: int = columns.big()
    ended_by: str = ""
    ended_ms: int = columns.big()
    counted: str = ""
    """Findings and numbers, ``left`` among them, as JSON; empty before its end."""
    agrees: bool = True
    """Whether the looks that came here add up to what the locker counted."""


class ResolutionRow(Base, table=True):
    """What became of an item that a dead locker held. It refers to the locker's facts and changes none."""

    __tablename__: ClassVar[str] = "custody_resolution"
    __table_args__ = (Index("custody_resolution_deposit", "locker", "deposit"),)

    number: int | None = columns.number()
    locker: str
    deposit: str
    door: int = 0
    case_number: str = ""
    outcome: str
    whereto: str = ""
    taken_by: str = ""
    """Staff number of who took it out."""
    note: str = columns.text()
    who: str
    at_ms: int = columns.big()
    epoch: str = ""
    stored_to: int = columns.big()
    """Up to where the locker's journal was known here at that time."""
    head: int = columns.big()
    """Up to where the locker was known to have written it."""


class FoldedToRow(Base, table=True):
    """How far each epoch of each locker has gone into `HeldRow`."""

    __tablename__: ClassVar[str] = "custody_folded_to"

    locker: str = columns.key()
    epoch: str = columns.key()
    seq: int = Field(sa_type=BigInteger)


HELD = table_of(HeldRow)
SLIP = table_of(SlipRow)
LINE = table_of(SlipLineRow)
QUEUE = table_of(QueueRow)
DIFFERENCE = table_of(DifferenceRow)
LOOK = table_of(LookRow)
STOCKTAKE = table_of(StocktakeRow)
RESOLUTION = table_of(ResolutionRow)
FOLDED_TO = table_of(FoldedToRow)
