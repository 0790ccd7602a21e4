"""Bit rot: one flipped bit in the file of a finished life is found, or it lies where it says nothing."""

import sqlite3
from collections import Counter
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same seed flips the same bits
from typing import Any, Final

from sqlalchemy import select

from locker.journal import verify
from locker.journal.errors import JournalError
from locker.journal.replay import differences, load
from locker.journal.store import Store
from locker.journal.tables import METADATA
from tests.power import cuts
from tests.power.disk import after
from tests.power.use_cases import made_up
from tests.power.vfs import Vfs

FLIPS: Final = 400
UNPROVED: Final = frozenset({"acknowledged", "countersigned", "schema"})
"""Rows of ``meta`` that follow from nothing else in the file; and names that the next write misses."""


def contents(path: Path) -> dict[str, list[Any]]:
    """Everything that is stored, row by row; columns that SQLite derives from others are not."""
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    try:
        return {
            name: connection.execute(
                str(select(*(column for column in table.columns if column.computed is None)))
            ).fetchall()
            for name, table in METADATA.tables.items()
        }
    finally:
        connection.close()


def verdict(path: Path, whole: dict[str, list[Any]]) -> str:
    """Who notices: a start, the verifier, the nightly replay; or nobody, for better or worse."""
    try:
        store = Store(path)
    except JournalError:
        return "refused at a start"
    try:
        sound = store.sound(store.meta(), store.records())
        load(store)
        wrong = differences(store)
    except JournalError:
        return "refused at a start"
    finally:
        store.close()
    if _verified(path):
        return "found by the verifier"
    if wrong:
        return "found by the nightly replay"
    return _unnoticed(path, whole) if sound else "mended at a start"


def _unnoticed(path: Path, whole: dict[str, list[Any]]) -> str:
    try:
        there = contents(path)
    except sqlite3.Error:
        return "not noticed: schema"
    other = _other(there, whole)
    return "not noticed: " + ", ".join(sorted(other)) if other else "says nothing"


def _verified(path: Path) -> str:
    try:
        return verify.check(path).wrong
    except (sqlite3.Error, ValueError) as error:
        return str(error)


def _other(there: dict[str, list[Any]], whole: dict[str, list[Any]]) -> set[str]:
    """Tables that are other ones; of ``meta`` the rows that are (a row too many is read by nobody)."""
    found = {name for name in there.keys() | whole.keys() if there.get(name) != whole.get(name)}
    if "meta" in found:
        return found - {"meta"} | {row[0].decode() for row in set(whole["meta"]) - set(there["meta"])}
    return found


async def test_a_flipped_bit_is_found_or_says_nothing(vfs: Vfs, path: Path, tmp_path: Path) -> None:
    recording = await cuts.lived(vfs, path, made_up(7))
    rotten = tmp_path / "rotten.sqlite3"
    for name, data in after(recording.disk, len(recording.disk.log), None).items():
        rotten.with_name(name.replace(str(path), rotten.name)).write_bytes(data)
    Store(rotten).close()  # a finished life: all of it is in the file
    whole, sound = contents(rotten), rotten.read_bytes()
    chance, tally = Random(1), Counter[str]()
    for _ in range(FLIPS):
        flipped, bit = bytearray(sound), chance.randrange(8 * len(sound))
        flipped[bit // 8] ^= 1 << bit % 8
        rotten.write_bytes(flipped)
        tally[verdict(rotten, whole)] += 1
    print(tally)
    missed = {each for each in tally if each.startswith("not noticed")}
    assert missed <= {f"not noticed: {name}" for name in UNPROVED}
    assert tally["says nothing"] < FLIPS * 0.6
    assert tally["mended at a start"] > 0
    assert tally["found by the nightly replay"] == 0, "no state rests on rotten rows until the night"
