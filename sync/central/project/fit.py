"""What a column can hold in every database of ours: a row that does not fit must not spoil the others."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Integer, Table, Text
from sqlalchemy.types import String


class Unfit(ValueError):
    """A value that no database of ours can hold in this column."""


def require_fit(table: Table, values: Mapping[str, Any]) -> None:
    """Raises Unfit."""
    limits = _limits(table)
    for name, value in values.items():
        bits = limits.get(name)
        if bits is not None and ("\0" in value if bits == 0 else value.bit_length() > bits):
            raise Unfit(f"{table.name}.{name} cannot hold it")


def fits(table: Table, values: Mapping[str, Any]) -> bool:
    try:
        require_fit(table, values)
    except Unfit:
        return False
    return True


@cache
def _limits(table: Table) -> Mapping[str, int]:
    """How many bits a number has in a column; 0: it is a text."""
    found: dict[str, int] = {}
    for column in table.c:
        if isinstance(column.type, BigInteger):
            found[column.name] = 63
        elif isinstance(column.type, Integer):
            found[column.name] = 31
        elif isinstance(column.type, String | Text):
            found[column.name] = 0
    return found
