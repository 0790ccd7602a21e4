"""Many rows by one statement, whose words are the same however many there are: compiled once, planned once.

PostgreSQL gets one list a column, which is a table there (`unnest`). SQLite gets what is asked for as one
text of JSON; to change rows one after the other costs next to nothing there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    Integer,
    Table,
    Text,
    and_,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

from locker.domain.encoding import canonical
from sync.central.statement import Statement

TEXT: Final = Text()
BIG: Final = BigInteger()
NUMBER: Final = Integer()

Key = tuple[Any, ...]
Values = Mapping[str, Any]


class Change:
    """What is done to rows, worded once: ``tell`` makes it from columns or parameters of these names.

    ``by`` are the parameters that name the row it is about. It must be about no other one.
    """

    def __init__(
        self, tell: Callable[[Any], UpdateBase], by: Sequence[str], **kinds: TypeEngine[Any]
    ) -> None:
        self._tell = tell
        self.by = tuple(by)
        self.kinds = kinds

    @cached_property
    def _one(self) -> UpdateBase:
        return self._tell(
            SimpleNamespace(**{name: bindparam(name, type_=kind) for name, kind in self.kinds.items()})
        )

    @cached_property
    def one(self) -> Statement:
        """For one row, or for several one after the other."""
        return Statement(self._one)

    @cached_property
    def all(self) -> Statement:
        """For as many as the lists are long; PostgreSQL's."""
        return Statement(self._tell(_lists(self.kinds).c))

    @property
    def table(self) -> Table:
        return self._one.table  # type: ignore[return-value]  # of a Table it is one

    def key(self, row: Values) -> Key:
        return tuple([row[name] for name in self.by])


def change(connection: Connection, told: Change, rows: Sequence[Values]) -> None:
    """No two of ``rows`` are about the same row of the table."""
    if not rows:
        return
    if len(rows) == 1 or connection.dialect.name != "postgresql":
        told.one.do(connection, rows)
    else:
        told.all.do(connection, [_columns(told.kinds, rows)])


def change_all(connection: Connection, changes: Sequence[tuple[Change, Values]]) -> None:
    """One after the other, as far as the order can be told by what is there in the end."""
    for told, rows in _groups(changes):
        change(connection, told, rows)


def _groups(changes: Sequence[tuple[Change, Values]]) -> Iterator[tuple[Change, list[Values]]]:
    """What may be done together. Changes of one table keep their order where they are about one row, or
    where nobody can say, because they name rows by other things."""
    tables: dict[Table, list[_Group]] = {}
    for told, row in changes:
        groups, key = tables.setdefault(told.table, []), told.key(row)
        behind = max((n for n, group in enumerate(groups, 1) if group.forbids(told, key)), default=0)
        group = next((each for each in groups[behind:] if each.told is told), None)
        if group is None:
            groups.append(group := _Group(told))
        group.keys.add(key)
        group.rows.append(row)
    for table in sorted(tables, key=lambda each: each.name):
        for group in tables[table]:
            yield group.told, group.rows


class _Group:
    def __init__(self, told: Change) -> None:
        self.told = told
        self.keys: set[Key] = set()
        self.rows: list[Values] = []

    def forbids(self, told: Change, key: Key) -> bool:
        """Whether this one must not be done before or with it."""
        return key in self.keys or told.by != self.told.by


def fetch(
    connection: Connection, table: Table, names: tuple[str, ...], keys: Sequence[Key]
) -> Iterator[dict[str, Any]]:
    """The rows with these values in these columns."""
    if not keys:
        return
    dialect = "" if len(keys) == 1 else connection.dialect.name
    if not dialect:
        asked: Values = {f"of_{name}": value for name, value in zip(names, keys[0], strict=True)}
    elif dialect == "postgresql":
        asked = {f"of_{name}": [key[n] for key in keys] for n, name in enumerate(names)}
    else:
        asked = {"asked": canonical([list(key) for key in keys])}
    yield from _fetching(table, names, dialect).mappings(connection, asked)


@cache
def _fetching(table: Table, names: tuple[str, ...], dialect: str) -> Statement:
    """For several keys at once; without ``dialect`` for one, in words that every database knows."""
    if not dialect:
        return Statement(select(table).where(*(table.c[name] == bindparam(f"of_{name}") for name in names)))
    if dialect == "postgresql":
        lists = _lists({f"of_{name}": table.c[name].type for name in names})
        asked: FromClause = lists
        same = [table.c[name] == lists.c[f"of_{name}"] for name in names]
    else:
        texts = func.json_each(bindparam("asked", type_=TEXT)).table_valued("value", name="given")
        asked = texts
        same = [table.c[name] == func.json_extract(texts.c.value, f"$[{n}]") for n, name in enumerate(names)]
    return Statement(select(table).select_from(asked.join(table, and_(*same))))


@cache
def rewriting(table: Table, keys: tuple[str, ...]) -> Change:
    """A row's other columns as they are told, each as ``as_`` and its name."""

    def tell(told: Any) -> UpdateBase:
        rest = {each.name: getattr(told, f"as_{each.name}") for each in table.c if each.name not in keys}
        return (
            table.update()
            .where(*(table.c[name] == getattr(told, f"as_{name}") for name in keys))
            .values(rest)
        )

    return Change(tell, [f"as_{name}" for name in keys], **{f"as_{each.name}": each.type for each in table.c})


def _lists(kinds: Mapping[str, TypeEngine[Any]]) -> FromClause:
    lists = [bindparam(name, type_=ARRAY(kind)) for name, kind in kinds.items()]
    columns = [column(name, kind) for name, kind in kinds.items()]
    return func.unnest(*lists).table_valued(*columns).render_derived(name="given")


def _columns(names: Mapping[str, Any], rows: Sequence[Values]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in names}
