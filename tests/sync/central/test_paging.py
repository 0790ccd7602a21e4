"""Lists a page at a time: whole however small the pages, steady while rows come, closed to made-up ones."""

import base64
from collections.abc import Iterable, Iterator
from functools import partial

import pytest
from sqlalchemy import Connection, Select, select

from sync.central.desk import Refusal, Refused
from sync.central.paging import Asked, Keyset
from sync.central.tables import ALARM
from tests.sync.central.conftest import Parts

UP = Keyset("up", (ALARM.c.last_ms, ALARM.c.kind))
DOWN = Keyset("down", (ALARM.c.last_ms, ALARM.c.number), newest_first=True)
FAR_MS = 1 << 50


def raised(connection: Connection, numbers: Iterable[int]) -> None:
    for n in numbers:
        values = {"locker": "hall-1", "kind": f"k-{n:02}", "subject": "", "last_ms": FAR_MS + n // 3}
        connection.execute(ALARM.insert().values(values))


def kinds(parts: Parts, keyset: Keyset, limit: int, query: Select[tuple[object]] | None = None) -> list[str]:
    return [kind for page in pages(parts, keyset, limit, query) for kind in page]


def pages(
    parts: Parts, keyset: Keyset, limit: int, query: Select[tuple[object]] | None = None
) -> Iterator[list[str]]:
    cursor: str | None = ""
    wanted = select(ALARM) if query is None else query
    while cursor is not None:
        look = partial(keyset.page, desk=parts.desk, query=wanted, asked=Asked(limit, cursor))
        page = parts.store.read_now(look)
        yield [row.kind for row in page.rows]
        cursor = page.next


def test_every_row_is_on_one_page(parts: Parts) -> None:
    parts.store.write_now(lambda c: raised(c, range(10)))
    whole = [f"k-{n:02}" for n in range(10)]
    for limit in (1, 3, 5, 9, 10, 11):
        assert kinds(parts, UP, limit) == whole
        assert kinds(parts, DOWN, limit) == whole[::-1]
    assert [len(page) for page in pages(parts, UP, 5)] == [5, 5]
    odd = select(ALARM).where(ALARM.c.kind.in_(whole[1::2]))
    assert kinds(parts, UP, 2, odd) == whole[1::2]


def test_rows_that_come_meanwhile_shift_nothing(parts: Parts) -> None:
    parts.store.write_now(lambda c: raised(c, range(0, 12, 2)))
    seen: list[str] = []
    for page in pages(parts, DOWN, 2):
        seen += page
        parts.store.write_now(partial(raised, numbers=[20 + len(seen)]))
    assert seen == [f"k-{n:02}" for n in range(10, -1, -2)]


def test_an_empty_list_has_one_page(parts: Parts) -> None:
    assert list(pages(parts, UP, 5)) == [[]]


def test_rows_in_memory_are_paged_alike(parts: Parts) -> None:
    names = ["a", "b", "c", "d", "e"]
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = UP.page_of(parts.desk, names, Asked(2, cursor), lambda name: [name])
        seen += page.rows
        cursor = page.next or ""
    assert (seen, cursor) == (names, "")


@pytest.mark.parametrize("what", ["x", "é", "AAAA", "A" * 400, "!!!", "=", "\0"])
def test_what_is_no_cursor_is_refused(parts: Parts, what: str) -> None:
    with pytest.raises(Refused, match=Refusal.BAD_CURSOR):
        UP.page_of(parts.desk, ["a"], Asked(2, what), lambda name: [name])


def test_a_cursor_is_of_one_list_and_cannot_be_changed(parts: Parts) -> None:
    page = UP.page_of(parts.desk, ["a", "b"], Asked(1), lambda name: [name])
    assert page.next is not None
    raw = base64.urlsafe_b64decode(page.next + "==")
    for wrong in (page.next[:-3], page.next + "AAAA", *(_flipped(raw, n) for n in range(len(raw)))):
        with pytest.raises(Refused):
            UP.page_of(parts.desk, ["a"], Asked(2, wrong), lambda name: [name])
    with pytest.raises(Refused):
        DOWN.page_of(parts.desk, ["a"], Asked(2, page.next), lambda name: [name])


def _flipped(raw: bytes, place: int) -> str:
    changed = bytes([*raw[:place], raw[place] ^ 1, *raw[place + 1 :]])
    return base64.urlsafe_b64encode(changed).decode()
