"""The rows of a transaction on one sheet of paper: read once, changed in memory, written in bulk.

What is asked for by its key is held here; everything else goes by `connection`, which first writes down what
has changed. So both may be mixed, and whoever needs to be quick asks by key.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Table

from sync.central import alarms, bulk, store
from sync.central import tables as t
from sync.central.bookings.tables import BOOKING
from sync.central.bulk import Change, Key, Values
from sync.central.complaints.tables import COMPLAINT, RATING
from sync.central.pickups.tables import ENTRUSTMENT
from sync.central.project.fit import fits, require_fit
from sync.central.statement import defaults

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
    BOOKING: ("booking",),
    COMPLAINT: ("source",),
    RATING: ("kind", "reference"),
    ENTRUSTMENT: ("entrustment",),
}
"""By what rows are held; of several with one key, any."""
OWN: Final = frozenset({t.COMPARTMENT, t.DEPOSIT, t.OPENING, t.PICKUP_CODE})
"""Written by nobody else while a locker's streams are locked. A row of others may be out of date at once."""


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


class _Page:
    """What is held of one table."""

    __slots__ = ("changed", "key", "names", "own", "rows", "table", "whole")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.names = KEYS[table]
        self.key = frozenset(self.names)
        self.own = table in OWN
        self.rows: dict[Key, Held | None] = {}
        self.changed: dict[Key, bool] = {}
        """Whether it is new."""
        self.whole: set[str] = set()
        """Lockers of which every row is held."""

    def forget(self) -> None:
        self.rows.clear()
        self.whole.clear()


