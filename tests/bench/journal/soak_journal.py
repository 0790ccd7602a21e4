"""What is too long for the test run: 100,000 entries tampered with, and a writer killed again and again."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251  # seeded

import pytest

from tests.bench.figures import Sheet
from tests.locker.journal import test_verify as tampering
from tests.locker.journal.killing import killed

ENTRIES = 100_000
ROUNDS = 40
KILLS = 100
Tamper = Callable[[sqlite3.Connection], int]
"""Changes the file; returns the first entry that is no longer what it was."""


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tampering.Evidence]:
    folder = tmp_path_factory.mktemp("evidence")
    yield asyncio.run(tampering.made(folder / "kept.sqlite3", folder / "copy.sqlite3", ENTRIES))
    shutil.rmtree(folder)


def test_every_tampering_is_found(evidence: tampering.Evidence, sheet: Sheet, times: int) -> None:
    tried, missed = 0, list[str]()
    for seed in range(ROUNDS * times):
        for name, tamper in tamperings(Random(seed)).items():
            tried += 1
            with evidence.tampered() as connection:
                first = tamper(connection)
            if evidence.judged().seq != first:
                missed.append(f"{name}, seed {seed}")
    kinds = ", ".join(tamperings(Random(0)))
    note = f"{tried} tries on {ENTRIES:,} entries: {kinds}"
    sheet.at_most("journal tampered with, not found at its entry", len(missed), "of them", 0, note)
    assert missed == []


def tamperings(chance: Random) -> dict[str, Tamper]:
    at, other = chance.randrange(2, ENTRIES), chance.randrange(2, ENTRIES)
    column, bit = chance.choice(tampering.COLUMNS), chance.randrange(4096)
    return {
        "a bit": partial(tampering.flip, at=at, column=column, bit=bit),
        "removed": partial(tampering.remove, at=at),
        "inserted": partial(tampering.insert, at=at),
        "cut off": partial(tampering.cut, at=at),
        "swapped": partial(tampering.swap, at=at, other=at % ENTRIES + 1 if at == other else other),
    }


def test_killed_again_and_again(tmp_path: Path, sheet: Sheet, times: int) -> None:
    path, before, kills, lost = tmp_path / "journal.sqlite3", 0, KILLS * times, 0
    for seed in range(kills):
        left = killed(path, seed)
        told = before < left.acknowledged <= left.state.seq
        lost += not told or bool(left.differences) or bool(left.wrong)
        before = left.state.seq
    note = f"{kills} × kill -9 of a writer; {before:,} entries at the end"
    sheet.at_most("kills after which something was lost or wrong", lost, "of them", 0, note)
    assert lost == 0
