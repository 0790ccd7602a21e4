"""Names of lockers that were given up, and the keys of their journals."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from sync.central.migrations.columns import columns

revision: Final = "authority_2"
down_revision: Final = "authority_1"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "name_release",
        *columns(sa.String, "release", "locker", "area"),
        *columns(sa.Text, "why"),
        *columns(sa.String, "asked_by"),
        *columns(sa.BigInteger, "asked_ms"),
        *columns(sa.String, "agreed_by"),
        *columns(sa.BigInteger, "agreed_ms"),
        sa.PrimaryKeyConstraint("release"),
    )
    op.create_index("name_release_locker", "name_release", ["locker"])
    op.create_table(
        "former_locker_key",
        *columns(sa.String, "locker", "epoch", "public"),
        sa.PrimaryKeyConstraint("locker", "epoch"),
    )
