"""Messages know whether they may go at night, every try is kept, and receipts wait for a good time."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "messages_2"
down_revision: Final = "messages_1"


def upgrade() -> None:
    op.add_column(
        "notice", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    op.create_table(
        "notice_attempt",
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("notice", "number"),
    )
    op.create_index("notice_attempt_channel", "notice_attempt", ["channel", "at_ms"])
    op.create_table(
        "unsure_receipt",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("locker", "epoch")),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("number", "deposit", "case_number")),
        sa.Column("contact_sealed", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("locker", "epoch", "seq"),
    )
