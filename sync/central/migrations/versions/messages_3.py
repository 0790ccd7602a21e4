"""Rights that no locker has confirmed are found however many there are."""

from typing import Final

from alembic import op

revision: Final = "messages_3"
down_revision: Final = "messages_2"


def upgrade() -> None:
    op.create_index("authorisation_waiting", "authorisation", ["granted_ms", "made_ms"])
