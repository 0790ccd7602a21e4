"""Acts and their approvals. Kept for good: who asked, who agreed to what, what came of it.

Times are wall ms. ``reason`` was typed by a person; what looks like a phone or a code is refused in it.
"""

from typing import ClassVar

from sqlalchemy import Index

from sync.central import columns
from sync.central.tables import Base, table_of


class ActRow(Base, table=True):
    """One act, from the request on."""

    __tablename__: ClassVar[str] = "act"
    __table_args__ = (Index("act_locker", "locker", "aseq"), Index("act_state", "state", "since_ms"))

    act: str = columns.key()
    """Its ``cmd_id`` on the wire."""
    locker: str
    kind: str
    door: int = 0
    reason: str = columns.text()
    nonce: str = ""
    case_number: str = ""
    """Of what lay behind the door when it was asked for."""
    requested_by: str = ""
    """Empty: a locker told of it, and nobody here knows it."""
    requested_ms: int = columns.big()
    agreed_ms: int = columns.big()
    """The second approval; 0 before."""
    aseq: int = columns.big()
    """0 before it was sent."""
    state: str = ""
    why: str = ""
    since_ms: int = columns.big()
    """When this state began."""


class ApprovalRow(Base, table=True):
    """One person's word. The key keeps anybody from giving it twice."""

    __tablename__: ClassVar[str] = "act_approval"

    act: str = columns.key()
    who: str = columns.key()
    at_ms: int = columns.big()


ACT = table_of(ActRow)
APPROVAL = table_of(ApprovalRow)
