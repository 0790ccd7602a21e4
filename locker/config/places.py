"""On which line of a TOML text something stands.

The parser itself is asked, with parts of the text: it knows every way in which a key can be written, and a
second reading of our own would not.
"""

import tomllib
from collections.abc import Sequence
from typing import Any

Place = tuple[str | int, ...]
"""``("compartments", 3, "lock")``: tables and keys by name, the members of an array from 0."""


def line_of(text: str, place: Place) -> int:
    """The line where ``place`` begins, from 1; that of what it is in, where it is not there; or else 0.

    ``text`` is TOML that parses.
    """
    lines = text.split("\n")  # nothing else ends a line in TOML
    whole = tomllib.loads(text)
    while place and not _holds(whole, place):
        place = place[:-1]
    return _first_line(lines, place) if place else 0


def _first_line(lines: Sequence[str], place: Place) -> int:
    # What the first lines hold, more of them hold as well: halve the distance.
    before, there = 0, len(lines)
    while (found := _parsed_between(lines, before, there)) is not None:
        end, table = found
        if _holds(table, place):
            there = end
        else:
            before = end
    return before + 1


def _parsed_between(lines: Sequence[str], before: int, there: int) -> tuple[int, dict[str, Any]] | None:
    """A part of the text that ends between the two, in no statement's middle, and what it holds."""
    middle = (before + there) // 2
    for end in (*range(middle, before, -1), *range(middle + 1, there)):
        try:
            return end, tomllib.loads("\n".join(lines[:end]) + "\n")
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a statement that takes several lines
    return None


def _holds(value: Any, place: Place) -> bool:
    for step in place:
        known = range(len(value)) if isinstance(value, list) else value
        if not isinstance(value, dict | list) or step not in known:
            return False
        value = value[step]  # type: ignore[index]  # a place in a list is an int: it is in a range
    return True
