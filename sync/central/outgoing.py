"""A result is ready: it is announced to its locker and gets a label that a helper scans to load it."""

import json
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row

from locker.domain import directives, tokens
from locker.domain.compartment import Size
from locker.domain.encoding import canonical
from locker.domain.events import ItemAnnounced
from locker.domain.ids import CaseNumber, ItemId, Seq
from sync.central import masks
from sync.central.cases import BACKDATE_MS, TOKEN_NONCE_BYTES, Person, phone_digest, signed_token
from sync.central.desk import Desk, Refusal, Refused, locker_row, note
from sync.central.directives import append
from sync.central.settings.said import wished
from sync.central.store import find, insert
from sync.central.tables import OUTGOING_ITEM

DAY_MS: Final = 86_400_000
BETWEEN: Final = "；"
"""Between names in one line."""
LABEL_DAYS: Final = 30
"""As long as a locker must work without its centre."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    item: str
    """Empty: the hub names it."""
    case: str
    service_item: str
    size: Size
    recipient: Person
    locker: str
    second_factor: bool
    results: tuple[str, ...] = ()
    """Several results of one matter lie together under one code; ``service_item`` is the matter's name."""


def announce(connection: Connection, desk: Desk, outgoing: Outgoing, actor: str) -> str:
    """The item's name. Raises Refused."""
    locker = locker_row(connection, outgoing.locker)
    now_ms = desk.clock.wall_ms()
    item = ItemId(outgoing.item or desk.chance.new_id())
    if find(connection, OUTGOING_ITEM, {"item": item}):
        raise Refused(Refusal.ITEM_EXISTS, f"item {item!r} is known already")
    begins, ends = now_ms - BACKDATE_MS, now_ms + LABEL_DAYS * DAY_MS
    says = ItemAnnounced(
        item=item,
        case=CaseNumber(outgoing.case),
        service_item=outgoing.service_item,
        size=outgoing.size,
        second_factor=outgoing.second_factor,
        phone4_digest=phone_digest(desk.code_key(locker), outgoing.recipient.phone, outgoing.case),
        hold_days=wished(connection, outgoing.locker).hold_days,
        name=masks.name(outgoing.recipient.name),
        phone=masks.phone(outgoing.recipient.phone),
    )
    token = signed_token(
        desk,
        tokens.Token(
            purpose=tokens.TokenPurpose.LOAD,
            scope=tokens.Scope.LOCKER,
            where=outgoing.locker,
            reference=item,
            case=outgoing.case,
            size=outgoing.size,
            from_minute=begins // tokens.MINUTE_MS,
            until_minute=ends // tokens.MINUTE_MS,
            nonce=desk.chance.random_bytes(TOKEN_NONCE_BYTES),
        ),
    )
    append(connection, outgoing.locker, says, now_ms)
    row = {
        "item": item,
        "case_number": outgoing.case,
        "service_item": outgoing.service_item,
        "results": canonical(list(outgoing.results)),
        "size": outgoing.size.name,
        "locker": outgoing.locker,
        "second_factor": outgoing.second_factor,
        "name": says.name,
        "phone": says.phone,
        "sealed": desk.sealed(
            {
                "phone": outgoing.recipient.phone,
                "language": outgoing.recipient.language,
                "token": token,
            }
        ),
        "directive": directives.write(Seq(1), says),
        "made_ms": now_ms,
        "valid_until_ms": ends,
    }
    insert(connection, OUTGOING_ITEM, [row])
    note(
        connection,
        outgoing.case,
        "result_ready",
        item,
        actor,
        now_ms,
        locker=outgoing.locker,
        service_item=outgoing.service_item,
        **({"results": BETWEEN.join(outgoing.results)} if outgoing.results else {}),
    )
    return item


def results_of(row: Row[Any]) -> list[str]:
    """By name; of an item that is no matter, its one."""
    return json.loads(row.results) or [row.service_item]


def item_row(connection: Connection, item: str) -> Row[Any]:
    """Raises Refused."""
    row = find(connection, OUTGOING_ITEM, {"item": item})
    if row is None:
        raise Refused(Refusal.UNKNOWN_ITEM, "no such item")
    return row
