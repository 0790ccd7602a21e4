"""Trouble that a person must look at: one row a locker, kind and subject, counted when it comes again."""

import logging
from dataclasses import dataclass

from sqlalchemy import Connection

from sync.central.tables import ALARM

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    kind: str
    subject: str
    detail: str


def raise_alarm(connection: Connection, locker: str, trouble: Trouble, now_ms: int) -> None:
    where = [ALARM.c.locker == locker, ALARM.c.kind == trouble.kind, ALARM.c.subject == trouble.subject]
    again = ALARM.update().where(*where).values(count=ALARM.c.count + 1, last_ms=now_ms)
    if connection.execute(again).rowcount:
        return
    log.warning("%s: %s (%s): %s", locker, trouble.kind, trouble.subject, trouble.detail)
    connection.execute(
        ALARM.insert().values(
            locker=locker,
            kind=trouble.kind,
            subject=trouble.subject,
            detail=trouble.detail,
            raised_ms=now_ms,
            count=1,
            last_ms=now_ms,
        )
    )
