"""Orders of new codes, entrustments, recalls."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "pickups_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def _columns(kind: type[sa.types.TypeEngine[Any]], *names: str) -> list["sa.Column[Any]"]:
    return [sa.Column(name, kind(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "reissue",
        *_columns(sa.String, "order_name", "item", "entrustment", "case_number", "locker"),
        *_columns(sa.Boolean, "stolen"),
        *_columns(sa.Text, "reason"),
        *_columns(sa.String, "who"),
        *_columns(sa.BigInteger, "asked_ms"),
        *_columns(sa.String, "state"),
        *_columns(sa.BigInteger, "told_ms"),
        sa.PrimaryKeyConstraint("order_name"),
    )
    op.create_index("reissue_case", "reissue", ["case_number", "asked_ms"])
    op.create_index("reissue_item", "reissue", ["item"])
    op.create_index("reissue_open", "reissue", ["locker", "state"])
    op.create_table(
        "entrustment",
        *_columns(sa.String, "entrustment", "item", "case_number", "locker", "name", "phone"),
        *_columns(sa.Text, "sealed", "directive"),
        *_columns(sa.BigInteger, "valid_from_ms", "valid_until_ms"),
        *_columns(sa.String, "who"),
        *_columns(sa.BigInteger, "made_ms", "known_ms"),
        *_columns(sa.String, "ended"),
        *_columns(sa.BigInteger, "ended_ms"),
        sa.PrimaryKeyConstraint("entrustment"),
    )
    op.create_index("entrustment_item", "entrustment", ["item"])
    op.create_index("entrustment_locker", "entrustment", ["locker", "ended"])
    op.create_table(
        "recall",
        *_columns(sa.String, "item", "locker"),
        *_columns(sa.Text, "reason"),
        *_columns(sa.String, "who"),
        *_columns(sa.BigInteger, "at_ms"),
        sa.PrimaryKeyConstraint("item"),
    )
    op.create_index("recall_locker", "recall", ["locker"])
