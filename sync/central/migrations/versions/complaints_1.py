"""Complaints with their steps, ratings, and solutions."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from sync.central.migrations.columns import columns

revision: Final = "complaints_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None

_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "complaint",
        *columns(sa.String, "complaint", "source", "origin", "category", "area", "locker", "case_number"),
        *columns(sa.Text, "text", "context"),
        *columns(sa.String, "name", "phone"),
        *columns(sa.Text, "contact_sealed"),
        *columns(sa.String, "state", "assignee"),
        *columns(sa.Text, "solution"),
        *columns(sa.Integer, "level"),
        *columns(sa.BigInteger, "made_ms", "opened_ms", "due_ms", "next_ms", "resolved_ms", "closed_ms"),
        sa.PrimaryKeyConstraint("complaint"),
    )
    op.create_index("complaint_made", "complaint", ["made_ms", "complaint"])
    op.create_index("complaint_source", "complaint", ["source"])
    op.create_index("complaint_state", "complaint", ["state", "next_ms"])
    op.create_table(
        "complaint_step",
        *columns(sa.String, "complaint"),
        *columns(sa.Integer, "number"),
        *columns(sa.String, "move", "state", "who"),
        *columns(sa.Text, "note"),
        *columns(sa.BigInteger, "at_ms"),
        sa.PrimaryKeyConstraint("complaint", "number"),
    )
    op.create_table(
        "rating",
        sa.Column("number", _NUMBER, nullable=False),
        *columns(sa.String, "kind", "reference"),
        *columns(sa.Integer, "grade"),
        *columns(sa.Text, "text"),
        *columns(sa.String, "locker", "service_item", "complaint"),
        *columns(sa.BigInteger, "at_ms"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("rating_at", "rating", ["at_ms"])
    op.create_index("rating_subject", "rating", ["kind", "reference"], unique=True)
    op.create_table(
        "solution",
        *columns(sa.String, "solution", "complaint", "category", "title"),
        *columns(sa.Text, "text"),
        *columns(sa.String, "who"),
        *columns(sa.BigInteger, "at_ms", "withdrawn_ms"),
        sa.PrimaryKeyConstraint("solution"),
    )
