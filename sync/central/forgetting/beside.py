"""Contacts that lie beside cases: of messages, receipts, requests, uploads, people who left."""

from typing import Final

from sqlalchemy import Connection, or_

from sync.central.imports.doing import UPLOAD_KEPT_MS
from sync.central.imports.tables import UPLOAD
from sync.central.messages.tables import UNSURE_RECEIPT
from sync.central.personal.tables import LOST_CODE
from sync.central.tables import NOTICE, STAFF

_WAITING: Final = ("held", "due")
"""A message in such a state is still to be sent."""


def forget(connection: Connection, before_ms: int, now_ms: int) -> int:
    """From how many rows."""
    notice, receipt, staff = NOTICE.c, UNSURE_RECEIPT.c, STAFF.c
    sealed = or_(notice.contact_sealed != "", notice.codes_sealed != "")
    statements = (
        NOTICE.update()
        .where(notice.state.not_in(_WAITING), notice.made_ms < before_ms, sealed)
        .values(contact_sealed="", codes_sealed=""),
        UNSURE_RECEIPT.update()
        .where(receipt.made_ms < before_ms, receipt.contact_sealed != "")
        .values(contact_sealed=""),
        LOST_CODE.delete().where(LOST_CODE.c.at_ms < before_ms),
        UPLOAD.delete().where(UPLOAD.c.made_ms < now_ms - UPLOAD_KEPT_MS),
        STAFF.update()
        .where(staff.revoked_ms > 0, staff.revoked_ms < before_ms, staff.name != "")
        .values(name=""),
    )
    return sum(connection.execute(statement).rowcount for statement in statements)
