"""What each locker was told of the centre's keys, and holds."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from sync.central.migrations.columns import columns

revision: Final = "rotation_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "centre_keys",
        *columns(sa.String, "locker"),
        *columns(sa.Text, "said"),
        *columns(sa.BigInteger, "said_ms"),
        *columns(sa.Text, "held"),
        *columns(sa.BigInteger, "held_ms"),
        sa.PrimaryKeyConstraint("locker"),
    )
