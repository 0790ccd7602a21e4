"""The rows of a transaction on one sheet of paper: read once, changed in memory, written in bulk.

What is asked for by its key is held here; everything else goes by `connection`, which first writes down what
has changed and forgets what it knew. So both may be mixed, and whoever needs to be quick asks by key.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import groupby
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnDefault,
    Connection,
    Integer,
    Select,
    Table,
    Text,
    Update,
    bindparam,
    select,
)
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import String

from sync.central import store
from sync.central import tables as t
from sync.central.complaints.tables import COMPLAINT

KEYS: Final[Mapping[Table, tuple[str, ...]]] = {
    t.COMPARTMENT: ("locker", "number"),
    t.DEPOSIT: ("locker", "deposit"),
    t.OPENING: ("locker", "grant_id"),
    t.PICKUP_CODE: ("locker", "code"),
    t.AUTHORISATION: ("authorisation",),
    t.OUTGOING_ITEM: ("item",),
    t.NOTICE: ("subject",),
    t.LOCKER: ("locker",),
    t.STAFF_GRANT: ("locker", "staff"),
    COMPLAINT: ("source",),
}
"""By what rows are held; of several with one key, any."""
OWN: Final = frozenset({t.COMPARTMENT, t.DEPOSIT, t.OPENING, t.PICKUP_CODE})
"""Written by nobody else while a locker's streams are locked. A row of others may be out of date at once."""

Key = tuple[Any, ...]
Values = Mapping[str, Any]


class Unfit(ValueError):
    """A value that no database of ours can hold in this column."""


class Held:
    """A row as it was when it was asked for; columns are attributes, as of SQLAlchemy's."""

    __slots__ = ("values",)

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(slots=True)
class _Page:
    """What is held of one table."""

    rows: dict[Key, Held | None] = field(default_factory=dict)
    changed: dict[Key, bool] = field(default_factory=dict)
    """Whether it is new."""


