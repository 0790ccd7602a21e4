"""Who was promised a typed code and still waits for it: their locker has not said that it keeps the right.

What is scanned is good at every locker of the area meanwhile, and at that one as soon as it has heard.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, literal, select

from sync.central import messages
from sync.central.desk import Desk
from sync.central.notices import FRESH_MS, UNCONFIRMED
from sync.central.store import Store
from sync.central.tables import AUTHORISATION, NOTICE

EVERY_MS: Final = 30_000
PROMISED_MS: Final = 2 * 60_000
"""So long a locker may take to acknowledge a grant."""
LATE_MS: Final = 24 * 3_600_000
"""What a hub that was down for longer did not say is not said any more."""
AT_ONCE: Final = 200


async def look(store: Store, desk: Desk) -> int:
    """One pass; how many were told. An idle hub leaves its disk alone."""
    if not await store.read(lambda connection: waiting(connection, desk)):
        return 0
    return await store.write(lambda connection: tell(connection, desk))


def waiting(connection: Connection, desk: Desk) -> Sequence[Any]:
    """Rights that no locker has confirmed in time and whose applicants were not told yet, oldest first."""
    now_ms = desk.clock.wall_ms()
    times = {"now_ms": now_ms, "from_ms": now_ms - LATE_MS, "to_ms": now_ms - PROMISED_MS}
    return connection.execute(_WAITING, times).all()


def tell(connection: Connection, desk: Desk) -> int:
    """The same in a transaction; a confirmation that comes before the message goes takes it back."""
    found = waiting(connection, desk)
    for right in found:
        messages.say(
            connection,
            desk,
            template=UNCONFIRMED,
            case=right.case_number,
            subject=f"{right.authorisation}/unconfirmed",
            contact_sealed=right.sealed,
            locker=right.locker,
            once=right.authorisation,
            urgent=desk.clock.wall_ms() - right.made_ms < FRESH_MS,
        )
    return len(found)


_own: Final = AUTHORISATION.c
_TOLD: Final = select(NOTICE.c.key).where(NOTICE.c.key == literal(f"{UNCONFIRMED}/") + _own.authorisation)
_WAITING: Final = (
    select(_own.authorisation, _own.case_number, _own.locker, _own.sealed, _own.made_ms)
    .where(
        _own.granted_ms == 0,
        _own.made_ms > bindparam("from_ms"),
        _own.made_ms <= bindparam("to_ms"),
        _own.ended == "",
        _own.valid_until_ms > bindparam("now_ms"),
        _own.sealed != "",
        ~_TOLD.exists(),
    )
    .order_by(_own.made_ms)
    .limit(AT_ONCE)
)
