"""Files of cases and results, and which of their lines were taken."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "imports_1"
down_revision: Final = "baseline"


def upgrade() -> None:
    op.create_table(
        "import_upload",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("upload", "kind", "called", "made_by")),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("upload"),
    )
    op.create_table(
        "import_line",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("taken_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "line"),
    )
