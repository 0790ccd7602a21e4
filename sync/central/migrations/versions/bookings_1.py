"""Booked slots."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from sync.central.migrations.columns import columns

revision: Final = "bookings_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "booking",
        *columns(sa.String, "booking", "authorisation", "case_number", "locker", "size"),
        *columns(sa.BigInteger, "from_ms", "until_ms", "made_ms"),
        *columns(sa.String, "made_by", "state"),
        *columns(sa.Text, "why"),
        *columns(sa.BigInteger, "since_ms"),
        *columns(sa.String, "dn_epoch"),
        *columns(sa.BigInteger, "dn_seq"),
        sa.PrimaryKeyConstraint("booking"),
    )
    op.create_index("booking_right", "booking", ["authorisation", "state"])
    op.create_index("booking_locker", "booking", ["locker", "state"])
    op.create_index("booking_said", "booking", ["locker", "dn_epoch", "dn_seq"])
