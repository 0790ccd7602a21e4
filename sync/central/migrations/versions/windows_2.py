"""Cases and letters name the department of the register that they are with."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "windows_2"
down_revision: Final = ("windows_1", "intake_1")
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "case_department",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("area", "case_number", "place", "who")),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("area", "case_number"),
    )
    op.add_column("owed", sa.Column("department", sa.String(), nullable=False, server_default=""))
