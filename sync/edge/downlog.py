"""Which entries of a received batch are news: pure."""

from dataclasses import dataclass
from enum import StrEnum

from locker.domain.ids import Epoch
from locker.domain.state import DownCursor
from sync import wire


class Placing(StrEnum):
    NEXT = "next"
    REPEATED = "repeated"
    """All of it is applied already."""
    GAP = "gap"
    """Something before it is missing: ask again from where we are."""
    FOREIGN = "foreign"
    """Of a numbering that no hello has announced."""
    FORKED = "forked"
    """It does not continue what we have applied."""


@dataclass(frozen=True, slots=True)
class Placed:
    placing: Placing
    skip: int = 0
    """How many entries at its start are applied already."""


def effective(cursor: DownCursor, announced: str) -> DownCursor:
    """Where the log goes on: at the start, if a hello announced a numbering that is new to us."""
    return DownCursor(Epoch(announced)) if announced and announced != cursor.epoch else cursor


def place(batch: wire.DownBatch, hashes: tuple[bytes, ...], cursor: DownCursor) -> Placed:
    """How a batch whose chain holds (``hashes``: after each entry) lies to what is applied."""
    if batch.dn_epoch != cursor.epoch:
        return Placed(Placing.FOREIGN)
    skip = cursor.seq + 1 - batch.from_seq
    if skip < 0:
        return Placed(Placing.GAP)
    before = (bytes.fromhex(batch.prev), *hashes)
    if skip < len(before) and before[skip].hex() != (cursor.hash or wire.ZERO):
        return Placed(Placing.FORKED)
    if batch.to_seq <= cursor.seq:
        return Placed(Placing.REPEATED)
    return Placed(Placing.NEXT, skip)
