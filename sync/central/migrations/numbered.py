"""Databases from before Alembic: first without a number, then with one. They become ``baseline``."""

from typing import Final

from sqlalchemy import Connection, inspect, text

from sync.central.tables import SCHEMA

LAST: Final = 2
"""Where the numbering ends. It is still written down, so that software of those days refuses the database."""


def bring_up(connection: Connection) -> None:
    """What was added to the tables before ``baseline``."""
    if "blocked" not in {column["name"] for column in inspect(connection).get_columns("compartment")}:
        connection.execute(text("ALTER TABLE compartment ADD COLUMN blocked TEXT NOT NULL DEFAULT ''"))
    SCHEMA.create(connection, checkfirst=True)
    connection.execute(SCHEMA.delete())
    connection.execute(SCHEMA.insert().values(number=LAST))
