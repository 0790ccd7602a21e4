"""Cases at the office: how they stand, which papers are owed to them."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from sync.central.migrations.columns import columns

revision: Final = "intake_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "owed",
        *columns(sa.String, "owed", "kind", "area", "case_number", "authorisation", "locker"),
        *columns(sa.String, "service_item", "name", "state", "promised_by", "promised_how", "made_by"),
        *columns(sa.Text, "papers", "consequence", "again", "reason", "promise"),
        *columns(sa.BigInteger, "since_ms", "deadline_ms", "reminded_ms", "made_ms"),
        sa.PrimaryKeyConstraint("owed"),
    )
    op.create_index("owed_case", "owed", ["case_number"])
    op.create_index("owed_state", "owed", ["kind", "state", "deadline_ms"])
    op.create_table(
        "top_up",
        *columns(sa.String, "authorisation", "owed"),
        *columns(sa.BigInteger, "made_ms", "came_ms"),
        sa.PrimaryKeyConstraint("authorisation"),
    )
    op.create_index("top_up_owed", "top_up", ["owed"])
    op.create_table(
        "standing",
        *columns(sa.String, "area", "case_number", "standing", "who"),
        *columns(sa.Text, "remark"),
        *columns(sa.BigInteger, "at_ms"),
        sa.PrimaryKeyConstraint("area", "case_number"),
    )
