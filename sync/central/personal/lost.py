"""A code that somebody has lost: whoever asks is told the same; whether it fits is looked at afterwards."""

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from locker.domain.deposit import Phase
from locker.domain.encoding import canonical
from locker.domain.events import CodeAskedFor
from sync.central import messages
from sync.central.access import audit
from sync.central.access.actor import Actor
from sync.central.desk import Desk, Refused, note
from sync.central.ledger import Applied
from sync.central.personal.tables import LOST_CODE
from sync.central.pickups import agents, codes
from sync.central.store import Store
from sync.central.tables import AUTHORISATION, DEPOSIT, OUTGOING_ITEM
from sync.seal import SealError

log = logging.getLogger(__name__)

APPLICANT: Final = Actor("applicant", frozenset(), frozenset())
"""Whoever holds a link, or knows a case and its phone: nothing says who it is."""
Wake = Callable[[Iterable[str]], None]
PER_HOUR: Final = 3
HOUR_MS: Final = 3_600_000
EVERY_MS: Final = 2_000
AT_ONCE: Final = 20
LIKE_MAX: Final = 4
"""Cases that one row of digits may mean."""


def ask(connection: Connection, desk: Desk, case: str, phone: str) -> None:
    """Somebody says so. Nothing is returned, for nothing may be told."""
    now_ms = desk.clock.wall_ms()
    who = _who(desk, case, phone)
    if _often(connection, who, now_ms):
        return
    sealed = desk.sealed({"case": case, "phone": phone})
    connection.execute(LOST_CODE.insert().values(who=who, asked_sealed=sealed, at_ms=now_ms))


def _often(connection: Connection, who: str, now_ms: int) -> bool:
    own = LOST_CODE.c
    recent = select(func.count()).where(own.who == who, own.at_ms > now_ms - HOUR_MS)
    return int(connection.execute(recent.select_from(LOST_CODE)).scalar_one()) >= PER_HOUR


def follow(applied: Applied) -> None:
    """Somebody says so at a kiosk. What is old was meant for whoever stood there then."""
    event, at = applied.event, applied.place
    if not isinstance(event, CodeAskedFor) or not event.sealed:
        return
    if at.now_ms - at.stamp.wall_ms < HOUR_MS:
        at.sheet.add(LOST_CODE, {"who": "", "asked_sealed": event.sealed, "at_ms": at.now_ms})


async def keep(store: Store, desk: Desk, wake: Wake) -> None:
    """Look at what was asked, until cancelled. ``wake``: these lockers have something new to hear."""
    while True:
        wake(await look(store, desk))
        await desk.clock.sleep_until(desk.clock.mono_ms() + EVERY_MS)


async def look(store: Store, desk: Desk) -> frozenset[str]:
    """One pass; the lockers that are to be told."""
    if not await store.read(lambda connection: connection.execute(_OPEN.limit(1)).first()):
        return frozenset()
    return await store.write(lambda connection: look_in(connection, desk))


_OPEN: Final = select(LOST_CODE).where(LOST_CODE.c.asked_sealed != "").order_by(LOST_CODE.c.number)


def look_in(connection: Connection, desk: Desk) -> frozenset[str]:
    """The same in a transaction."""
    now_ms = desk.clock.wall_ms()
    told: set[str] = set()
    rows = connection.execute(_OPEN.limit(AT_ONCE)).all()
    for row in rows:
        own = LOST_CODE.update().where(LOST_CODE.c.number == row.number)
        connection.execute(own.values(asked_sealed=""))
        try:
            asked = desk.opened(row.asked_sealed)
            case, phone, like = asked["case"], asked["phone"], asked.get("like", "")
        except (SealError, ValueError, KeyError):
            # No request of a page of ours: a locker said it, and it is none.
            log.warning("a request for a lost code cannot be read")
            continue
        if not row.who:
            who = _who(desk, case, phone)
            if _often(connection, who, now_ms):
                continue
            connection.execute(own.values(who=who))
        for each in dict.fromkeys((case, *like.splitlines()[:LIKE_MAX])):
            told |= _answer(connection, desk, each, phone, now_ms)
    connection.execute(LOST_CODE.delete().where(LOST_CODE.c.at_ms <= now_ms - HOUR_MS))
    return frozenset(told)


