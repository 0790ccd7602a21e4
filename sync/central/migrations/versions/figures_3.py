"""Figures are summed as they are counted."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "figures_3"
down_revision: Final = "figures_2"
branch_labels: Final = None
depends_on: Final = None

# What one line of each axis is of, and its name.
AXES: Final = (
    ("day", "day", "''"),
    ("locker", "day / 100", "figure.locker"),
    ("service_item", "day / 100", "service_item"),
    ("hour", "day / 100", "CASE WHEN hour < 10 THEN '0' ELSE '' END || CAST(hour AS VARCHAR)"),
)
SUMMING: Final = """
    INSERT INTO tally (axis, period, area, name, what, seconds, n, late)
    SELECT '{axis}', {period}, area, {name}, what, CASE WHEN took_ms > 0 THEN took_ms / 1000 ELSE -1 END,
        COUNT(*), SUM(CASE WHEN late THEN 1 ELSE 0 END)
    FROM figure JOIN locker ON locker.locker = figure.locker
    GROUP BY 2, 3, 4, 5, 6
"""


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("axis", sa.String(), nullable=False),
        sa.Column("period", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("axis", "period", "area", "name", "what", "seconds"),
        sqlite_with_rowid=False,
    )
    for axis, period, name in AXES:
        op.execute(SUMMING.format(axis=axis, period=period, name=name))
