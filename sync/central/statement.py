"""A statement in the driver's own words: worded and compiled once, then said to the driver directly.

What SQLAlchemy does around every execution costs several times what SQLite does within it. Types, errors and
transactions stay as SQLAlchemy has them, so both ways may be mixed on one connection.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnDefault, Connection, Dialect, Row, Table, bindparam
from sqlalchemy.engine import result_tuple
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]
_Process = Callable[[Any], Any]
LENGTHS_KEPT: Final = 50


class Statement:
    """Whatever differs from one time to the next is a `bindparam` of it; none of them may be `expanding`."""

    def __init__(self, worded: ClauseElement, names: Sequence[str] | None = None) -> None:
        """``names``: the columns that an INSERT is given."""
        self._worded = worded
        self._names = names
        self._plans: dict[str, _Plan] = {}

    def do(self, connection: Connection, rows: Sequence[Values]) -> int:
        """Once for each of ``rows``, one after the other; how many rows of the table it was about."""
        if not rows:
            return 0
        cursor, _ = self._said(connection, self._plan(connection.dialect), rows)
        return int(cursor.rowcount)

    def all(self, connection: Connection, values: Values) -> list[Row[Any]]:
        shape, found = self._found(connection, values)
        return [shape.row(values) for values in found]

    def mappings(self, connection: Connection, values: Values) -> list[dict[str, Any]]:
        """The same rows as plain dictionaries."""
        shape, found = self._found(connection, values)
        return [dict(zip(shape.names, values, strict=True)) for values in found]

    def first(self, connection: Connection, values: Values) -> Row[Any] | None:
        found = self.all(connection, values)
        return found[0] if found else None

    def one(self, connection: Connection, values: Values) -> Row[Any]:
        """Of what is known to be there."""
        (found,) = self.all(connection, values)
        return found

    def value(self, connection: Connection, values: Values) -> Any:
        """The first column of the first row, None where there is none."""
        found = self.all(connection, values)
        return found[0][0] if found else None

    def _found(self, connection: Connection, values: Values) -> tuple["_Shape", Sequence[Any]]:
        plan = self._plan(connection.dialect)
        cursor, found = self._said(connection, plan, (values,), fetches=True)
        if plan.shape is None:
            plan.shape = _shape(self._worded, connection.dialect, cursor.description)
        return plan.shape, plan.shape.processed(found)

    def _plan(self, dialect: Dialect) -> "_Plan":
        plan = self._plans.get(dialect.name)
        if plan is None:
            plan = self._plans[dialect.name] = _planned(self._worded, self._names, dialect)
        return plan

    @staticmethod
    def _said(
        connection: Connection, plan: "_Plan", rows: Sequence[Values], *, fetches: bool = False
    ) -> tuple[Any, list[Any]]:
        """The driver's cursor, and what it found."""
        if not connection.in_transaction():
            connection.begin()
        raw: Any = connection.connection.driver_connection
        cursor = raw.cursor()
        try:
            if len(rows) == 1:
                cursor.execute(plan.text, plan.bound(rows[0]))
            else:
                cursor.executemany(plan.text, [plan.bound(row) for row in rows])
            return cursor, cursor.fetchall() if fetches else []
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_of_sqlalchemy(error, connection, plan.text, cursor) from error


class OfMany:
    """A statement about a list of values, worded once for each length that it has had."""

    def __init__(self, tell: Callable[[Sequence[BindParameter[Any]]], ClauseElement]) -> None:
        """``tell`` makes it from one parameter for each value."""
        self._tell = tell
        self._of = lru_cache(LENGTHS_KEPT)(self._worded)

    def do(self, connection: Connection, of: Sequence[Any]) -> int:
        return self._of(len(of)).do(connection, [_numbered(of)]) if of else 0

    def all(self, connection: Connection, of: Sequence[Any]) -> list[Row[Any]]:
        return self._of(len(of)).all(connection, _numbered(of)) if of else []

    def _worded(self, length: int) -> Statement:
        return Statement(self._tell([bindparam(f"of_{n}") for n in range(length)]))


