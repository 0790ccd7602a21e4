"""How far names were taken out of what lockers told and were told."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "forgetting_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "forgotten_to",
        sa.Column("locker", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("locker", "stream"),
    )
