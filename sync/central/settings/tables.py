"""Wishes, and what each locker was told and holds. Values are canonical JSON; times are wall ms."""

from typing import ClassVar

from sync.central import columns
from sync.central.tables import Base, table_of


class SettingWish(Base, table=True):
    """One value for all lockers of a place; of several for one locker the nearest counts."""

    __tablename__: ClassVar[str] = "setting_wish"

    level: str = columns.key()
    """``fleet``, ``area``, ``locker``."""
    place: str = columns.key()
    """Which area, which locker; empty for the fleet."""
    name: str = columns.key()
    value: str = columns.text()
    who: str = ""
    at_ms: int = columns.big()


class LockerSettings(Base, table=True):
    """One locker: the latest version that it was told, and what it reported last."""

    __tablename__: ClassVar[str] = "locker_settings"

    locker: str = columns.key()
    version: int = columns.big()
    """Of what was said last; 0: nothing was ever said."""
    said: str = columns.text("{}")
    said_ms: int = columns.big()
    held_version: int = columns.big()
    held: str = columns.text("{}")
    """Every setting as it is in force there."""
    given: str = columns.text("[]")
    """The names of those that are in force because the centre said so."""
    held_ms: int = columns.big()
    """0: it has never reported."""
    refused: str = columns.text("[]")
    """Of ``version``: lists of name, value and why."""


SETTING_WISH = table_of(SettingWish)
LOCKER_SETTINGS = table_of(LockerSettings)
