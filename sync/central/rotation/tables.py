"""What each locker was told of the centre's keys, and what it said that it holds."""

from typing import ClassVar

from sync.central import columns
from sync.central.tables import Base, table_of


class CentreKeys(Base, table=True):
    """Canonical JSON of ``keys`` and ``retired``; empty: nothing yet."""

    __tablename__: ClassVar[str] = "centre_keys"

    locker: str = columns.key()
    said: str = columns.text()
    said_ms: int = columns.big()
    held: str = columns.text()
    held_ms: int = columns.big()
    """When that entry of its journal was stored here."""


CENTRE_KEYS = table_of(CentreKeys)
