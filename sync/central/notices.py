"""Which messages follow from what the lockers did. Made in the entry's own transaction, keyed by the entry.

A notice is held until the locker's stream has caught up, so that nobody is told what is over already.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Integer, Row, Update, bindparam, select

from locker.domain import events as ev
from locker.domain.deposit import ENDED, Phase
from locker.domain.encoding import canonical
from sync.central.bookings.said import STANDING
from sync.central.bookings.said import State as SlotState
from sync.central.bookings.tables import BOOKING
from sync.central.ledger import Applied
from sync.central.messages import NOBODY
from sync.central.messages.tables import UNSURE_RECEIPT
from sync.central.pickups.tables import ENTRUSTMENT
from sync.central.project import rows
from sync.central.project.keys import subject_of
from sync.central.project.sheet import Held
from sync.central.statement import OfMany, Statement
from sync.central.store import find
from sync.central.tables import (
    AUTHORISATION,
    DEPOSIT,
    LOCKER,
    NOTICE,
    OUTGOING_ITEM,
    PICKUP_CODE,
    STREAM,
)

DROP_OFF_CODE: Final = "drop_off_code"
UNCONFIRMED: Final = "drop_off_unconfirmed"
PICKUP_CODE_TEMPLATE: Final = "pickup_code"
AGENT_CODE: Final = "agent_code"
RECEIPT: Final = "receipt"
OPENED_FROM_AFAR: Final = "opened_from_afar"
SLOT_BOOKED: Final = "slot_booked"
SLOT_LAPSED: Final = "slot_lapsed"
TOO_OLD_MS: Final = 24 * 3_600_000
FRESH_MS: Final = 15 * 60_000
"""Who did something so short a time ago is awake, and waits for the answer."""
TRUSTED: Final = frozenset({"ntp", "centre", "rtc"})
"""Clocks by which a time may be told to a person."""


@dataclass(frozen=True, slots=True)
class _Message:
    template: str
    subject: str
    contact_sealed: str
    codes_sealed: str
    variables: Mapping[str, str | int]
    urgent: bool = False
    """Somebody waits for it just now: it goes out at night as well."""


def follow(applied: Applied) -> None:
    """Make the notice that an entry calls for, if it calls for one."""
    compose = _COMPOSE.get(type(applied.event))
    message = compose(applied, applied.event) if compose else None
    if message is None:
        return
    at = applied.place
    reachable = bool(message.contact_sealed)
    at.sheet.add(
        NOTICE,
        {
            "key": f"{at.locker}/{at.epoch}/{at.seq}/{message.template}",
            "template": message.template,
            "locker": at.locker,
            "epoch": at.epoch,
            "seq": at.seq,
            "subject": message.subject,
            "contact_sealed": message.contact_sealed,
            "codes_sealed": message.codes_sealed,
            "variables": canonical({"locker": at.locker, "case": applied.case, **message.variables}),
            "case_number": applied.case,
            "urgent": message.urgent,
            "state": "held" if reachable else "clerk",
            "detail": "" if reachable else NOBODY,
            "made_ms": at.now_ms,
            "next_ms": at.now_ms,
        },
    )


def release(connection: Connection, *lockers: str) -> int:
    """Let go what was held, where a locker's stream has caught up with its head; how many."""
    return _RELEASE.do(connection, lockers)


def _releasing(lockers: Sequence[Any]) -> Update:
    caught_up = (
        select(LOCKER.c.locker)
        .join(STREAM, (STREAM.c.locker == LOCKER.c.locker) & (STREAM.c.epoch == LOCKER.c.epoch))
        .where(LOCKER.c.locker.in_(lockers), STREAM.c.stored_to >= LOCKER.c.head)
    )
    held = [NOTICE.c.state == "held", NOTICE.c.locker.in_(caught_up)]
    return NOTICE.update().where(*held).values(state="due")


_RELEASE: Final = OfMany(_releasing)


def due(connection: Connection, now_ms: int, limit: int) -> Sequence[Row[Any]]:
    """The notices whose time has come, longest waiting first."""
    return _DUE.all(connection, {"now_ms": now_ms, "at_most": limit})


