"""What a locker counts of frames that it dropped is kept."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "fleet_2"
down_revision: Final = "fleet_1"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.add_column("locker", sa.Column("dropped", sa.Text(), nullable=False, server_default="{}"))
