"""Complaints with their steps, ratings, and solutions."""

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "complaints_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None

_NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _columns(kind: Callable[[], Any], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "complaint",
        *_columns(sa.String, "complaint", "source", "origin", "category", "area", "locker", "case_number"),
        *_columns(sa.Text, "text", "context"),
        *_columns(sa.String, "name", "phone"),
        *_columns(sa.Text, "contact_sealed"),
        *_columns(sa.String, "state", "assignee"),
        *_columns(sa.Text, "solution"),
        *_columns(sa.Integer, "level"),
        *_columns(sa.BigInteger, "made_ms", "opened_ms", "due_ms", "next_ms", "resolved_ms", "closed_ms"),
        sa.PrimaryKeyConstraint("complaint"),
    )
    op.create_index("complaint_made", "complaint", ["made_ms", "complaint"])
    op.create_index("complaint_source", "complaint", ["source"])
    op.create_index("complaint_state", "complaint", ["state", "next_ms"])
    op.create_table(
        "complaint_step",
        *_columns(sa.String, "complaint"),
        *_columns(sa.Integer, "number"),
        *_columns(sa.String, "move", "state", "who"),
        *_columns(sa.Text, "note"),
        *_columns(sa.BigInteger, "at_ms"),
        sa.PrimaryKeyConstraint("complaint", "number"),
    )
    op.create_table(
        "rating",
        sa.Column("number", _NUMBER, nullable=False),
        *_columns(sa.String, "kind", "reference"),
        *_columns(sa.Integer, "grade"),
        *_columns(sa.Text, "text"),
        *_columns(sa.String, "locker", "service_item", "complaint"),
        *_columns(sa.BigInteger, "at_ms"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("rating_at", "rating", ["at_ms"])
    op.create_index("rating_subject", "rating", ["kind", "reference"], unique=True)
    op.create_table(
        "solution",
        *_columns(sa.String, "solution", "complaint", "category", "title"),
        *_columns(sa.Text, "text"),
        *_columns(sa.String, "who"),
        *_columns(sa.BigInteger, "at_ms", "withdrawn_ms"),
        sa.PrimaryKeyConstraint("solution"),
    )
