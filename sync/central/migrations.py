"""From a database of any older schema to the present one: numbered steps, each whole or not at all.

A step is SQL of its own day: it never asks `tables`, which describe the present one alone.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, select, text

from sync.central.tables import LOCKER, SCHEMA, Base

Step = Callable[[Connection], None]


class StoreTooNew(Exception):
    """Written by later software; it was left as it is."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path} has schema {found}, this software knows up to {known}: install the later software again"
        )
        self.found = found
        self.known = known


def _blocked(connection: Connection) -> None:
    """Databases without a number: some are from before a technician could block a door."""
    if "blocked" not in {column["name"] for column in inspect(connection).get_columns("compartment")}:
        connection.execute(text("ALTER TABLE compartment ADD COLUMN blocked TEXT NOT NULL DEFAULT ''"))


STEPS: Final[tuple[Step, ...]] = (_blocked,)
"""Step n makes schema n of the one before it; schema 0 has no number yet."""


def bring_up(engine: Engine, path: Path) -> None:
    """Also for an empty file, at once. A cut in between is met by doing it again. Raises StoreTooNew."""
    while True:
        with engine.begin() as connection:
            schema = _schema(connection)
            if schema is None:
                Base.metadata.create_all(connection)
                connection.execute(SCHEMA.insert().values(number=len(STEPS)))
                return
            if schema > len(STEPS):
                raise StoreTooNew(path, schema, len(STEPS))
            if schema == len(STEPS):
                return
            STEPS[schema](connection)
            SCHEMA.create(connection, checkfirst=True)
            connection.execute(SCHEMA.delete())
            connection.execute(SCHEMA.insert().values(number=schema + 1))


def _schema(connection: Connection) -> int | None:
    """None: nothing is there yet."""
    there = inspect(connection)
    if there.has_table(SCHEMA.name):
        return int(connection.execute(select(SCHEMA.c.number)).scalar_one())
    return 0 if there.has_table(LOCKER.name) else None
