"""An act's row moves on, in the transaction of whatever moved it."""

from typing import Any

from sqlalchemy import Connection, Row

from sync.central import store as rows
from sync.central.acts import approvals
from sync.central.acts.approvals import Signal, State
from sync.central.acts.tables import ACT


def move(connection: Connection, row: Row[Any], signal: Signal, now_ms: int, why: str = "") -> None:
    """An act's next state, where ``signal`` leads to one."""
    before = State(row.state)
    after = approvals.advance(before, signal)
    if after is before:
        return
    values = {"state": after.value, "why": why, "since_ms": now_ms}
    rows.change(connection, ACT, {"act": row.act}, values)
