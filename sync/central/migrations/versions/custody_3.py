"""Stocktakes are known as a whole: who began and ended each, what it counted, which looks belong to it."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "custody_3"
down_revision: Final = "custody_2"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.add_column("custody_look", sa.Column("stocktake", sa.String(), nullable=False, server_default=""))
    texts = ("locker", "stocktake", "epoch", "scope", "began_by", "ended_by", "counted")
    op.create_table(
        "custody_stocktake",
        *(sa.Column(name, sa.String(), nullable=False) for name in texts),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("began_ms", "ended_ms")),
        sa.Column("agrees", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("locker", "stocktake"),
    )
    op.create_index("custody_stocktake_at", "custody_stocktake", ["began_ms"])
