"""Whether a journal has an entry that was seen in it: one that has not was rolled back, or exchanged."""

from contextlib import closing
from pathlib import Path

from locker.domain.history import Break
from locker.journal.errors import RowsPurged
from locker.journal.reader import Reader


def missing(path: Path, epoch: str, seq: int, link: bytes) -> Break | None:
    """Why the entry ``seq`` of ``epoch`` with the hash ``link`` is not there; None where it is, or where it
    was purged: a journal that goes on beyond it has not lost its end. Raises a JournalError."""
    if seq == 0:
        return None
    with closing(Reader(path)) as reader:
        present, past = reader.epoch(), reader.epochs()
        if epoch == present:
            return _judged(reader, seq, link)
    if epoch not in past:
        return Break.SUPERSEDED
    with closing(Reader(path, past=epoch)) as reader:
        return _judged(reader, seq, link)


def _judged(reader: Reader, seq: int, link: bytes) -> Break | None:
    try:
        return None if reader.hash_at(seq) == link else Break.FORKED
    except RowsPurged:
        return None
    except KeyError:
        return Break.LOST_ROWS
