"""The journal of acts: whatever is changed in it afterwards is found."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, create_engine, select

from locker.domain.encoding import canonical
from sync import seal
from sync.central.access import audit
from sync.central.access.actor import HUB, Role, person
from sync.central.access.matrix import Action
from sync.central.access.tables import AUDIT, AUDIT_HEAD, AUDIT_SIGNED
from sync.central.store import Store
from tests.postgres import Cluster
from tests.sync.central.conftest import Parts

CLERK = person("li", [Role.WINDOW_CLERK], ["north"])
ROWS = 8


def filled(parts: Parts, signed_at: int = 5) -> seal.SigningKey:
    key = parts.desk.keys.sign

    def work(connection: Any) -> None:
        for number in range(1, ROWS + 1):
            audit.write(connection, 1000 + number, CLERK, Action.SEE_CASE, f"GS-{number}", {"count": number})
            if number == signed_at:
                assert audit.sign(connection, key, 2000) is not None

    parts.store.write_now(work)
    return key


def verdict(store: Store, key: seal.SigningKey) -> audit.Verdict:
    return store.read_now(lambda c: audit.verify(c, key.public))


def test_an_untouched_journal_verifies(parts: Parts) -> None:
    key = filled(parts)
    found = verdict(parts.store, key)
    assert (found.rows, found.signed_to, found.problems) == (ROWS, 5, ())
    (head,) = parts.rows(AUDIT_HEAD)
    assert (head.seq, head.hash) == (ROWS, found.head)


def test_an_empty_journal_verifies_and_has_nothing_to_sign(parts: Parts) -> None:
    assert verdict(parts.store, parts.desk.keys.sign) == audit.Verdict(0, audit.START, 0, ())
    assert parts.store.write_now(lambda c: audit.sign(c, parts.desk.keys.sign, 1)) is None


def test_a_head_is_signed_once(parts: Parts) -> None:
    key = filled(parts, signed_at=ROWS)
    assert parts.store.write_now(lambda c: audit.sign(c, key, 3000)) is None
    assert len(parts.rows(AUDIT_SIGNED)) == 1


def test_an_act_that_is_undone_leaves_no_row_and_no_gap(parts: Parts) -> None:
    key = filled(parts)

    def fails(connection: Any) -> None:
        audit.write(connection, 1, HUB, Action.ENROL_STAFF, "x")
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        parts.store.write_now(fails)
    parts.store.write_now(lambda c: audit.write(c, 9, HUB, Action.ENROL_STAFF, "y"))
    assert verdict(parts.store, key).problems == ()
    assert [row.seq for row in parts.rows(AUDIT)] == list(range(1, ROWS + 2))


@settings(max_examples=80, deadline=None)
@given(
    seq=st.integers(1, ROWS),
    column=st.sampled_from([column.name for column in AUDIT.columns]),
    value=st.one_of(st.integers(-5, 3000), st.text(st.characters(codec="utf-8", categories=["L", "N"]))),
)
def test_a_change_of_any_field_of_any_row_is_found(seq: int, column: str, value: Any) -> None:
    connection, key = _small()
    before = connection.execute(select(AUDIT).where(AUDIT.c.seq == seq)).one()
    if isinstance(value, int) is not (column in {"seq", "at_ms"}) or getattr(before, column) == value:
        return
    if column == "seq" and 1 <= value <= ROWS:
        return  # the database itself refuses it
    connection.execute(AUDIT.update().where(AUDIT.c.seq == seq).values({column: value}))
    assert audit.verify(connection, key.public).problems != ()
    connection.rollback()
    assert audit.verify(connection, key.public).problems == ()


@cache
def _small() -> tuple[Connection, seal.SigningKey]:
    """A journal in memory: the examples are many."""
    engine = create_engine("sqlite://")
    connection = engine.connect()
    for table in (AUDIT, AUDIT_HEAD, AUDIT_SIGNED):
        table.create(connection)
    for number in range(1, ROWS + 1):
        audit.write(connection, 1000 + number, CLERK, Action.SEE_CASE, f"GS-{number}", {"count": number})
    connection.commit()
    return connection, seal.SigningKey.from_seed(b"c" * 32)


def _set(parts: Parts, table: Table, where: Any, **values: Any) -> None:
    parts.store.write_now(lambda c: c.execute(table.update().where(where).values(values)))


@pytest.mark.parametrize("seq", range(1, ROWS + 1))
def test_a_row_that_was_taken_out_is_found(seq: int) -> None:
    connection, key = _small()
    connection.execute(AUDIT.delete().where(AUDIT.c.seq == seq))
    assert audit.verify(connection, key.public).problems != ()
    connection.rollback()


def test_a_past_written_anew_up_to_its_end_is_found_by_what_the_hub_signed(parts: Parts) -> None:
    key = filled(parts)
    stranger = seal.SigningKey.from_seed(b"s" * 32)

    def forge(connection: Any) -> None:
        rows = connection.execute(select(AUDIT).order_by(AUDIT.c.seq)).all()
        connection.execute(AUDIT.delete())
        connection.execute(AUDIT_HEAD.delete())
        for row in rows:
            if row.seq != 3:
                audit.write(connection, row.at_ms, CLERK, Action.SEE_CASE, row.object)

    parts.store.write_now(forge)
    assert [problem.seq for problem in verdict(parts.store, key).problems] == [5]
    # Nor does it help to sign it oneself, or to take the signature away from under a later one.
    parts.store.write_now(lambda c: (c.execute(AUDIT_SIGNED.delete()), audit.sign(c, stranger, 9)))
    assert [p.what for p in verdict(parts.store, key).problems] == ["its signature is not the hub's"]


def test_an_end_that_was_cut_off_is_found(parts: Parts) -> None:
    key = filled(parts, signed_at=ROWS)
    hashes = {row.seq: row.hash for row in parts.rows(AUDIT)}
    parts.store.write_now(lambda c: c.execute(AUDIT.delete().where(AUDIT.c.seq > 6)))
    _set(parts, AUDIT_HEAD, AUDIT_HEAD.c.seq == ROWS, seq=6, hash=hashes[6])
    assert [p.what for p in verdict(parts.store, key).problems] == ["was signed and is missing"]


def test_two_who_write_at_once_on_postgresql_make_one_chain(parts: Parts, postgres: Cluster) -> None:
    key = parts.desk.keys.sign
    where = postgres.database()
    stores = [Store.open(where), Store.open(where)]

    def fill(store: Store) -> None:
        for number in range(10):
            store.write_now(
                partial(audit.write, now_ms=number, actor=CLERK, action=Action.SEE_CASE, subject="x")
            )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill, stores))
    stores[0].write_now(lambda c: audit.sign(c, key, 1))
    found = verdict(stores[1], key)
    for store in stores:
        store.close()
    assert (found.rows, found.signed_to, found.problems) == (20, 20, ())


def test_what_a_person_typed_as_a_reason_keeps_no_long_number(parts: Parts) -> None:
    parts.store.write_now(
        lambda c: audit.write(c, 1, CLERK, Action.REISSUE_CODE, "GS-1", reason="call 13812345678, door 12")
    )
    (row,) = parts.rows(AUDIT)
    assert json.loads(row.detail) == {"reason": "call •••, door 12"}


def test_the_export_holds_every_row_as_it_was_hashed(parts: Parts) -> None:
    filled(parts)
    told = [json.loads(line) for line in parts.store.read_now(lambda c: list(audit.lines(c)))]
    acts = [line for line in told if line.pop("kind") == "act"]
    assert len(told) - len(acts) == 1
    for act in acts:
        digest = act.pop("hash")
        assert audit._hash(json.loads(canonical(act))) == digest
