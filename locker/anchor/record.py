"""What stands in the place outside the card, byte for byte: records of 64 bytes, written in turn.

| at | bytes | what |
|---|---|---|
| 0 | 2 | ``D1 01``: what this is, and its form |
| 2 | 2 | first two of SHA-256 over the locker's name: another cabinet's module is no card put back |
| 4 | 4 | turn: one more than in the record before |
| 8 | 16 | epoch |
| 24 | 4 | seq |
| 28 | 32 | hash of that entry |
| 60 | 4 | CRC-32 of bytes 0 to 59 |

Numbers are big-endian. A record is whole or none: a write that was cut leaves the one before as the latest.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from locker.domain import chain

SIZE: Final = 64
"""Two pages of an AT24C32, which writes a page of 32 bytes at once; never across a page that is another's."""
SLOTS_MAX: Final = 64
"""4 KiB. More would be read at each start, at 10 bytes a millisecond."""
SLOTS_MIN: Final = 2
_HEAD: Final = b"\xd1\x01"
_BODY: Final = struct.Struct(">2s2sI16sI32s")
_BLANK: Final = (b"\x00", b"\xff")
"""As a new module comes from its maker; of one byte, whichever."""


class Standing(StrEnum):
    NONE = "none"
    """No place is configured."""
    KEPT = "kept"
    BLANK = "blank"
    """Nothing was ever written there: nobody has begun it for this locker."""
    FOREIGN = "foreign"
    """It holds something else: another locker's records, or none that can be read."""
    UNREADABLE = "unreadable"
    UNWRITABLE = "unwritable"


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a journal ended."""

    epoch: str
    """32 hex digits; "" before the first entry."""
    seq: int
    head: bytes


NOWHERE: Final = Mark("", 0, chain.START)
"""Before the first entry: every journal of every locker has that behind it."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was found. Without a ``mark`` there is no record of this locker."""

    standing: Standing
    slots: int
    mark: Mark | None = None
    turn: int = 0
    """Of that record."""
    slot: int = -1
    """Where it stands; -1: nowhere, the first is free."""

    def next_offset(self) -> int:
        """Where the next record goes."""
        return (self.slot + 1) % self.slots * SIZE

    def after(self, mark: Mark) -> "Sight":
        """Once ``mark`` has been written there."""
        slot = (self.slot + 1) % self.slots
        return Sight(Standing.KEPT, self.slots, mark, self.turn + 1, slot)


class AnchorError(Exception):
    """What is wrong with the anchor; it stops nobody. The message says what to look at."""


class NoPlace(AnchorError):
    """Too small for two records: a write that is cut must leave one."""


def record(locker: str, turn: int, mark: Mark) -> bytes:
    epoch = bytes.fromhex(mark.epoch).rjust(16, b"\0")
    body = _BODY.pack(_HEAD, _owner(locker), turn, epoch, mark.seq, mark.head)
    return body + zlib.crc32(body).to_bytes(4)


def look(content: bytes, locker: str) -> Sight:
    """The latest whole record of this locker. Raises NoPlace."""
    slots = min(len(content) // SIZE, SLOTS_MAX)
    if slots < SLOTS_MIN:
        raise NoPlace(f"{len(content)} bytes: {SLOTS_MIN * SIZE} are the least")
    if content[: slots * SIZE].strip(content[:1]) == b"" and content[:1] in _BLANK:
        return Sight(Standing.BLANK, slots)
    latest = Sight(Standing.FOREIGN, slots)
    for slot in range(slots):
        found = _read(content[slot * SIZE : (slot + 1) * SIZE], locker)
        if found and (latest.mark is None or found[0] > latest.turn):
            latest = Sight(Standing.KEPT, slots, found[1], found[0], slot)
    return latest


def _read(text: bytes, locker: str) -> tuple[int, Mark] | None:
    """Turn and mark of one record, None where there is none of this locker's."""
    body, crc = text[: _BODY.size], text[_BODY.size :]
    head, owner, turn, epoch, seq, link = _BODY.unpack(body)
    if head != _HEAD or owner != _owner(locker) or zlib.crc32(body).to_bytes(4) != crc:
        return None
    return turn, Mark(epoch.hex() if any(epoch) else "", seq, link)


def _owner(locker: str) -> bytes:
    return hashlib.sha256(locker.encode()).digest()[:2]