_DUE: Final = Statement(
    select(NOTICE)
    .where(NOTICE.c.state == "due", NOTICE.c.next_ms <= bindparam("now_ms"))
    .order_by(NOTICE.c.next_ms, NOTICE.c.made_ms)
    .limit(bindparam("at_most", type_=Integer()))
)


def superseded(connection: Connection, notice: Row[Any], now_ms: int) -> bool:
    """Whether what it would say is over: such a message would only send a person in vain."""
    ask = _SUPERSEDED.get(notice.template)
    return ask is not None and ask(connection, notice, now_ms)


# --- what an entry calls for -------------------------------------------------------------------------------


def _granted(applied: Applied, e: ev.AuthorisationGranted) -> _Message | None:
    row = _authorisation(applied, e.authorisation)
    if row is None or json.loads(row.directive)["data"]["typed_digest"] != e.typed_digest:
        return None
    subject = subject_of(e)
    if applied.place.sheet.find(NOTICE, {"subject": subject}):
        return None
    urgent = applied.place.now_ms - row.made_ms < FRESH_MS
    variables = {"expires_ms": row.valid_until_ms}
    return _Message(DROP_OFF_CODE, subject, row.sealed, row.sealed, variables, urgent)


def _code_made(applied: Applied, e: ev.PickupCodeMade) -> _Message:
    item = _item_of(applied, e.deposit)
    contact, name = (item.sealed, item.service_item) if item else ("", "")
    if e.entrustment:
        return _agents_code(applied, e, name)
    stay = rows.find(applied.place, DEPOSIT, deposit=e.deposit)
    # The first code is made before the item lies there; a later one, because somebody asked for it.
    again = stay is not None and stay.phase == Phase.AWAITING_PICKUP
    return _Message(PICKUP_CODE_TEMPLATE, e.code, contact, e.sealed, {"item": name}, again)


def _agents_code(applied: Applied, e: ev.PickupCodeMade, name: str) -> _Message:
    """To the agent's own phone, and to nobody else's."""
    row = applied.place.sheet.find(ENTRUSTMENT, {"entrustment": e.entrustment})
    variables: dict[str, str | int] = {"item": name, "expires_ms": row.valid_until_ms if row else 0}
    return _Message(AGENT_CODE, e.code, row.sealed if row else "", e.sealed, variables, urgent=True)


def _receipt(applied: Applied, e: ev.ReceiptIssued) -> _Message:
    at = applied.place
    stay = rows.find(at, DEPOSIT, deposit=e.deposit)
    row = _authorisation(applied, stay.authorisation if stay else "")
    contact = row.sealed if row else ""
    time_ms = at.stamp.wall_ms if at.stamp.quality in TRUSTED else 0
    if not time_ms:
        _await_time(applied, e, contact)
    variables: dict[str, str | int] = {"number": e.number, "time_ms": time_ms}
    return _Message(RECEIPT, e.deposit, contact, "", variables, abs(at.now_ms - time_ms) < FRESH_MS)


def _await_time(applied: Applied, e: ev.ReceiptIssued, contact: str) -> None:
    """The centre tells the time later, when the locker's clock was good again."""
    at = applied.place
    at.sheet.add(
        UNSURE_RECEIPT,
        {
            "locker": at.locker,
            "epoch": at.epoch,
            "seq": at.seq,
            "number": e.number,
            "deposit": e.deposit,
            "case_number": applied.case,
            "contact_sealed": contact,
            "made_ms": at.now_ms,
        },
    )


def _opened_from_afar(applied: Applied, e: ev.ActDone) -> _Message | None:
    """Whoever's item lies there is told; what a vacant door opens onto is nobody's."""
    at = applied.place
    stay = rows.find(at, DEPOSIT, deposit=e.deposit) if e.deposit else None
    if stay is None:
        return None
    row = _item_of(applied, e.deposit) or _authorisation(applied, stay.authorisation)
    time_ms = at.stamp.wall_ms if at.stamp.quality in TRUSTED else 0
    variables: dict[str, str | int] = {"door": e.door, "time_ms": time_ms}
    return _Message(OPENED_FROM_AFAR, e.deposit, row.sealed if row else "", "", variables)


