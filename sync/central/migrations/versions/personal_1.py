"""Codes that people say they have lost."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "personal_1"
down_revision: Final = "baseline"


def upgrade() -> None:
    op.create_table(
        "lost_code",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("asked_sealed", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("lost_code_who", "lost_code", ["who", "at_ms"])
