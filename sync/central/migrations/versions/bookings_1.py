"""Booked slots."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "bookings_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def _columns(kind: type[sa.types.TypeEngine[Any]], *names: str) -> list["sa.Column[object]"]:
    return [sa.Column(name, kind(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "booking",
        *_columns(sa.String, "booking", "authorisation", "case_number", "locker", "size"),
        *_columns(sa.BigInteger, "from_ms", "until_ms", "made_ms"),
        *_columns(sa.String, "made_by", "state"),
        *_columns(sa.Text, "why"),
        *_columns(sa.BigInteger, "since_ms"),
        *_columns(sa.String, "dn_epoch"),
        *_columns(sa.BigInteger, "dn_seq"),
        sa.PrimaryKeyConstraint("booking"),
    )
    op.create_index("booking_right", "booking", ["authorisation", "state"])
    op.create_index("booking_locker", "booking", ["locker", "state"])
    op.create_index("booking_said", "booking", ["locker", "dn_epoch", "dn_seq"])
