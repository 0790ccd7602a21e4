"""What a durable event costs: a typical transaction of two events through the journal, beside bare sqlite3.

    python -m tests.bench.journal.bench_commit [--json FILE] [--commits N] [--entries N]

The bare transaction inserts one row of the same size and updates another, with the same durability and page
size, in the same run, turn by turn: the machine's noise falls on both.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from locker.domain import events as ev
from locker.domain.deposit import Kind
from locker.domain.entry import Entry
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CompartmentNumber,
    DepositId,
    Epoch,
    GrantId,
    ItemId,
    LockerId,
    StaffId,
)
from locker.domain.opening import Purpose
from locker.domain.state import LockerState
from locker.journal import schema
from locker.journal.journal import Journal
from locker.journal.project import Changes
from locker.journal.rows import StoredAnchor
from locker.operations.ports import Decided
from tests.bench.figures import Sheet
from tests.locker.journal.histories import Life, configured, live, opened

GOAL_RATIO = 1.5
RUNS = 5
COMMITS = 1000
DOOR = CompartmentNumber(7)
DEPOSIT = DepositId("d-bench-000000001")


def typical(number: int) -> tuple[ev.Event, ...]:
    """A code was right: the grant to open one door."""
    grant = GrantId(f"g{number:015d}")
    return (
        ev.CodeAccepted("code/k-bench-00000001", "typed"),
        ev.OpeningRequested(grant, DOOR, Purpose.PICK_UP, DEPOSIT, StaffId(""), 1),
    )


async def prepare(journal: Journal) -> None:
    facts = (
        ev.EpochStarted(Epoch("0" * 32), LockerId("loc-1")),
        configured(),
        ev.CompartmentReserved(
            DEPOSIT, DOOR, Kind.OUTGOING, CaseNumber("c"), AuthorisationId(""), ItemId("i")
        ),
    )
    await journal.commit("daemon", lambda _: Decided(None, facts))


async def commit(journal: Journal, number: int) -> float:
    facts = typical(number)
    began = time.perf_counter()
    await journal.commit("applicant", lambda _: Decided(None, facts))
    return time.perf_counter() - began


class Bare:
    """The least that is durable: insert one row, update another."""

    def __init__(self, path: Path) -> None:
        self._connection = schema.connect(path)
        self._connection.execute("CREATE TABLE bare (seq INTEGER PRIMARY KEY, text TEXT)")
        self._connection.execute("CREATE TABLE door (number INTEGER PRIMARY KEY, text TEXT)")
        self._connection.executemany("INSERT INTO door VALUES (?, ?)", [(n, "x" * 300) for n in range(16)])
        self._text = "x" * 300
        self._since = 0

    def commit(self) -> float:
        began = time.perf_counter()
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO bare (text) VALUES (?)", (self._text,))
        self._connection.execute("UPDATE door SET text = ? WHERE number = 7", (f"{began:300}",))
        self._connection.execute("COMMIT")
        took = time.perf_counter() - began
        self._since += 1
        if self._since == 200:
            self._since = 0
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        return took

    def close(self) -> None:
        self._connection.close()


def percentile(values: list[float], of: int) -> float:
    return quantiles(values, n=100)[of - 1]


def written() -> tuple[int, int]:
    """Bytes given to write calls, and bytes that went to the block device, by this process so far."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["wchar"]), int(lines["write_bytes"])


async def commits(folder: Path, count: int) -> dict[str, Any]:
    async with opened(folder / "commits.sqlite3") as journal:
        await prepare(journal)
        bare = Bare(folder / "bare.sqlite3")
        appends = timed_appends(journal)
        for number in range(100):
            await commit(journal, number)
            bare.commit()
        appends.clear()
        through, alone = [], []
        for number in range(count):
            through.append(await commit(journal, 1000 + number))
            alone.append(bare.commit())
        bare.close()
    return {
        "commit_ms": round(median(through) * 1e3, 3),
        "commit_p99_ms": round(percentile(through, 99) * 1e3, 3),
        "bare_ms": round(median(alone) * 1e3, 3),
        "bare_p99_ms": round(percentile(alone, 99) * 1e3, 3),
        "same_rows_ms": round(median(appends) * 1e3, 3),
        "ratio_to_bare": round(median(through) / median(alone), 2),
        "ratio_to_same_rows": round(median(through) / median(appends), 2),
        "ratio_goal": GOAL_RATIO,
    }


