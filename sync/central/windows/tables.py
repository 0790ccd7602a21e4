"""Windows and departments of each area, and whose accounts stand at them. Nothing is deleted. Wall ms."""

from typing import ClassVar

from sqlalchemy import Index

from sync.central import columns
from sync.central.tables import Base, table_of


class PlaceRow(Base, table=True):
    """One window or department. Its name may change, its id never."""

    __tablename__: ClassVar[str] = "place"
    __table_args__ = (Index("place_area", "area", "kind"),)

    place: str = columns.key()
    kind: str
    """``window`` or ``department``."""
    area: str
    name: str
    made_by: str
    made_ms: int = columns.big()
    ended_ms: int = columns.big()


class PlaceAccountRow(Base, table=True):
    """This account stands at this place."""

    __tablename__: ClassVar[str] = "place_account"

    place: str = columns.key()
    account: str = columns.key()


class StaffAccountRow(Base, table=True):
    """The helper with this staff number is the person of this account."""

    __tablename__: ClassVar[str] = "staff_account"

    staff: str = columns.key()
    account: str


class CaseDepartmentRow(Base, table=True):
    """Which department a case is with. No row: nobody has said."""

    __tablename__: ClassVar[str] = "case_department"

    area: str = columns.key()
    case_number: str = columns.key()
    place: str
    who: str
    at_ms: int = columns.big()


PLACE = table_of(PlaceRow)
CASE_DEPARTMENT = table_of(CaseDepartmentRow)
PLACE_ACCOUNT = table_of(PlaceAccountRow)
STAFF_ACCOUNT = table_of(StaffAccountRow)
