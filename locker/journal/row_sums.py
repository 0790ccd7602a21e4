"""A sum over the rows of the projections, kept beside them: what a card makes of one is found at a start.

Against chance alone: who can write the file can write the sum. The chain of the entries stands against those.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

from locker.domain.state import COLLECTIONS, SCALARS
from locker.journal.project import Changes, Key, Records

NAME: Final = "rows_sum"
"""Of the row of ``meta`` that holds it."""
BYTES: Final = 8
_LIMIT: Final = 1 << (8 * BYTES)
_SCALAR: Final = "meta"


class RowSums:
    """What each row adds to ``total``, whatever their order: a change costs what has changed."""

    def __init__(self, scalars: Mapping[str, str], records: Records) -> None:
        self.total = 0
        self._parts: dict[tuple[str, Key], int] = {}
        self._take(Changes(tuple((name, scalars[name]) for name in SCALARS if name in scalars)))
        for table in COLLECTIONS:
            self._put(table, records[table])

    @property
    def text(self) -> str:
        return f"{self.total:x}"

    def follow(self, changes: Changes) -> None:
        """These rows are written."""
        for table, keys in changes.gone.items():
            for key in keys:
                self.total = (self.total - self._parts.pop((table, key), 0)) % _LIMIT
        self._take(changes)

    def _take(self, changes: Changes) -> None:
        self._put(_SCALAR, changes.scalars)
        for table, records in changes.put.items():
            self._put(table, records)

    def _put(self, table: str, records: Iterable[tuple[Key, str]]) -> None:
        for key, text in records:
            part = int.from_bytes(blake2b(f"{table}\0{key}\0{text}".encode(), digest_size=BYTES).digest())
            self.total = (self.total + part - self._parts.get((table, key), 0)) % _LIMIT
            self._parts[table, key] = part
