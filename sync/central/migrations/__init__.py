"""From a database of any older schema to the present one, by Alembic: whole, or not at all.

Each room of the hub has its own chain of steps in `versions`, after ``baseline``. A step is of its own day:
it never asks the tables' modules, which describe the present alone. An empty database is made from those at
once; a test compares the two ways.
"""

import ast
import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    inspect,
    select,
    text,
)

import sync.central
from sync.central.migrations import numbered
from sync.central.tables import LOCKER, SCHEMA, Base

FOLDER: Final = Path(__file__).parent
BRANCHES: Final = "heads"
"""Where every room's chain ends."""
_LOCK: Final = 0x646F636C
"""Of PostgreSQL, for one transaction: several processes may start at the same time."""
_VERSION: Final = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic makes it."""


class StoreTooNew(Exception):
    """Written by later software; it was left as it is."""

    def __init__(self, where: str, found: object, known: object) -> None:
        super().__init__(
            f"{where} has schema {found}, this software knows up to {known}: install the later software again"
        )
        self.found = found
        self.known = known


def metadata() -> MetaData:
    """Every table of the hub: `sync.central.tables`, and ``tables`` of each room that has some."""
    for room in pkgutil.iter_modules(sync.central.__path__, "sync.central."):
        if room.ispkg and importlib.util.find_spec(f"{room.name}.tables"):
            importlib.import_module(f"{room.name}.tables")
    return Base.metadata


def bring_up(engine: Engine, where: str) -> None:
    """Also for an empty database. One transaction: a cut in between is met by doing it again.

    Raises StoreTooNew. ``where`` is told in it.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        found = _found(connection)
        _require_known(connection, where, found)
        if found is None:
            metadata().create_all(connection)
            connection.execute(SCHEMA.insert().values(number=numbered.LAST))
            _VERSION.create(connection)
            connection.execute(_VERSION.insert(), [{"version_num": head} for head in sorted(heads())])
        elif found != heads():
            if not found:
                numbered.bring_up(connection)
            run(connection)


def _found(connection: Connection) -> frozenset[str] | None:
    """The steps it has; empty for one from before there were any, None for an empty database."""
    there = inspect(connection)
    if there.has_table(_VERSION.name):
        return frozenset(connection.execute(select(_VERSION.c.version_num)).scalars())
    return frozenset() if there.has_table(LOCKER.name) else None


def _require_known(connection: Connection, where: str, found: frozenset[str] | None) -> None:
    later = sorted((found or frozenset()) - steps().keys())
    if later:
        raise StoreTooNew(where, later[0], ", ".join(sorted(heads())))
    if found is not None and inspect(connection).has_table(SCHEMA.name):
        number = connection.execute(select(SCHEMA.c.number)).scalar_one()
        if number > numbered.LAST:
            raise StoreTooNew(where, number, numbered.LAST)


# --- the steps, known without Alembic: importing it takes time, and there is mostly nothing to do -----------


def steps() -> Mapping[str, tuple[str, ...]]:
    """Each step, and those that come before it: none only for the first."""
    return _steps_in(FOLDER)


@cache
def _steps_in(folder: Path) -> Mapping[str, tuple[str, ...]]:
    return dict(_step(path) for path in sorted((folder / "versions").glob("[a-z]*.py")))


def heads() -> frozenset[str]:
    """The last step of each chain."""
    return frozenset(steps()) - {before for of_before in steps().values() for before in of_before}


def _step(path: Path) -> tuple[str, tuple[str, ...]]:
    """Read, not run: a step itself needs Alembic."""
    said: dict[str, Any] = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id in {"revision", "down_revision"}:
            said[target.id] = ast.literal_eval(node.value)  # type: ignore[attr-defined]  # both have one
    before = said["down_revision"] or ()
    return said["revision"], (before,) if isinstance(before, str) else tuple(before)


# --- Alembic ------------------------------------------------------------------------------------------------


def run(connection: Connection) -> None:
    """Every step that is lacking."""
    from alembic import command  # noqa: PLC0415  # late: see above
    from alembic.config import Config  # noqa: PLC0415  # same

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    command.upgrade(config, BRANCHES)
