"""What is counted from the ledger."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "figures_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "figure",
        sa.Column("locker", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("service_item", sa.String(), nullable=False),
        sa.Column("took_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("locker", "epoch", "seq"),
    )
    op.create_index("figure_day", "figure", ["day"])
    op.create_table(
        "occupancy",
        sa.Column("locker", sa.String(), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.String(), nullable=False),
        sa.Column("doors", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("locker", "hour_ms", "size"),
    )
    op.create_table(
        "counted_to",
        sa.Column("locker", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("locker", "epoch"),
    )
