"""Several results of one matter; items that leave a locker uncollected."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "onward_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.add_column("outgoing_item", sa.Column("results", sa.Text(), nullable=False, server_default="[]"))
    op.create_index("outgoing_item_state", "outgoing_item", ["state", "made_ms"])
    op.create_table(
        "onward",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("item", "state", "carrier", "tracking")),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("item"),
    )