def _answer(connection: Connection, desk: Desk, case: str, phone: str, now_ms: int) -> set[str]:
    """The lockers that are to be told."""
    told: set[str] = set()
    for right in _rights(connection, case, now_ms):
        if _is_theirs(desk, right.sealed, phone):
            _say_again(connection, desk, right, now_ms)
    for stay in _waiting(connection, case):
        if _is_theirs(desk, stay.sealed, phone) and _order_another(connection, desk, stay, now_ms):
            told.add(stay.locker)
        for agent in agents.of_item(connection, stay.item):
            theirs = agents.lives(agent, now_ms) and _is_theirs(desk, agent.sealed, phone)
            if theirs and _order_another(connection, desk, stay, now_ms, agent.entrustment):
                told.add(stay.locker)
    return told


def _rights(connection: Connection, case: str, now_ms: int) -> Iterator[Row[Any]]:
    """Those whose locker has the code."""
    own = AUTHORISATION.c
    where = [own.case_number == case, own.ended == "", own.granted_ms > 0, own.valid_until_ms > now_ms]
    yield from connection.execute(select(AUTHORISATION).where(*where)).all()


def _waiting(connection: Connection, case: str) -> Iterator[Row[Any]]:
    joined = DEPOSIT.join(OUTGOING_ITEM, OUTGOING_ITEM.c.item == DEPOSIT.c.item)
    where = [DEPOSIT.c.case_number == case, DEPOSIT.c.phase == Phase.AWAITING_PICKUP.value]
    query = select(DEPOSIT, OUTGOING_ITEM.c.sealed).select_from(joined).where(*where)
    yield from connection.execute(query).all()


def _is_theirs(desk: Desk, sealed: str, phone: str) -> bool:
    try:
        known = desk.opened(sealed).get("phone", "")
    except (SealError, ValueError):
        return False
    return bool(known) and hmac.compare_digest(_digits(known), _digits(phone))


def _say_again(connection: Connection, desk: Desk, right: Row[Any], now_ms: int) -> None:
    digest = json.loads(right.directive)["data"]["typed_digest"]
    messages.say(
        connection,
        desk,
        template="drop_off_code",
        case=right.case_number,
        subject=f"{right.authorisation}/{digest}",
        contact_sealed=right.sealed,
        codes_sealed=right.sealed,
        locker=right.locker,
        variables={"expires_ms": right.valid_until_ms},
        urgent=True,
    )
    _note(connection, right.case_number, right.authorisation, right.locker, now_ms)


def _order_another(
    connection: Connection, desk: Desk, stay: Row[Any], now_ms: int, entrustment: str = ""
) -> bool:
    """Its locker makes it; the old one is good until the centre has the new one."""
    try:
        wanted = codes.Lost(stay.item, "lost", entrustment=entrustment)
        codes.reissue(connection, desk, wanted, APPLICANT.who)
    except Refused as error:
        # Nobody is told: they would learn that case and phone fit. Somebody at the desk finds it here.
        log.info("no new code for item %s: %s", stay.item, error.reason)
        return False
    _note(connection, stay.case_number, stay.item, stay.locker, now_ms)
    return True


def _note(connection: Connection, case: str, reference: str, locker: str, now_ms: int) -> None:
    note(connection, case, "lost_code_asked", reference, APPLICANT.who, now_ms, locker=locker)
    audit.write(connection, now_ms, APPLICANT, audit.Event.LOST_CODE, reference, {"case": case})


def _who(desk: Desk, case: str, phone: str) -> str:
    bare = "".join(letter for letter in case if letter.isdecimal()) or case
    said = canonical({"case": bare, "phone": _digits(phone)}).encode()
    return hmac.new(desk.keys.seal.private, b"doclocker/lost/1\n" + said, hashlib.sha256).hexdigest()


def _digits(phone: str) -> str:
    """Without a country's number of our own: people write it or leave it out."""
    return phone.strip().removeprefix("+86").replace(" ", "").replace("-", "")