class Sheet:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pages: dict[Table, _Page] = {table: _Page(table) for table in KEYS}
        self._added: dict[Table, list[dict[str, Any]]] = {}
        self._later: list[tuple[Change, Values]] = []
        self._raised: list[alarms.Raised] = []
        self._undo: list[Callable[[], object]] = []
        self.beyond = 0
        """How often something was done that cannot be undone here: written down, or asked of the database."""

    @property
    def connection(self) -> Connection:
        """For any statement that changes nothing of `OWN`: all that was changed is there, and what is held of
        other tables is asked for anew."""
        self.write()
        self.beyond += 1
        for page in self._pages.values():
            if not page.own:
                page.forget()
        return self._connection

    # --- asking --------------------------------------------------------------------------------------------

    def find(self, table: Table, keys: Values) -> Held | None:
        """The row with these values; its key must be among them."""
        page = self._pages[table]
        key = tuple([keys[name] for name in page.names])
        if key not in page.rows:
            self.fetch(table, [key])
        row = page.rows[key]
        if row is None or len(keys) == len(key):
            return row
        return row if all(row.values[name] == value for name, value in keys.items()) else None

    def fetch(self, table: Table, keys: Iterable[Key]) -> None:
        """Hold these rows, those that are not held yet by one statement."""
        page = self._pages[table]
        lacking: dict[Key, Held | None] = dict.fromkeys(key for key in keys if key not in page.rows)
        page.rows.update(lacking)
        asked = [key for key in lacking if key[0] not in page.whole]
        fitting = [key for key in asked if fits(table, dict(zip(page.names, key, strict=True)))]
        self._hold(page, page.names, fitting)

    def fetch_whole(self, table: Table, lockers: Iterable[str]) -> None:
        """Hold every row of these lockers; of a table whose key begins with them."""
        page = self._pages[table]
        lacking = set(lockers) - page.whole
        page.whole |= lacking
        self._hold(page, page.names[:1], [(locker,) for locker in sorted(lacking)])

    def _hold(self, page: _Page, names: tuple[str, ...], asked: list[Key]) -> None:
        """What is held already stays as it is: it may have been changed here."""
        for values in bulk.fetch(self._connection, page.table, names, asked):
            key = tuple([values[name] for name in page.names])
            if page.rows.get(key) is None:
                page.rows[key] = Held(values)

    def held(self, table: Table) -> Mapping[Key, Held | None]:
        """What is known of a table just now."""
        return self._pages[table].rows

    # --- changing ------------------------------------------------------------------------------------------

    def put(self, table: Table, keys: Values, values: Values) -> None:
        """Insert or update one row of `OWN`."""
        if not self.change(table, keys, values):
            page = self._pages[table]
            row = {**keys, **values}
            require_fit(table, row)
            key = tuple([keys[name] for name in page.names])
            self._set(page, key, Held({**defaults(table), **row}), new=True)

    def change(self, table: Table, keys: Values, values: Values) -> int:
        """How many rows of `OWN` with these keys got these values: with a whole key one, or none."""
        page = self._pages[table]
        if not page.own:
            raise AssertionError(f"{table.name} is not ours alone: say what is to be done `later`")
        if not page.key <= keys.keys():
            return self._change_whole(page, keys, values)
        row = self.find(table, keys)
        if row is None:
            return 0
        before = row.values
        for name, value in values.items():
            if before[name] != value:
                require_fit(table, values)
                key = tuple([keys[name] for name in page.names])
                self._set(page, key, Held({**before, **values}), new=False)
                break
        return 1

    def _change_whole(self, page: _Page, keys: Values, values: Values) -> int:
        """Every such row of one locker: all that it has are looked through, so it is for what is rare."""
        self.fetch_whole(page.table, [keys[page.names[0]]])
        held = [(key, row.values) for key, row in page.rows.items() if row is not None]
        found = [key for key, row in held if all(row[name] == keys[name] for name in keys)]
        return sum(self.change(page.table, dict(zip(page.names, key, strict=True)), values) for key in found)

    def add(self, table: Table, row: dict[str, Any]) -> None:
        """Insert a row that nobody can have inserted."""
        require_fit(table, row)
        row = {**defaults(table), **row}
        rows = self._added.setdefault(table, [])
        rows.append(row)
        self._undo.append(rows.pop)
        page = self._pages.get(table)
        if page:
            self._remember(page, tuple([row[name] for name in page.names]), Held(row))

    def later(self, change: Change, values: Values) -> None:
        """Done when everything is written down; it must change nothing of `OWN`, and sees nothing of it."""
        self._later.append((change, values))
        self._undo.append(self._later.pop)

    def alarm(self, locker: str, trouble: alarms.Trouble, now_ms: int) -> None:
        """Raised when everything is written down."""
        raised = (locker, trouble, now_ms)
        require_fit(t.ALARM, alarms.new(raised))
        self._raised.append(raised)
        self._undo.append(self._raised.pop)

    # --- undone or written ---------------------------------------------------------------------------------

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
            page.forget()
            page.changed.clear()
        self._added.clear()
        self._later.clear()
        self._raised.clear()
        self._undo.clear()

    def write(self) -> None:
        """Everything that changed, a statement or two for each table."""
        self._undo.clear()
        for page in self._pages.values():
            if page.changed:
                self._write_page(page)
        for table, rows in self._added.items():
            self._insert(table, rows)
        self._added.clear()
        if self._later:
            self.beyond += 1
            bulk.change_all(self._connection, self._later)
            self._later.clear()
        if self._raised:
            self.beyond += 1
            alarms.raise_all(self._connection, self._raised)
            self._raised.clear()

    def _write_page(self, page: _Page) -> None:
        rows = [(page.rows[key], new) for key, new in page.changed.items()]
        self._insert(page.table, [row.values for row, new in rows if row and new])
        changed = [
            {f"as_{name}": v for name, v in row.values.items()} for row, new in rows if row and not new
        ]
        bulk.change(self._connection, bulk.rewriting(page.table, page.names), changed)
        self.beyond += 1
        page.changed.clear()

    def _insert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.beyond += 1
            store.insert(self._connection, table, rows)

    def _set(self, page: _Page, key: Key, row: Held, *, new: bool) -> None:
        self._remember(page, key, row)
        if key not in page.changed:
            page.changed[key] = new
            self._undo.append(partial(page.changed.pop, key))

    def _remember(self, page: _Page, key: Key, row: Held) -> None:
        rows = page.rows
        if key in rows:
            self._undo.append(partial(rows.__setitem__, key, rows[key]))
        else:
            self._undo.append(partial(rows.pop, key))
        rows[key] = row
