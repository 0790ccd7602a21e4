"""Orders of new codes, entrustments, recalls."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from sync.central.migrations.columns import columns

revision: Final = "pickups_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "reissue",
        *columns(sa.String, "order_name", "item", "entrustment", "case_number", "locker"),
        *columns(sa.Boolean, "stolen"),
        *columns(sa.Text, "reason"),
        *columns(sa.String, "who"),
        *columns(sa.BigInteger, "asked_ms"),
        *columns(sa.String, "state"),
        *columns(sa.BigInteger, "told_ms"),
        sa.PrimaryKeyConstraint("order_name"),
    )
    op.create_index("reissue_case", "reissue", ["case_number", "asked_ms"])
    op.create_index("reissue_item", "reissue", ["item"])
    op.create_index("reissue_open", "reissue", ["locker", "state"])
    op.create_table(
        "entrustment",
        *columns(sa.String, "entrustment", "item", "case_number", "locker", "name", "phone"),
        *columns(sa.Text, "sealed", "directive"),
        *columns(sa.BigInteger, "valid_from_ms", "valid_until_ms"),
        *columns(sa.String, "who"),
        *columns(sa.BigInteger, "made_ms", "known_ms"),
        *columns(sa.String, "ended"),
        *columns(sa.BigInteger, "ended_ms"),
        sa.PrimaryKeyConstraint("entrustment"),
    )
    op.create_index("entrustment_item", "entrustment", ["item"])
    op.create_index("entrustment_locker", "entrustment", ["locker", "ended"])
    op.create_table(
        "recall",
        *columns(sa.String, "item", "locker"),
        *columns(sa.Text, "reason"),
        *columns(sa.String, "who"),
        *columns(sa.BigInteger, "at_ms"),
        sa.PrimaryKeyConstraint("item"),
    )
    op.create_index("recall_locker", "recall", ["locker"])
