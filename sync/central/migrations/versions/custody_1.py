"""Who holds what beyond the lockers: hands, slips, differences, looks, resolutions."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "custody_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None

_KINDS: Final[Mapping[str, Any]] = {
    "": sa.String(),
    "text": sa.Text(),
    "small": sa.Integer(),
    "big": sa.BigInteger(),
    "flag": sa.Boolean(),
    "row": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
}


def upgrade() -> None:
    _hands()
    _slips()
    _table(
        "custody_difference",
        "number",
        "number:row room kind area locker door:small slip thing case_number said:text found_by at_ms:big"
        " outcome note:text resolved_by resolved_ms:big",
    )
    op.create_index("custody_difference_open", "custody_difference", ["resolved_ms", "area"])
    _table(
        "custody_look",
        "locker epoch seq",
        "locker epoch seq:big door:small found staff second case_number at_ms:big",
    )
    op.create_index("custody_look_at", "custody_look", ["at_ms"])
    _table(
        "custody_resolution",
        "number",
        "number:row locker deposit door:small case_number outcome whereto taken_by note:text who at_ms:big"
        " epoch stored_to:big head:big",
    )
    op.create_index("custody_resolution_deposit", "custody_resolution", ["locker", "deposit"])
    _table("custody_folded_to", "locker epoch", "locker epoch seq:big")


def _hands() -> None:
    _table(
        "custody_held",
        "thing",
        "thing case_number area locker holder_kind holder since_ms:big confirmed:flag window queue:small"
        " slip",
    )
    op.create_index("custody_held_case", "custody_held", ["case_number"])
    op.create_index("custody_held_holder", "custody_held", ["holder_kind", "holder"])
    _table("custody_queue", "area window", "area window number:small")


def _slips() -> None:
    _table(
        "custody_slip",
        "slip",
        "slip area from_kind from_name to_kind to_name note:text proposed_by proposed_ms:big state"
        " settled_by settled_ms:big",
    )
    op.create_index("custody_slip_state", "custody_slip", ["state", "proposed_ms"])
    _table("custody_slip_line", "slip thing", "slip thing case_number service_item window queue:small state")
    op.create_index("custody_slip_line_thing", "custody_slip_line", ["thing"])


def _table(name: str, keys: str, columns: str) -> None:
    """``columns``: names, with their kinds where they are no short texts. None may be null."""
    made = [_column(*each.partition(":")[::2]) for each in columns.split()]
    op.create_table(name, *made, sa.PrimaryKeyConstraint(*keys.split()))


def _column(name: str, kind: str) -> sa.Column[Any]:
    if name == "seq":
        return sa.Column(name, _KINDS[kind], autoincrement=False, nullable=False)
    return sa.Column(name, _KINDS[kind], nullable=False)
