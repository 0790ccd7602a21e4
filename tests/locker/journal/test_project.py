"""Rows and states: two ways of saying the same, whatever happened."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locker.domain.entry import Stamp
from locker.domain.errors import UnreadableFact
from locker.domain.fold import fold
from locker.domain.ids import Seq
from locker.domain.state import COLLECTIONS, SCALARS, LockerState, state_text
from locker.journal import replay
from locker.journal.project import Changes, changes, snapshot, state_from, state_of
from locker.journal.store import Store
from tests.locker.journal.histories import Life, live, opened

T = TypeVar("T")


def states(seed: int, steps: int) -> list[LockerState]:
    """A life, one state after the other."""
    life, state = Life(seed), LockerState()
    found = [state]
    for number in range(steps):
        for fact in life.next(state):
            state = fold(state, Seq(state.seq + 1), Stamp(1, number, number, "ntp"), fact)
        found.append(state)
    return found


class Rows:
    """Tables as dictionaries, which keep their order as SQLite's rows do."""

    def __init__(self) -> None:
        self.scalars: dict[str, str] = {}
        self.records: dict[str, dict[Any, str]] = {name: {} for name in COLLECTIONS}

    def apply(self, change: Changes) -> None:
        self.scalars |= dict(change.scalars)
        for name, keys in change.gone.items():
            for key in keys:
                del self.records[name][key]
        for name, records in change.put.items():
            self.records[name] |= dict(records)

    def state(self) -> LockerState:
        return state_of(self.scalars, {name: rows.items() for name, rows in self.records.items()})


@given(seed=st.integers(0, 1 << 32), steps=st.integers(0, 60), every=st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_changes_carry_rows_from_state_to_state(seed: int, steps: int, every: int) -> None:
    rows, before = Rows(), LockerState()
    rows.apply(snapshot(before))
    for after in states(seed, steps)[::every]:
        rows.apply(changes(before, after))
        assert rows.state() == after
        before = after
    assert [list(rows.state().deposits), list(rows.state().compartments)] == [
        list(before.deposits),
        list(before.compartments),
    ]
    assert changes(before, before) == Changes()


def test_only_what_changed_is_written() -> None:
    before, after = states(1, 1)[-1], states(1, 1)[-1]
    after = replace(before, seq=Seq(before.seq + 1))
    assert changes(before, after) == Changes((("seq", str(after.seq)),), {}, {})


@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=20, deadline=None)
def test_a_state_can_be_read_from_its_text(seed: int) -> None:
    state = states(seed, 80)[-1]
    again = state_from(state_text(state))
    assert again == state
    assert state_text(again) == state_text(state)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"deposits": 1}', '{"compartments": {"x": {}}}'])
def test_a_text_that_is_no_state(text: str) -> None:
    with pytest.raises(UnreadableFact):
        state_from(text)


def test_a_scalar_that_is_younger_than_the_file_has_its_default() -> None:
    change = snapshot(states(2, 30)[-1])
    older = {name: text for name, text in change.scalars if name != "guessing"}
    assert state_of(older, change.put).guessing == LockerState().guessing
    assert "guessing" in SCALARS


@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=5, deadline=None)
def test_projections_are_what_a_replay_makes_byte_for_byte(seed: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite3"
        asyncio.run(lived(path, seed, 150))
        kept = projected(path)
        on_store(path, lambda store: store.replace_projections(snapshot(replay.replayed(store))))
        assert projected(path) == kept
        assert on_store(path, replay.differences) == []


async def lived(path: Path, seed: int, entries: int) -> LockerState:
    async with opened(path) as journal:
        await live(journal, Life(seed), entries)
        return journal.state


def on_store(path: Path, work: Callable[[Store], T]) -> T:
    store = Store(path)
    try:
        return work(store)
    finally:
        store.close()


def projected(path: Path) -> dict[str, list[Any]]:
    connection = sqlite3.connect(path)
    rows = {
        name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()  # noqa: S608  # our own names
        for name in (*COLLECTIONS, "meta")
    }
    connection.close()
    return rows


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET value = '0' WHERE name = 'fold_version'",
        "UPDATE meta SET value = 'not JSON' WHERE name = 'policy'",
        "UPDATE compartments SET record = json_set(record, '$.colour', 'red')",
    ],
)
async def test_projections_of_other_software_are_made_anew(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "journal.sqlite3"
    state = await lived(path, 3, 200)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
        connection.execute("DELETE FROM staff")
    connection.close()
    async with opened(path) as journal:
        assert journal.state == state
    assert on_store(path, replay.differences) == []


async def test_differences_are_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    await lived(path, 4, 200)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "UPDATE compartments SET record = json_set(record, '$.wear', 999) WHERE number = 3"
        )
        connection.execute("UPDATE meta SET value = '77' WHERE name = 'signed_seq'")
    connection.close()
    assert on_store(path, replay.differences) == ["compartments", "signed_seq"]
