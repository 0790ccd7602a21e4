"""Windows and departments become a register: each name there was in each area is one, and gets an id."""

import hashlib
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "windows_1"
down_revision: Final = ("custody_1", "access_1")
branch_labels: Final = None
depends_on: Final = None

KINDS: Final = ("window", "department")
NAMED: Final = (
    ("custody_held", "holder_kind", "holder"),
    ("custody_slip", "from_kind", "from_name"),
    ("custody_slip", "to_kind", "to_name"),
)
"""Table, and the columns in which a party stands; each has an area."""


def upgrade() -> None:
    op.create_table(
        "place",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("place", "kind", "area", "name")),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_index("place_area", "place", ["area", "kind"])
    op.create_table(
        "place_account",
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("place", "account"),
    )
    op.create_table(
        "staff_account",
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("staff"),
    )
    _take_over(op.get_bind())


def _take_over(connection: sa.Connection) -> None:
    for area, kind, name in sorted(_known(connection)):
        place = hashlib.sha256(f"{area}/{kind}/{name}".encode()).hexdigest()[:16]
        values = {"place": place, "kind": kind, "area": area, "name": name}
        connection.execute(
            sa.text("INSERT INTO place VALUES (:place, :kind, :area, :name, 'hub', 0, 0)"), values
        )
        for table, kinds, names in NAMED:
            connection.execute(
                sa.text(
                    f"UPDATE {table} SET {names} = :place"  # noqa: S608  # our own names
                    f" WHERE {kinds} = :kind AND {names} = :name AND area = :area"
                ),
                values,
            )
        if kind == "window":
            _windows(connection, values)


def _known(connection: sa.Connection) -> set[tuple[str, str, str]]:
    found = set[tuple[str, str, str]]()
    for table, kinds, names in NAMED:
        rows = connection.execute(sa.text(f"SELECT DISTINCT area, {kinds}, {names} FROM {table}"))  # noqa: S608
        found |= {(area, kind, name) for area, kind, name in rows if kind in KINDS and name}
    rows = connection.execute(sa.text('SELECT area, "window" FROM custody_queue'))
    return found | {(area, "window", name) for area, name in rows if name}


def _windows(connection: sa.Connection, values: dict[str, str]) -> None:
    """Where a thing is numbered: at the window it was proposed to."""
    for statement in (
        'UPDATE custody_held SET "window" = :place WHERE "window" = :name AND area = :area',
        'UPDATE custody_queue SET "window" = :place WHERE "window" = :name AND area = :area',
        (
            'UPDATE custody_slip_line SET "window" = :place WHERE "window" = :name'
            " AND slip IN (SELECT slip FROM custody_slip WHERE area = :area)"
        ),
    ):
        connection.execute(sa.text(statement), values)
