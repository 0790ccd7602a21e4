"""What a helper took out on a round is found by the number of that round's slip."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "custody_2"
down_revision: Final = "custody_1"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.add_column("custody_held", sa.Column("round", sa.String(), nullable=False, server_default=""))
    op.create_index("custody_held_round", "custody_held", ["round"])