def timed_appends(journal: Journal) -> list[float]:
    """Seconds of the very same rows through sqlite3 alone: the rest is folding, hashing and the thread."""
    took: list[float] = []
    append = journal._store.append

    def timed(entries: Sequence[Entry], changes: Changes, anchor: StoredAnchor | None = None) -> None:
        began = time.perf_counter()
        append(entries, changes, anchor)
        took.append(time.perf_counter() - began)

    journal._store.append = timed  # type: ignore[method-assign]
    return took


def decided(facts: tuple[ev.Event, ...], _state: LockerState) -> Decided[None]:
    return Decided(None, facts)


async def volume(folder: Path, count: int) -> dict[str, float]:
    """Checkpoints included."""
    async with opened(folder / f"volume-{schema.PAGE_BYTES}.sqlite3") as journal:
        await live(journal, Life(7), 500)
        asked, device = written()
        life, before, seq = Life(8), 0, journal.state.seq
        while before < count:
            facts = life.next(journal.state)
            await journal.commit("applicant", partial(decided, facts))
            before += 1
        asked_after, device_after = written()
        entries = journal.state.seq - seq
    return {
        "entries_per_commit": round(entries / count, 2),
        "bytes_per_commit": round((asked_after - asked) / count),
        "device_bytes_per_commit": round((device_after - device) / count),
    }


async def opening(folder: Path, entries: int) -> dict[str, Any]:
    path = folder / "large.sqlite3"
    await fill(path, entries)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        async with opened(path) as journal:
            times.append(time.perf_counter() - began)
            assert journal.state.seq >= entries
    return {"entries": entries, "open_ms": round(median(times) * 1e3, 1), "file_bytes": path.stat().st_size}


async def fill(path: Path, entries: int) -> None:
    """Without waiting for the disk each time: this is not what is measured."""
    async with opened(path) as journal:
        with_store(journal, "PRAGMA synchronous = OFF")
        await live(journal, Life(9), entries)


def with_store(journal: Journal, statement: str) -> None:
    journal._executor.submit(lambda: journal._store._connection.execute(statement).fetchall()).result()


async def measured(folder: Path, count: int, entries: int) -> dict[str, Any]:
    figures = await commits(folder, count)
    for page in (4096, 1024):
        schema.PAGE_BYTES = page  # type: ignore[misc]  # both are measured; the last is the product's
        figures[f"written_{page}"] = await volume(folder, count)
    return figures | await opening(folder, entries)


def run(count: int, entries: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-journal-") as folder:
        return asyncio.run(measured(Path(folder), count, entries))


def test_commit(sheet: Sheet, tmp_path: Path) -> None:
    runs = []
    for number in range(RUNS):
        folder = tmp_path / str(number)
        folder.mkdir()
        runs.append(asyncio.run(commits(folder, COMMITS)))
    typically = {name: median(run[name] for run in runs) for name in runs[0]}
    note = f"median of {RUNS} runs; {typically['commit_ms']:.2f} to {typically['bare_ms']:.2f} ms"
    sheet.aims_at("durable commit ÷ bare sqlite3", typically["ratio_to_bare"], "×", GOAL_RATIO, note)
    sheet.tells(
        "  ÷ the same rows by sqlite3 alone",
        typically["ratio_to_same_rows"],
        "×",
        "the rest: folding, hashing, the change of thread",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--commits", type=int, default=2000)
    parser.add_argument("--entries", type=int, default=100_000)
    asked = parser.parse_args()
    figures = run(asked.commits, asked.entries)
    text = json.dumps(figures, indent=2)
    print(text)
    if asked.json:
        asked.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