def _numbered(of: Sequence[Any]) -> dict[str, Any]:
    return {f"of_{n}": value for n, value in enumerate(of)}


def _as_of_sqlalchemy(error: Exception, connection: Connection, text: str, cursor: Any) -> BaseException:
    """Without the values: they may be a person's."""
    dialect = connection.dialect
    base = dialect.loaded_dbapi.Error
    gone = dialect.is_disconnect(error, connection.connection.driver_connection, cursor)  # type: ignore[arg-type]  # a driver's connection is one
    return DBAPIError.instance(text, None, error, base, connection_invalidated=gone, dialect=dialect)


@dataclass(slots=True)
class _Plan:
    """A statement for one kind of database."""

    text: str
    bound: Callable[[Values], Any]
    """Parameters as the driver takes them."""
    shape: "_Shape | None" = None
    """Known with the first rows: some types ask what the driver says of a column."""


def _planned(worded: ClauseElement, names: Sequence[str] | None, dialect: Dialect) -> _Plan:
    compiled: Any = worded.compile(dialect=dialect, column_keys=None if names is None else list(names))
    assert isinstance(compiled, SQLCompiler)  # noqa: S101  # of a clause it is one
    if compiled.post_compile_params:
        raise AssertionError(f"a list as long as it likes has no one wording: {compiled.string}")
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    fixed = {name: bind.effective_value for name, bind in binds.items() if not bind.required}
    processes = {
        name: process
        for name, bind in binds.items()
        if (process := bind.type.dialect_impl(dialect).bind_processor(dialect))
    }
    order = list(compiled.positiontup) if compiled.positiontup is not None else None
    return _Plan(compiled.string, _binding(order or list(binds), fixed, processes, named=order is None))


def _binding(
    order: Sequence[str], fixed: Values, processes: Mapping[str, _Process], *, named: bool
) -> Callable[[Values], Any]:
    def positional(values: Values) -> list[Any]:
        given = {**fixed, **values} if fixed else values
        found = [given[name] for name in order]
        for n, process in special:
            found[n] = process(found[n])
        return found

    def by_name(values: Values) -> dict[str, Any]:
        return dict(zip(order, positional(values), strict=True))

    special = [(n, processes[name]) for n, name in enumerate(order) if name in processes]
    return by_name if named else positional


class _Shape:
    """How rows are read."""

    __slots__ = ("_processes", "names", "row")

    def __init__(self, names: Sequence[str], processes: Sequence[tuple[int, _Process]]) -> None:
        self.names = tuple(names)
        self.row: Callable[[Sequence[Any]], Row[Any]] = result_tuple(names)
        self._processes = processes

    def processed(self, found: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """As types say what the driver means."""
        if not self._processes:
            return found
        return [self._processed(row) for row in found]

    def _processed(self, row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for n, process in self._processes:
            values[n] = process(values[n])
        return tuple(values)


def _shape(worded: Any, dialect: Dialect, description: Sequence[Sequence[Any]]) -> _Shape:
    columns = list(worded.exported_columns)
    processes = [
        (n, process)
        for n, (each, told) in enumerate(zip(columns, description, strict=True))
        if (process := each.type.dialect_impl(dialect).result_processor(dialect, told[1]))
    ]
    return _Shape([str(told[0]) for told in description], processes)


@cache
def inserting(table: Table, names: tuple[str, ...]) -> Statement:
    """New rows of these columns and of those that have a default."""
    return Statement(table.insert().inline(), (*names, *(defaults(table).keys() - set(names))))


@cache
def defaults(table: Table) -> Values:
    """What columns hold where nothing is said."""
    return {each.name: each.default.arg for each in table.c if isinstance(each.default, ColumnDefault)}
