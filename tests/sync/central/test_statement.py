"""What the driver is told directly does and finds the same as by SQLAlchemy, on both databases."""

import logging
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from sync.central import store
from sync.central.desk import locker_row
from sync.central.fleet.tables import SITE
from sync.central.statement import OfMany, Statement
from sync.central.tables import DESK_FACT, LEDGER, LOCKER, STREAM
from tests.sync.central.conftest import Parts

ENTRY: dict[str, Any] = {"locker": "hall-1", "epoch": "e", "public": '{"a":"\0"}', "salt": b"\0\xff"}
PLACE: dict[str, Any] = {"locker": "hall-1", "name": "North", "latitude": 30.25, "longitude": 120.125}


@pytest.mark.parametrize(
    ("table", "row"), [(LEDGER, {**ENTRY, "seq": 1}), (SITE, PLACE), (LOCKER, {"online": True})]
)
def test_rows_are_as_sqlalchemy_reads_them(parts: Parts, table: Any, row: dict[str, Any]) -> None:
    """Texts with NUL, bytes, booleans, fractions; and what a column holds where nothing was said."""

    def work(c: Connection) -> None:
        if table is LOCKER:
            store.change(c, LOCKER, {"locker": "hall-1"}, row)
        else:
            store.insert(c, table, [row])

    parts.store.write_now(work)
    asked = select(table).where(table.c.locker == bindparam("name"))
    (own,) = parts.store.read_now(lambda c: Statement(asked).all(c, {"name": "hall-1"}))
    (theirs,) = parts.store.read_now(lambda c: c.execute(asked, {"name": "hall-1"}).all())
    assert own._asdict() == theirs._asdict()
    assert [type(value) for value in own] == [type(value) for value in theirs]
    assert row.items() <= own._asdict().items()


def test_rows_that_the_database_numbers_are_numbered(parts: Parts) -> None:
    fact = {"case_number": "1", "kind": "k", "reference": "r", "actor": "a", "detail": "{}", "at_ms": 1}
    for rows in ([fact], [fact, fact]):
        parts.store.write_now(partial(store.insert, table=DESK_FACT, rows=rows))
    assert len({row.number for row in parts.rows(DESK_FACT)}) == 3


def test_a_list_may_be_of_any_length(parts: Parts) -> None:
    named = OfMany(lambda of: select(LOCKER.c.locker).where(LOCKER.c.locker.in_(of)))
    touched = OfMany(lambda of: LOCKER.update().where(LOCKER.c.locker.in_(of)).values(head=7))

    def work(c: Connection) -> None:
        assert named.all(c, []) == []
        assert touched.do(c, []) == 0
        for of in (["hall-1"], ["none", "hall-1"], ["none"] * 60 + ["hall-1"]):
            assert [row.locker for row in named.all(c, of)] == ["hall-1"]
            assert touched.do(c, of) == 1

    parts.store.write_now(work)
    assert parts.store.read_now(lambda c: locker_row(c, "hall-1")).head == 7


def test_a_list_within_a_statement_of_one_wording_is_refused(parts: Parts) -> None:
    loose = Statement(select(LOCKER).where(LOCKER.c.locker.in_(bindparam("of", expanding=True))))
    with pytest.raises(AssertionError, match="no one wording"):
        parts.store.read_now(lambda c: loose.all(c, {"of": ["hall-1"]}))


def test_what_the_database_refuses_is_told_as_by_sqlalchemy_and_without_the_values(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    row = {
        "locker": "secret-name",
        "epoch": "e",
        "ordinal": 1,
        "stored_to": 0,
        "hash": "",
        "first_seen_ms": 0,
    }
    with pytest.raises(IntegrityError) as caught:
        parts.store.write_now(lambda c: store.insert(c, STREAM, [row, row]))
    refused: DBAPIError = caught.value
    assert not refused.connection_invalidated
    assert refused.params is None
    assert not parts.rows(STREAM)  # the transaction is over, and the connection good for the next
    assert "secret-name" not in caplog.text


def test_reads_within_one_work_see_one_moment(parts: Parts) -> None:
    head = Statement(select(LOCKER.c.head).where(LOCKER.c.locker == bindparam("name")))

    def work(c: Connection) -> list[int]:
        before = head.value(c, {"name": "hall-1"})
        parts.store.write_now(lambda w: store.change(w, LOCKER, {"locker": "hall-1"}, {"head": before + 1}))
        return [before, head.value(c, {"name": "hall-1"})]

    before, after = parts.store.read_now(work)
    assert before == after
