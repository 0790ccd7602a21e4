"""Acts, and who approved them."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "acts_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "act",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("act", "locker", "kind")),
        sa.Column("door", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("nonce", "case_number", "requested_by")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("requested_ms", "agreed_ms", "aseq")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("state", "why")),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("act"),
    )
    op.create_index("act_locker", "act", ["locker", "aseq"])
    op.create_index("act_state", "act", ["state", "since_ms"])
    op.create_table(
        "act_approval",
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("act", "who"),
    )
