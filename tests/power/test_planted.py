"""Known mistakes, planted one at a time: each is found by the cuts that the product passes."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection, Cursor
from typing import Any

import pytest

from locker.domain.entry import Entry
from locker.journal import rows, schema
from locker.journal.store import Store, _row
from locker.journal.tables import APPLICATION_ID
from tests.power import cuts
from tests.power.use_cases import beginning, made_up
from tests.power.vfs import Vfs


async def random_cuts(vfs: Vfs, path: Path, count: int = 150) -> Counter[str]:
    recording = await cuts.lived(vfs, path, made_up(1))
    return cuts.Cuts(vfs, recording).anywhere(count, seed=1)


def wrong(tally: Counter[str]) -> int:
    return tally.total() - tally[""]


@contextmanager
def set_up_with(monkeypatch: pytest.MonkeyPatch, pragma: str) -> Iterator[None]:
    honest = schema._set_up

    def set_up(connection: Connection) -> None:
        honest(connection)
        connection.execute(pragma)

    with monkeypatch.context() as planted:
        planted.setattr(schema, "_set_up", set_up)
        yield


@pytest.mark.parametrize("less", ["NORMAL", "OFF"])
async def test_less_than_full_synchronous(
    vfs: Vfs, path: Path, less: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It loses what was promised; else the disk is too kind, and all of this proves nothing."""
    with set_up_with(monkeypatch, f"PRAGMA synchronous = {less}"):
        recording = await cuts.lived(vfs, path, made_up(1))
    assert wrong(cuts.Cuts(vfs, recording).anywhere(150, seed=1)) > 40


async def test_told_before_the_commit(vfs: Vfs, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def writing(store: Store) -> Iterator[Cursor]:
        if store._connection.in_transaction:
            store._connection.execute("COMMIT")
        store._connection.execute("BEGIN IMMEDIATE")
        yield store._connection.cursor()

    def move(store: Store, mode: str) -> None:
        if store._connection.in_transaction:
            store._connection.execute("COMMIT")
        moved(store, mode)

    moved = Store._move
    with monkeypatch.context() as planted:
        planted.setattr(Store, "_writing", writing)
        planted.setattr(Store, "_move", move)
        recording = await cuts.lived(vfs, path, made_up(1))
    assert wrong(cuts.Cuts(vfs, recording).anywhere(150, seed=1)) > 40


async def test_a_checkpoint_that_does_not_wait_for_the_disk(
    vfs: Vfs, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def move(store: Store, mode: str) -> None:
        store._connection.execute("PRAGMA synchronous = OFF")
        moved(store, mode)
        store._connection.execute("PRAGMA synchronous = FULL")

    moved = Store._move
    monkeypatch.setattr(Store, "_move", move)
    assert wrong(await random_cuts(vfs, path)) > 0


async def test_projections_in_another_transaction(
    vfs: Vfs, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append(store: Store, entries: Sequence[Entry], changes: Any, anchor: Any = None) -> None:
        with store._writing() as run:
            run.executemany(rows.ADD, [_row(entry) for entry in entries])
            if anchor:
                run.execute(rows.ADD_ANCHOR, {"seq": anchor.seq, "hash": anchor.hash, "state": anchor.state})
        with store._writing() as run:
            store._apply(run, changes)
            scalars = [*changes.scalars, ("head", json.dumps(entries[-1].hash.hex()))]
            run.executemany(rows.PUT_META, [{"name": name, "value": value} for name, value in scalars])

    monkeypatch.setattr(Store, "append", append)
    assert wrong(await random_cuts(vfs, path)) > 0


async def test_a_migration_outside_a_transaction(
    vfs: Vfs, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def migrate(connection: Connection, _path: Path) -> None:
        steps = schema.migrations()
        for number in range(schema._pragma(connection, "user_version") + 1, len(steps) + 1):
            connection.executescript(steps[number - 1])
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")

    monkeypatch.setattr(schema, "_migrate", migrate)
    recording = await cuts.lived(vfs, path, beginning)
    assert wrong(cuts.Cuts(vfs, recording).everywhere(each=1, seed=1)) > 0


async def test_the_order_of_synchronous_and_journal_mode_is_no_mistake(
    vfs: Vfs, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A level that was set stays set in SQLite; only its default differs between the journal modes."""

    def set_up(connection: Connection) -> None:
        for pragma in ("synchronous = FULL", "journal_mode = WAL", "wal_autocheckpoint = 0"):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    monkeypatch.setattr(schema, "_set_up", set_up)
    assert wrong(await random_cuts(vfs, path)) == 0
