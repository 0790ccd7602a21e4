"""A journal as lines that people and programs read; beside a running daemon or without one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from locker.journal.errors import ReadTooLong
from locker.journal.reader import Reader
from locker.journal.rows import NOBODY, StoredEntry

ENTRIES_AT_ONCE: Final = 500
BYTES_AT_ONCE: Final = 1 << 20


def dump(path: Path, *, after: int = 0, personal: bool = False) -> Iterator[str]:
    """One JSON object for each entry kept behind ``after``: ``seq``, the exact ``public`` text, its ``hash``.

    ``personal_digest`` where somebody is or was named: enough to check the chain with. The names themselves
    and their ``salt`` only on request. Raises JournalError.
    """
    reader = Reader(path)
    try:
        after = max(after, reader.oldest() - 1)
        while batch := _batch(reader, after):
            for entry in batch:
                yield _line(entry, personal=personal)
            after = batch[-1].seq
    finally:
        reader.close()


def _batch(reader: Reader, after: int) -> list[StoredEntry]:
    """The next entries: fewer, where a busy machine cannot read so many in a reader's time."""
    at_once = ENTRIES_AT_ONCE
    while True:
        try:
            return reader.entries(after, at_once, BYTES_AT_ONCE)
        except ReadTooLong:
            if at_once == 1:
                raise
            at_once //= 2


def _line(entry: StoredEntry, *, personal: bool) -> str:
    line: dict[str, object] = {"seq": entry.seq, "public": entry.public, "hash": entry.hash.hex()}
    if entry.personal_digest != NOBODY:
        line["personal_digest"] = entry.personal_digest.hex()
    if personal and entry.personal:
        line |= {"personal": entry.personal, "salt": entry.salt.hex()}
    return json.dumps(line, ensure_ascii=False)
