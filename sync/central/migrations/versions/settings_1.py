"""What the centre wishes of its lockers' limits, and what each was told and holds."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "settings_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def _columns(kind: type[sa.types.TypeEngine[Any]], *names: str) -> list["sa.Column[object]"]:
    return [sa.Column(name, kind(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "setting_wish",
        *_columns(sa.String, "level", "place", "name"),
        *_columns(sa.Text, "value"),
        *_columns(sa.String, "who"),
        *_columns(sa.BigInteger, "at_ms"),
        sa.PrimaryKeyConstraint("level", "place", "name"),
    )
    op.create_table(
        "locker_settings",
        *_columns(sa.String, "locker"),
        *_columns(sa.BigInteger, "version"),
        *_columns(sa.Text, "said"),
        *_columns(sa.BigInteger, "said_ms", "held_version"),
        *_columns(sa.Text, "held", "given"),
        *_columns(sa.BigInteger, "held_ms"),
        *_columns(sa.Text, "refused"),
        sa.PrimaryKeyConstraint("locker"),
    )
