"""Rows by their values, in statements that are built once for each form."""

from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, text

from sync.central import store
from sync.central.notify import IDLE_MS, Notifier, SmsSettings
from sync.central.tables import STREAM
from tests.sync.central.conftest import OnPostgres, Parts

BEGUN: dict[str, Any] = {
    "ordinal": 1,
    "stored_to": 0,
    "hash": "",
    "parent_epoch": "",
    "parent_head": 0,
    "parent_hash": "",
    "mark": "",
    "first_seen_ms": 0,
}


def test_each_form_finds_and_changes_only_what_it_names(parts: Parts) -> None:
    def work(c: Connection) -> None:
        for epoch in ("a", "b"):
            store.put(c, STREAM, {"locker": "hall-1", "epoch": epoch}, BEGUN)
        # The same form twice, with other values; then other forms.
        assert store.change(c, STREAM, {"locker": "hall-1", "epoch": "a"}, {"stored_to": 7}) == 1
        assert store.change(c, STREAM, {"locker": "hall-1", "epoch": "b"}, {"stored_to": 9}) == 1
        assert store.change(c, STREAM, {"locker": "hall-1", "epoch": "none"}, {"stored_to": 1}) == 0
        # One column both sought and set.
        assert store.change(c, STREAM, {"epoch": "b", "stored_to": 9}, {"stored_to": 10, "mark": "hole"}) == 1
        assert store.change(c, STREAM, {"locker": "hall-1"}, {"hash": "ff"}) == 2

    parts.store.write_now(work)
    rows = [(row.epoch, row.stored_to, row.mark, row.hash) for row in parts.rows(STREAM)]
    assert rows == [("a", 7, "", "ff"), ("b", 10, "hole", "ff")]
    found = parts.store.read_now(lambda c: store.find(c, STREAM, {"epoch": "b", "mark": "hole"}))
    assert found is not None
    assert found.stored_to == 10
    assert parts.store.read_now(lambda c: store.find(c, STREAM, {"epoch": "b", "mark": ""})) is None


def test_a_row_that_is_put_twice_is_one_row(parts: Parts) -> None:
    keys = {"locker": "hall-1", "epoch": "a"}
    for stored_to in (3, 4):
        parts.store.write_now(
            partial(store.put, table=STREAM, keys=keys, values={**BEGUN, "stored_to": stored_to})
        )
    assert [row.stored_to for row in parts.rows(STREAM)] == [4]


async def test_nothing_is_written_while_no_message_is_due(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(_work: object) -> None:
        raise AssertionError("an idle hub wrote")

    monkeypatch.setattr(parts.store, "write", write)
    async with httpx.AsyncClient() as client:
        notifier = Notifier(parts.store, parts.desk, client, SmsSettings("http://127.0.0.1:9/"))
        assert await notifier.step() == IDLE_MS


@pytest.mark.postgresql
def test_a_session_that_the_server_ended_is_given_to_nobody(on_postgres: OnPostgres) -> None:
    """As after its restart: seen before a connection leaves the pool, and nobody is told of it."""
    kept = on_postgres.emptied()
    own = kept.write_now(lambda c: c.execute(text("SELECT pg_backend_pid()")).scalar_one())
    ended = text("SELECT pg_terminate_backend(:pid, 5000)")
    assert kept.read_now(lambda c: c.execute(ended, {"pid": own}).scalar_one())
    assert kept.write_now(lambda c: c.execute(text("SELECT pg_backend_pid()")).scalar_one()) != own
