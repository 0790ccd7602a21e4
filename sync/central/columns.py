"""Columns as every room's tables have them, in words of one meaning on both databases."""

from typing import Any, Final

from sqlalchemy import BigInteger, Integer, Text
from sqlmodel import Field

# SQLite numbers rows by itself only where the column is called INTEGER.
_ROW_NUMBER: Final[Any] = BigInteger().with_variant(Integer(), "sqlite")


def key(**more: Any) -> Any:
    """One of the columns of the primary key."""
    return Field(primary_key=True, **more)


def big_key() -> Any:
    """The same, of 64 bits and numbered by us."""
    return Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})


def number() -> Any:
    """The primary key of rows that the database numbers."""
    return Field(default=None, primary_key=True, sa_type=_ROW_NUMBER)


def big(default: int | None = 0) -> Any:
    """64 bits; ``None`` may stand in it only where it is the default."""
    return Field(default=default, sa_type=BigInteger, nullable=default is None)


def text(default: str = "") -> Any:
    """Of any length."""
    return Field(default=default, sa_type=Text)
