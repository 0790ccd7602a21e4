"""Receivers of webhooks, what is to be delivered, and how far facts were taken over."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "webhooks_1"
down_revision: Final = "baseline"


def _column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.create_table(
        "webhook",
        _column("webhook", sa.String()),
        _column("called", sa.String()),
        *(_column(name, sa.Text()) for name in ("url", "kinds", "areas", "secret_sealed")),
        _column("made_by", sa.String()),
        _column("made_ms", sa.BigInteger()),
        _column("state", sa.String()),
        _column("why", sa.Text()),
        _column("since_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("webhook"),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        *(_column(name, sa.String()) for name in ("webhook", "event", "type", "case_number")),
        _column("body", sa.Text()),
        _column("state", sa.String()),
        _column("detail", sa.Text()),
        _column("attempts", sa.Integer()),
        *(_column(name, sa.BigInteger()) for name in ("made_ms", "next_ms", "done_ms")),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("webhook_delivery_state", "webhook_delivery", ["webhook", "state", "number"])
    op.create_index("webhook_delivery_done", "webhook_delivery", ["done_ms"])
    op.create_table(
        "webhook_position",
        _column("locker", sa.String()),
        _column("epoch", sa.String()),
        _column("taken_to", sa.BigInteger()),
        sa.PrimaryKeyConstraint("locker", "epoch"),
    )
    op.create_table(
        "webhook_fact",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        _column("taken_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number"),
    )
