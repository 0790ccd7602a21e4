"""How far the daily walk has come, so that each entry is looked at once."""

from typing import ClassVar

from sync.central import columns
from sync.central.tables import Base, table_of


class ForgottenToRow(Base, table=True):
    __tablename__: ClassVar[str] = "forgotten_to"

    locker: str = columns.key()
    stream: str = columns.key()
    """An epoch of its up-log, or empty: its down-log."""
    mark: int = columns.big()
    """Up to which entry; of the down-log, made up to when."""


FORGOTTEN_TO = table_of(ForgottenToRow)