def _slot_booked(applied: Applied, e: ev.SlotBooked) -> _Message | None:
    """Once the locker keeps it free, not when it was wished; what a restored centre took over is old news."""
    row = _booking(applied, e.booking)
    if row is None or row.state != SlotState.WAITING:
        return None
    right = _authorisation(applied, e.authorisation)
    times: dict[str, str | int] = {"begins_ms": e.from_ms, "until_ms": e.until_ms}
    urgent = applied.place.now_ms - row.made_ms < FRESH_MS
    subject = f"{e.authorisation}/{e.booking}"
    return _Message(SLOT_BOOKED, subject, right.sealed if right else "", "", times, urgent)


def _slot_lapsed(applied: Applied, e: ev.SlotLapsed) -> _Message | None:
    """By its locker's own word: the centre alone cannot know that nobody came."""
    row = _booking(applied, e.booking)
    if row is None or row.state not in {*STANDING, SlotState.LAPSED}:
        return None
    right = _authorisation(applied, e.authorisation)
    times: dict[str, str | int] = {"begins_ms": row.from_ms}
    return _Message(SLOT_LAPSED, f"{e.authorisation}/{e.booking}", right.sealed if right else "", "", times)


def _booking(applied: Applied, booking: str) -> Held | None:
    return applied.place.sheet.find(BOOKING, {"booking": booking})


def _authorisation(applied: Applied, authorisation: str) -> Held | None:
    return applied.place.sheet.find(AUTHORISATION, {"authorisation": authorisation})


def _item_of(applied: Applied, deposit: str) -> Held | None:
    stay = rows.find(applied.place, DEPOSIT, deposit=deposit)
    return applied.place.sheet.find(OUTGOING_ITEM, {"item": stay.item}) if stay and stay.item else None


_COMPOSE: Final[Mapping[type[Any], Callable[[Applied, Any], _Message | None]]] = MappingProxyType(
    {
        ev.AuthorisationGranted: _granted,
        ev.PickupCodeMade: _code_made,
        ev.ReceiptIssued: _receipt,
        ev.ActDone: _opened_from_afar,
        ev.SlotBooked: _slot_booked,
        ev.SlotLapsed: _slot_lapsed,
    }
)
FROM: Final = frozenset(_COMPOSE)
"""Events that may call for a message."""


# --- what is over ------------------------------------------------------------------------------------------


def _drop_off_over(connection: Connection, notice: Row[Any], now_ms: int) -> bool:
    row = find(connection, AUTHORISATION, {"authorisation": notice.subject.partition("/")[0]})
    return row is None or bool(row.ended) or row.valid_until_ms <= now_ms


def _confirmed(connection: Connection, notice: Row[Any], now_ms: int) -> bool:
    """The typed code is on its way by now, or nobody needs it any more."""
    row = find(connection, AUTHORISATION, {"authorisation": notice.subject.partition("/")[0]})
    return (row is not None and bool(row.granted_ms)) or _drop_off_over(connection, notice, now_ms)


def _slot_over(connection: Connection, notice: Row[Any], _now_ms: int) -> bool:
    row = find(connection, BOOKING, {"booking": notice.subject.rpartition("/")[2]})
    return row is None or row.state not in STANDING


def _item_gone(connection: Connection, notice: Row[Any], _now_ms: int) -> bool:
    stay = find(connection, DEPOSIT, {"locker": notice.locker, "deposit": notice.subject})
    return stay is None or stay.phase != Phase.AWAITING_PICKUP.value


def _pickup_over(connection: Connection, notice: Row[Any], _now_ms: int) -> bool:
    code = find(connection, PICKUP_CODE, {"locker": notice.locker, "code": notice.subject})
    if code is None:
        return False
    stay = find(connection, DEPOSIT, {"locker": notice.locker, "deposit": code.deposit})
    return stay is not None and (bool(code.ended) or Phase(stay.phase) in _COLLECTED_OR_NEVER)


_COLLECTED_OR_NEVER: Final = ENDED | {Phase.REFUSED}


_SUPERSEDED: Final[Mapping[str, Callable[[Connection, Row[Any], int], bool]]] = MappingProxyType(
    {
        DROP_OFF_CODE: _drop_off_over,
        UNCONFIRMED: _confirmed,
        PICKUP_CODE_TEMPLATE: _pickup_over,
        AGENT_CODE: _pickup_over,
        SLOT_BOOKED: _slot_over,
        "pickup_reminder": _item_gone,
        "pickup_overdue": _item_gone,
    }
)
