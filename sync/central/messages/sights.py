"""What a message needs besides its own row: where its locker stands, whose page it leads to, what failed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.central.fleet.tables import SITE
from sync.central.messages.routes import Tried
from sync.central.messages.tables import ATTEMPT
from sync.central.messages.templates import TEMPLATES, Leads
from sync.central.personal.link import About, Kind
from sync.central.store import find
from sync.central.tables import DEPOSIT, PICKUP_CODE


@dataclass(frozen=True, slots=True)
class Sight:
    notice: Row[Any]
    failed: tuple[Tried, ...] = ()
    place: str = ""
    """Its locker as people call it; empty: they know its name only."""
    address: str = ""
    about: About | None = None
    """The page that it leads to."""


def of(connection: Connection, notice: Row[Any]) -> Sight:
    site = find(connection, SITE, {"locker": notice.locker})
    template = TEMPLATES.get(notice.template)
    return Sight(
        notice,
        _failed(connection, notice) if notice.attempts else (),
        site.name if site else "",
        site.address if site else "",
        _ABOUT[template.leads](connection, notice) if template and template.leads else None,
    )


def _failed(connection: Connection, notice: Row[Any]) -> tuple[Tried, ...]:
    """Since it was last put back by hand, if it was: then every channel has its chance once more."""
    query = select(ATTEMPT).where(ATTEMPT.c.notice == notice.key).order_by(ATTEMPT.c.number)
    rows = connection.execute(query).all()
    return tuple(Tried(row.channel, row.at_ms) for row in rows if row.outcome and row.at_ms >= notice.made_ms)


def _authorisation(_connection: Connection, notice: Row[Any]) -> About | None:
    return About(Kind.AUTHORISATION, notice.subject.partition("/")[0])


def _complaint(_connection: Connection, notice: Row[Any]) -> About | None:
    return About(Kind.COMPLAINT, notice.subject)


def _deposit(connection: Connection, notice: Row[Any]) -> About | None:
    return about_deposit(connection, notice.locker, notice.subject)


def _code(connection: Connection, notice: Row[Any]) -> About | None:
    row = find(connection, PICKUP_CODE, {"locker": notice.locker, "code": notice.subject})
    return about_deposit(connection, notice.locker, row.deposit) if row else None


def about_deposit(connection: Connection, locker: str, deposit: str) -> About | None:
    row = find(connection, DEPOSIT, {"locker": locker, "deposit": deposit})
    if row is None or not (row.item or row.authorisation):
        return None
    return About(Kind.ITEM, row.item) if row.item else About(Kind.AUTHORISATION, row.authorisation)


_ABOUT: Final[Mapping[Leads, Callable[[Connection, Row[Any]], About | None]]] = MappingProxyType(
    {
        Leads.AUTHORISATION: _authorisation,
        Leads.DEPOSIT: _deposit,
        Leads.CODE: _code,
        Leads.COMPLAINT: _complaint,
    }
)
