"""Messages are found by what they are about and by their locker, however many there are."""

from typing import Final

from alembic import op

revision: Final = "messages_1"
down_revision: Final = "baseline"


def upgrade() -> None:
    op.create_index("notice_subject", "notice", ["subject"])
    op.create_index("notice_locker", "notice", ["locker", "state"])
