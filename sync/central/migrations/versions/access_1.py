"""Accounts, sessions, keys and the journal of acts."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "access_1"
down_revision: Final = "baseline"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    _people()
    _ways_in()
    _journal()


def _people() -> None:
    _table(
        "account",
        ["account"],
        *_names("account", "shown"),
        _text("password"),
        _column("first_password", sa.Boolean()),
        *map(_text, ("roles", "areas", "totp_sealed")),
        _big("totp_step"),
        _text("subject"),
        *map(_big, ("made_ms", "changed_ms", "ended_ms")),
    )
    op.create_index("account_subject", "account", ["subject"])
    _table("recovery_code", ["account", "digest"], *_names("account", "digest"), _big("used_ms"))
    _table(
        "session",
        ["digest"],
        *_names("digest", "account", "stage"),
        _big("made_ms"),
        _big("seen_ms"),
        _text("secret_sealed"),
    )
    op.create_index("session_account", "session", ["account"])
    _table("known_browser", ["digest", "account"], *_names("digest", "account"), _big("seen_ms"))


def _ways_in() -> None:
    _table(
        "sign_in_failures",
        ["lane"],
        *_names("lane"),
        _column("failures", sa.Integer()),
        _big("last_ms"),
    )
    op.create_index("sign_in_failures_last", "sign_in_failures", ["last_ms"])
    _table(
        "sign_in_elsewhere",
        ["digest"],
        *_names("digest", "state", "nonce", "verifier"),
        _text("onward"),
        _big("made_ms"),
    )
    _table(
        "api_key",
        ["name"],
        *_names("name", "prefix", "digest"),
        _text("scopes"),
        _text("areas"),
        _big("made_ms"),
        *_names("made_by"),
        *map(_big, ("expires_ms", "revoked_ms", "used_ms")),
    )
    op.create_index("api_key_digest", "api_key", ["digest"], unique=True)


def _journal() -> None:
    _table(
        "audit",
        ["seq"],
        _big("seq"),
        _big("at_ms"),
        *_names("actor", "roles", "action", "object"),
        _text("detail"),
        *_names("previous", "hash"),
    )
    op.create_index("audit_object", "audit", ["object"])
    op.create_index("audit_actor", "audit", ["actor"])
    _table("audit_head", ["number"], _big("number"), _big("seq"), *_names("hash"))
    _table("audit_signed", ["seq"], _big("seq"), _big("at_ms"), *_names("hash", "key", "signature"))


def _table(name: str, key: list[str], *columns: sa.Column[Any]) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key))


def _column(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, autoincrement=False)


def _names(*names: str) -> list[sa.Column[Any]]:
    return [_column(name, sa.String()) for name in names]


def _text(name: str) -> sa.Column[Any]:
    return _column(name, sa.Text())


def _big(name: str) -> sa.Column[Any]:
    return _column(name, sa.BigInteger())
