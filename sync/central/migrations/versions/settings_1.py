"""What the centre wishes of its lockers' limits, and what each was told and holds."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from sync.central.migrations.columns import columns

revision: Final = "settings_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "setting_wish",
        *columns(sa.String, "level", "place", "name"),
        *columns(sa.Text, "value"),
        *columns(sa.String, "who"),
        *columns(sa.BigInteger, "at_ms"),
        sa.PrimaryKeyConstraint("level", "place", "name"),
    )
    op.create_table(
        "locker_settings",
        *columns(sa.String, "locker"),
        *columns(sa.BigInteger, "version"),
        *columns(sa.Text, "said"),
        *columns(sa.BigInteger, "said_ms", "held_version"),
        *columns(sa.Text, "held", "given"),
        *columns(sa.BigInteger, "held_ms"),
        *columns(sa.Text, "refused"),
        sa.PrimaryKeyConstraint("locker"),
    )
