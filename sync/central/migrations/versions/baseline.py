"""The tables as they were when Alembic took over. A database of before has them already."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision: Final = "baseline"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None

NUMBER: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT: Final = sa.Text().with_variant(BYTEA(), "postgresql")


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("locker"):
        return
    _link()
    _projections()
    _desk()
    _staff_and_messages()


def _link() -> None:
    _table(
        "locker",
        ["locker"],
        *_names("locker", "area", "public"),
        _text("code_key_sealed"),
        _big("enrolled_ms"),
        *_names("epoch"),
        _big("boot"),
        _big("conn"),
        _flag("online"),
        *_names("link_reason", "software"),
        _big("head"),
        _big("last_heard_ms"),
        _big("link_ms"),
        _text("state_text"),
        *_names("dn_epoch"),
        _big("dn_head"),
        *_names("dn_hash"),
        _big("dn_stored_to"),
    )
    _table(
        "stream",
        ["locker", "epoch"],
        *_names("locker", "epoch"),
        _int("ordinal"),
        _big("stored_to"),
        *_names("hash", "parent_epoch"),
        _big("parent_head"),
        *_names("parent_hash", "mark"),
        _big("first_seen_ms"),
    )
    _table(
        "ledger_entry",
        ["locker", "epoch", "seq"],
        *_names("locker", "epoch"),
        _big("seq"),
        *_names("kind", "case_number"),
        _column("public", EXACT),
        _column("personal", EXACT),
        _column("salt", sa.LargeBinary()),
        *_names("personal_digest", "hash"),
        _big("received_ms"),
        _text("problem"),
    )
    op.create_index("ledger_entry_case", "ledger_entry", ["case_number"])
    _table(
        "directive",
        ["locker", "dn_epoch", "seq"],
        *_names("locker", "dn_epoch"),
        _big("seq"),
        _text("text"),
        *_names("hash"),
        _big("made_ms"),
    )


def _projections() -> None:
    _table(
        "compartment",
        ["locker", "number"],
        *_names("locker"),
        _int("number"),
        *_names("cabinet", "size", "reach"),
        _int("row"),
        _int("column"),
        _flag("item_sensor"),
        *_names("position", "item", "deposit"),
        _text("doubt"),
        _text("fault"),
        _text("blocked"),
        _flag("configured"),
    )
    _table(
        "deposit",
        ["locker", "deposit"],
        *_names("locker", "deposit", "kind"),
        _int("door"),
        *_names("case_number", "authorisation", "item", "phase", "proof"),
        _big("since_ms"),
        *_names("time_quality", "receipt"),
        _flag("overdue"),
    )
    op.create_index("deposit_case", "deposit", ["case_number"])
    _table(
        "opening",
        ["locker", "grant_id"],
        *_names("locker", "grant_id"),
        _int("door"),
        *_names("purpose", "deposit", "outcome"),
    )
    _table("pickup_code", ["locker", "code"], *_names("locker", "code", "deposit", "ended"))
    _table(
        "ticket",
        ["locker", "epoch", "seq"],
        *_names("locker", "epoch"),
        _big("seq"),
        *_names("kind"),
        _int("door"),
        *_names("deposit"),
        _big("at_ms"),
    )
    _table(
        "alarm",
        ["number"],
        _column("number", NUMBER),
        *_names("locker", "kind"),
        _text("subject"),
        _text("detail"),
        _big("raised_ms"),
        _int("count"),
        _big("last_ms"),
    )
    op.create_index("alarm_subject", "alarm", ["locker", "kind", "subject"], unique=True)


def _desk() -> None:
    _table(
        "authorisation",
        ["authorisation"],
        *_names("authorisation", "case_number", "service_item"),
        _text("papers"),
        _text("deferred"),
        *_names("size", "locker", "name", "phone"),
        _text("sealed"),
        *_names("locator"),
        _text("directive"),
        *map(_big, ("valid_from_ms", "valid_until_ms", "made_ms", "granted_ms")),
        *_names("ended"),
        _big("ended_ms"),
    )
    op.create_index("authorisation_case", "authorisation", ["case_number"])
    op.create_index("authorisation_locker", "authorisation", ["locker", "ended"])
    _table(
        "outgoing_item",
        ["item"],
        *_names("item", "case_number", "service_item", "size", "locker"),
        _flag("second_factor"),
        *_names("name", "phone"),
        _text("sealed"),
        _text("directive"),
        *_names("state"),
        _big("made_ms"),
        _big("valid_until_ms"),
    )
    op.create_index("outgoing_item_case", "outgoing_item", ["case_number"])
    _table(
        "desk_fact",
        ["number"],
        _column("number", NUMBER),
        *_names("case_number", "kind", "reference", "actor"),
        _text("detail"),
        _big("at_ms"),
    )
    op.create_index("desk_fact_case", "desk_fact", ["case_number"])
    _table(
        "repeat",
        ["route", "key"],
        *_names("route", "key", "body_digest", "reference"),
        _big("made_ms"),
    )
    _table("schema_number", ["number"], _int("number"))


def _staff_and_messages() -> None:
    _table(
        "staff",
        ["staff"],
        *_names("staff", "name"),
        _text("roles"),
        _big("made_ms"),
        _big("revoked_ms"),
    )
    _table(
        "staff_grant",
        ["staff", "locker"],
        *_names("staff", "locker", "badge_digest", "pin_digest"),
        _big("until_ms"),
    )
    _table(
        "notice",
        ["key"],
        *_names("key", "template", "locker", "epoch"),
        _big("seq"),
        *_names("subject"),
        _text("contact_sealed"),
        _text("codes_sealed"),
        _text("variables"),
        *_names("case_number", "state"),
        _text("detail"),
        _int("attempts"),
        *map(_big, ("next_ms", "made_ms", "sent_ms")),
    )
    op.create_index("notice_state", "notice", ["state", "next_ms"])


def _table(name: str, key: list[str], *columns: sa.Column[Any]) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key))


def _column(name: str, kind: Any) -> sa.Column[Any]:
    # Only a lone whole number counts by itself: `NUMBER`.
    return sa.Column(name, kind, nullable=False, autoincrement=kind is NUMBER)


def _names(*names: str) -> list[sa.Column[Any]]:
    return [_column(name, sa.String()) for name in names]


def _text(name: str) -> sa.Column[Any]:
    return _column(name, sa.Text())


def _big(name: str) -> sa.Column[Any]:
    return _column(name, sa.BigInteger())


def _int(name: str) -> sa.Column[Any]:
    return _column(name, sa.Integer())


def _flag(name: str) -> sa.Column[Any]:
    return _column(name, sa.Boolean())
