"""Doors that the centre bars, and what became of each entry of its log."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from sync.central.migrations.columns import columns

revision: Final = "doors_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "door_bar",
        *columns(sa.String, "locker"),
        *columns(sa.Integer, "door"),
        *columns(sa.Text, "reason"),
        *columns(sa.String, "who"),
        *columns(sa.BigInteger, "at_ms", "seen_ms"),
        sa.PrimaryKeyConstraint("locker", "door"),
    )
    op.add_column("compartment", sa.Column("barred", sa.Text(), nullable=False, server_default=""))
    op.add_column("directive", sa.Column("outcome", sa.Text(), nullable=False, server_default=""))
    op.add_column("directive", sa.Column("told_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("directive_made", "directive", ["locker", "made_ms"])
