"""Messages to people: what any room of the hub says to somebody goes through `say`.

The words are files (`texts`), what each message may hold and when it may go is one table (`templates`); which
way it goes is `routes`, and `sync.central.notify` carries it.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, select

from locker.domain.encoding import canonical
from sync.central.desk import Desk
from sync.central.tables import NOTICE

NOBODY: Final = "no phone is known"


def say(
    connection: Connection,
    desk: Desk,
    *,
    template: str,
    case: str,
    subject: str,
    contact_sealed: str,
    codes_sealed: str = "",
    variables: Mapping[str, str | int] | None = None,
    locker: str = "",
    once: str = "",
    urgent: bool = False,
) -> str:
    """The new message's key; it goes out after this transaction's commit, within a minute.

    ``contact_sealed`` is what `Desk.sealed` made with a ``phone`` in it (an authorisation's or an item's
    ``sealed`` will do); empty: a clerk must call. ``subject`` is what the message is about: an authorisation,
    an item, a deposit, a complaint. ``variables`` are those of the template; a name that ends in ``_ms`` is a
    moment and is told as local time. With ``once`` the same template and ``once`` are never said twice.
    ``urgent``: somebody has just asked for it, so that it goes out at night as well.
    """
    key = f"{template}/{once or desk.chance.new_id()}"
    if once and connection.execute(select(NOTICE.c.key).where(NOTICE.c.key == key)).first():
        return key
    now_ms = desk.clock.wall_ms()
    connection.execute(
        NOTICE.insert().values(
            key=key,
            template=template,
            locker=locker,
            subject=subject,
            contact_sealed=contact_sealed,
            codes_sealed=codes_sealed,
            variables=canonical({"locker": locker, "case": case, **(variables or {})}),
            case_number=case,
            urgent=urgent,
            state="due" if contact_sealed else "clerk",
            detail="" if contact_sealed else NOBODY,
            made_ms=now_ms,
            next_ms=now_ms,
        )
    )
    desk.bell.ring(desk.clock.mono_ms())
    return key