class Sheet:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pages: dict[Table, _Page] = {table: _Page() for table in KEYS}
        self._added: dict[Table, list[dict[str, Any]]] = {}
        self._later: list[tuple[UpdateBase, Values]] = []
        self._undo: list[Callable[[], object]] = []
        self.beyond = 0
        """How often something was done that cannot be undone here: written down, or asked of the database."""

    @property
    def connection(self) -> Connection:
        """For any statement: all that was changed is there, and what is held is asked for anew."""
        self.write()
        self.beyond += 1
        for page in self._pages.values():
            page.rows.clear()
        return self._connection

    def find(self, table: Table, keys: Values) -> Held | None:
        """The row with these values; its key must be among them."""
        key = tuple(keys[name] for name in KEYS[table])
        rows = self._pages[table].rows
        if key not in rows:
            self.fetch(table, [key])
        row = rows[key]
        if row is None or any(row.values[name] != value for name, value in keys.items()):
            return None
        return row

    def fetch(self, table: Table, keys: Iterable[Key]) -> None:
        """Hold these rows, those that are not held yet by one statement."""
        rows = self._pages[table].rows
        lacking = {key for key in keys if key not in rows}
        rows.update(dict.fromkeys(lacking))
        lacking = {key for key in lacking if _fits(table, key)}
        if not lacking:
            return
        names = KEYS[table]
        # Each column for itself finds a few more than were asked for, and does it by the same index.
        asked = {name: list({key[n] for key in lacking}) for n, name in enumerate(names)}
        for row in self._connection.execute(_fetching(table), asked).mappings():
            rows.setdefault(key := tuple(row[name] for name in names), None)
            if rows[key] is None:
                rows[key] = Held(dict(row))

    def held(self, table: Table) -> Mapping[Key, Held | None]:
        """What is known of a table just now."""
        return self._pages[table].rows

    def put(self, table: Table, keys: Values, values: Values) -> None:
        """Insert or update one row."""
        if table not in OWN:
            store.put(self.connection, table, keys, values)
        elif not self.change(table, keys, values):
            _require_fit(table, {**keys, **values})
            key = tuple(keys[name] for name in KEYS[table])
            self._set(table, key, Held({**_defaults(table), **keys, **values}), new=True)

    def change(self, table: Table, keys: Values, values: Values) -> int:
        """How many rows with these keys got these values."""
        if table not in OWN or not keys.keys() >= set(KEYS[table]):
            return self._change_there(table, keys, values)
        row = self.find(table, keys)
        if row is None:
            return 0
        key = tuple(keys[name] for name in KEYS[table])
        if any(row.values[name] != value for name, value in values.items()):
            _require_fit(table, values)
            self._set(table, key, Held({**row.values, **values}), new=False)
        return 1

    def add(self, table: Table, row: dict[str, Any]) -> None:
        """Insert a row that nobody can have inserted."""
        _require_fit(table, row)
        row = {**_defaults(table), **row}
        rows = self._added.setdefault(table, [])
        rows.append(row)
        self._undo.append(rows.pop)
        if table in KEYS:
            key = tuple(row[name] for name in KEYS[table])
            self._remember(table, key, Held(row))

    def later(self, statement: UpdateBase, values: Values) -> None:
        """Done when everything is written down, in this order for one table; it must change nothing of `OWN`.

        ``statement`` is a constant: those of one form become one.
        """
        self._later.append((statement, values))
        self._undo.append(self._later.pop)

    def begin(self) -> None:
        """What follows can be undone, until something is written."""
        self._undo.clear()

    def undo(self) -> None:
        """As it was at `begin`. Only where `beyond` is what it was then."""
        while self._undo:
            self._undo.pop()()

    def forget(self) -> None:
        """All that was not written; what is held is asked for anew."""
        for page in self._pages.values():
            page.rows.clear()
            page.changed.clear()
        self._added.clear()
        self._later.clear()
        self._undo.clear()

    def write(self) -> None:
        """Everything that changed, a statement or two for each table."""
        self._undo.clear()
        for table, page in self._pages.items():
            if page.changed:
                self._write_page(table, page)
        for table, rows in self._added.items():
            self._insert(table, rows)
        by_table = sorted(self._later, key=lambda each: str(each[0].table))
        for statement, group in groupby(by_table, lambda each: each[0]):
            self._execute(statement, [values for _, values in group])
        self._added.clear()
        self._later.clear()

    def _write_page(self, table: Table, page: _Page) -> None:
        new = [page.rows[key] for key, is_new in page.changed.items() if is_new]
        old = [page.rows[key] for key, is_new in page.changed.items() if not is_new]
        self._insert(table, [row.values for row in new if row])
        self._execute(
            _updating(table), [{f"as_{name}": v for name, v in row.values.items()} for row in old if row]
        )
        page.changed.clear()

    def _insert(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self.beyond += 1
            store.insert(self._connection, table, rows)

    def _execute(self, statement: UpdateBase, rows: Sequence[Values]) -> None:
        if rows:
            self.beyond += 1
            self._connection.execute(statement, list(rows))

    def _set(self, table: Table, key: Key, row: Held, *, new: bool) -> None:
        changed = self._pages[table].changed
        self._remember(table, key, row)
        if key not in changed:
            changed[key] = new
            self._undo.append(partial(changed.pop, key))

    def _remember(self, table: Table, key: Key, row: Held) -> None:
        rows = self._pages[table].rows
        if key in rows:
            self._undo.append(partial(rows.__setitem__, key, rows[key]))
        else:
            self._undo.append(partial(rows.pop, key))
        rows[key] = row

    def _change_there(self, table: Table, keys: Values, values: Values) -> int:
        _require_fit(table, values)
        self.beyond += 1
        if table in self._added or any(statement.table is table for statement, _ in self._later):
            self.write()
        if page := self._pages.get(table):
            self._write_page(table, page)
            page.rows.clear()
        where = [table.c[name] == value for name, value in keys.items()]
        return self._connection.execute(table.update().where(*where).values(dict(values))).rowcount


@lru_cache
def _fetching(table: Table) -> Select[Any]:
    return select(table).where(*(table.c[name].in_(bindparam(name, expanding=True)) for name in KEYS[table]))


@lru_cache
def _updating(table: Table) -> Update:
    keys = KEYS[table]
    rest: dict[str, Any] = {c.name: bindparam(f"as_{c.name}") for c in table.c if c.name not in keys}
    return table.update().where(*(table.c[name] == bindparam(f"as_{name}") for name in keys)).values(rest)


@lru_cache
def _defaults(table: Table) -> Values:
    return {c.name: c.default.arg for c in table.c if isinstance(c.default, ColumnDefault)}


@lru_cache
def _limits(table: Table) -> Mapping[str, int]:
    """How many bits a number has in a column; 0: it is a text."""
    found: dict[str, int] = {}
    for column in table.c:
        if isinstance(column.type, BigInteger):
            found[column.name] = 63
        elif isinstance(column.type, Integer):
            found[column.name] = 31
        elif isinstance(column.type, String | Text):
            found[column.name] = 0
    return found


def _require_fit(table: Table, values: Values) -> None:
    limits = _limits(table)
    for name, value in values.items():
        bits = limits.get(name)
        if bits is None:
            continue
        if (bits == 0 and "\0" in value) or (bits and value.bit_length() > bits):
            raise Unfit(f"{table.name}.{name} cannot hold it")


def _fits(table: Table, key: Key) -> bool:
    try:
        _require_fit(table, dict(zip(KEYS[table], key, strict=True)))
    except Unfit:
        return False
    return True
