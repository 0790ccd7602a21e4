"""Feast days, and days that are worked in their place."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "workdays_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "work_day",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("works", sa.Boolean(), nullable=False),
        sa.Column("called", sa.Text(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
