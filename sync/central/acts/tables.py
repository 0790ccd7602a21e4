"""Acts and their approvals. Kept for good: who asked, who agreed to what, what came of it.

Times are wall ms. ``reason`` was typed by a person; what looks like a phone or a code is refused in it.
"""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from sync.central.tables import Base, table_of


def _key() -> Any:
    return Field(primary_key=True)


def _big() -> Any:
    return Field(default=0, sa_type=BigInteger)


def _text() -> Any:
    return Field(default="", sa_type=Text)


class ActRow(Base, table=True):
    """One act, from the request on."""

    __tablename__: ClassVar[str] = "act"
    __table_args__ = (Index("act_locker", "locker", "aseq"), Index("act_state", "state", "since_ms"))

    act: str = _key()
    """Its ``cmd_id`` on the wire."""
    locker: str
    kind: str
    door: int = 0
    reason: str = _text()
    nonce: str = ""
    case_number: str = ""
    """Of what lay behind the door when it was asked for."""
    requested_by: str = ""
    """Empty: a locker told of it, and nobody here knows it."""
    requested_ms: int = _big()
    agreed_ms: int = _big()
    """The second approval; 0 before."""
    aseq: int = _big()
    """0 before it was sent."""
    state: str = ""
    why: str = ""
    since_ms: int = _big()
    """When this state began."""


class ApprovalRow(Base, table=True):
    """One person's word. The key keeps anybody from giving it twice."""

    __tablename__: ClassVar[str] = "act_approval"

    act: str = _key()
    who: str = _key()
    at_ms: int = _big()


ACT = table_of(ActRow)
APPROVAL = table_of(ApprovalRow)
