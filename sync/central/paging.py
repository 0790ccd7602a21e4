"""Long lists a page at a time: ``limit`` rows, and ``next``, by which the following page is asked for.

A cursor tells after which row to go on, not how many to pass over: rows that come meanwhile neither shift a
page nor show a row twice. It is signed and belongs to one list; any other text in its place is refused.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Row, Select, literal, tuple_

from locker.domain.encoding import canonical
from sync.central.desk import Desk, Refusal, Refused

ROWS: Final = 100
ROWS_MAX: Final = 500
CURSOR_CHARACTERS_MAX: Final = 600
_TAG_BYTES: Final = 16
_PURPOSE: Final = b"doclocker/cursor/1\n"

T = TypeVar("T")
U = TypeVar("U")
M = TypeVar("M", bound=BaseModel)
Value = int | str


class Listed(BaseModel, Generic[M]):
    """How every long list is answered."""

    rows: list[M]
    next: str | None
    """``cursor`` of the following page; null: this was the last."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page. ``cursor``: ``next`` of the page before; empty for the first."""

    limit: int = ROWS
    cursor: str = ""


def asked(
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = ROWS,
    cursor: Annotated[str, Query(max_length=CURSOR_CHARACTERS_MAX)] = "",
) -> Asked:
    return Asked(limit, cursor)


WhichPage = Annotated[Asked, Depends(asked)]
"""A parameter of every route that answers with a long list."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    rows: Sequence[T]
    next: str | None

    def told(self, tell: Callable[[T], M]) -> Listed[M]:
        return Listed(rows=[tell(row) for row in self.rows], next=self.next)

    def of(self, make: Callable[[T], U]) -> "Page[U]":
        """The same page of what is made of each row."""
        return Page([make(row) for row in self.rows], self.next)


@dataclass(frozen=True, slots=True)
class Keyset:
    """The order of one list: by columns that are never null and together unique, all up or all down."""

    name: str
    """A cursor of one name is refused by every other. Change it where the columns change."""
    columns: tuple[ColumnElement[Any], ...] = ()
    newest_first: bool = False

    def page(self, connection: Connection, desk: Desk, query: Select[Any], asked: Asked) -> Page[Row[Any]]:
        """One page of ``query``, which holds the columns and has no order of its own. Raises Refused."""
        position = self.position(desk, asked.cursor)
        if position:
            here = tuple_(*self.columns)
            # With its column's type: PostgreSQL would take a bare number for a short one.
            there = tuple_(*(literal(v, c.type) for v, c in zip(position, self.columns, strict=True)))
            query = query.where(here < there if self.newest_first else here > there)
        order = [column.desc() if self.newest_first else column.asc() for column in self.columns]
        rows = connection.execute(query.order_by(*order).limit(asked.limit + 1)).all()
        keys = [column.key for column in self.columns]
        return self._cut(desk, rows, asked, lambda row: [getattr(row, str(key)) for key in keys])

    def page_of(
        self, desk: Desk, every: Sequence[T], asked: Asked, key: Callable[[T], Sequence[Value]]
    ) -> Page[T]:
        """The same of rows in memory, in the order of ``key``, upwards. Raises Refused."""
        wanted = self.position(desk, asked.cursor)
        rows = [row for row in every if not wanted or list(key(row)) > wanted]
        return self._cut(desk, rows, asked, key)

    def _cut(
        self, desk: Desk, rows: Sequence[T], asked: Asked, key: Callable[[T], Sequence[Value]]
    ) -> Page[T]:
        """``rows`` may be one too many: by it is known that there are more."""
        shown = rows[: asked.limit]
        return Page(shown, self.cursor(desk, key(shown[-1])) if len(rows) > len(shown) else None)

    def cursor(self, desk: Desk, position: Sequence[Value]) -> str:
        body = canonical(list(position)).encode()
        return base64.urlsafe_b64encode(self._tag(desk, body) + body).decode().rstrip("=")

    def position(self, desk: Desk, cursor: str) -> list[Value]:
        """After what to go on, as `cursor` was given it; empty for the first page. Raises Refused."""
        if not cursor:
            return []
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raw = b""
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(desk, body)):
            raise Refused(Refusal.BAD_CURSOR, "take `next` of the page before, unchanged; or begin anew")
        position: list[Value] = json.loads(body)
        return position

    def _tag(self, desk: Desk, body: bytes) -> bytes:
        key = hmac.digest(desk.keys.seal.private, _PURPOSE, hashlib.sha256)
        return hmac.digest(key, self.name.encode() + b"\n" + body, hashlib.sha256)[:_TAG_BYTES]
