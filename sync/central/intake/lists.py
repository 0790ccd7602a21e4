"""Working lists of the hall: what awaits intake, what is owed. A page at a time."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from locker.domain.deposit import Phase
from sync.central import paging
from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.desk import Desk
from sync.central.intake import stages
from sync.central.intake.decisions import sees_area
from sync.central.intake.stages import Kind, Paper, State
from sync.central.intake.tables import OWED, STANDING, TOP_UP
from sync.central.tables import AUTHORISATION, COMPARTMENT, DEPOSIT, LOCKER

TEXT_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty: any. ``text``: part of a case number, service item or masked name."""

    locker: str = ""
    state: str = ""
    text: str = ""


_AWAITING: Final = paging.Keyset("awaiting", (DEPOSIT.c.since_ms, DEPOSIT.c.locker, DEPOSIT.c.deposit))
_OWED: Final = paging.Keyset("owed", (OWED.c.deadline_ms, OWED.c.owed))
_OWED_ENDED: Final = paging.Keyset("owed_ended", (OWED.c.since_ms, OWED.c.owed), newest_first=True)


def awaiting(
    connection: Connection, desk: Desk, actor: Actor, wanted: Wanted, page: paging.Asked
) -> paging.Page[Row[Any]]:
    """What lies in the lockers for a helper to take out, oldest first. Raises Refused."""
    own, right = DEPOSIT.c, AUTHORISATION.c
    # By the compartments, of which there are few; of deposits there are ever more.
    lying = and_(COMPARTMENT.c.locker == own.locker, COMPARTMENT.c.deposit == own.deposit)
    joined = (
        COMPARTMENT.join(DEPOSIT, lying)
        .outerjoin(AUTHORISATION, right.authorisation == own.authorisation)
        .outerjoin(TOP_UP, TOP_UP.c.authorisation == own.authorisation)
    )
    query = (
        select(DEPOSIT, right.service_item, right.name, right.papers, TOP_UP.c.owed)
        .select_from(joined)
        .where(own.phase == Phase.AWAITING_INTAKE.value, scope.sees(actor, own.locker))
    )
    if wanted.locker:
        query = query.where(COMPARTMENT.c.locker == wanted.locker)
    query = with_text(query, wanted.text, own.case_number, right.service_item, right.name)
    return _AWAITING.page(connection, desk, query, page)


def owed(
    connection: Connection, desk: Desk, actor: Actor, kind: Kind, wanted: Wanted, page: paging.Asked
) -> paging.Page[Row[Any]]:
    """What is open, the soonest due first; what has ended, the latest first. Raises Refused."""
    query = select(OWED).where(OWED.c.kind == kind.value, sees_area(actor, OWED.c.area))
    ended = wanted.state in set(stages.ENDED)
    states = [wanted.state] if wanted.state else sorted(stages.OPEN)
    query = query.where(OWED.c.state.in_(states))
    if wanted.locker:
        query = query.where(OWED.c.locker == wanted.locker)
    query = with_text(query, wanted.text, OWED.c.case_number, OWED.c.service_item, OWED.c.name)
    return (_OWED_ENDED if ended else _OWED).page(connection, desk, query, page)


def with_text(query: Select[Any], text: str, *columns: ColumnElement[str]) -> Select[Any]:
    if not text:
        return query
    return query.where(or_(*(column.icontains(text, autoescape=True) for column in columns)))


# --- one case -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TopUps:
    """Papers that are owed, with the authorisations by which they may be handed in."""

    row: Row[Any]
    papers: tuple[Paper, ...]
    rights: tuple[Row[Any], ...]

    @property
    def state(self) -> State:
        return State(self.row.state)


@dataclass(frozen=True, slots=True)
class Docket:
    """A case as the office sees it; of its lockers those that exist for whoever asks."""

    case: str
    standings: tuple[Row[Any], ...]
    """One for each area in which something was found or decided; mostly one."""
    owed: tuple[TopUps, ...]
    rights: tuple[Row[Any], ...]


def docket(connection: Connection, actor: Actor, case: str) -> Docket:
    """Empty for a case of which nothing is known."""
    right, own = AUTHORISATION.c, OWED.c
    rights = select(AUTHORISATION).where(right.case_number == case, scope.sees(actor, right.locker))
    rows = select(OWED).where(own.case_number == case, sees_area(actor, own.area))
    standings = select(STANDING).where(STANDING.c.case_number == case, sees_area(actor, STANDING.c.area))
    return Docket(
        case=case,
        standings=tuple(connection.execute(standings.order_by(STANDING.c.at_ms.desc())).all()),
        owed=tuple(top_ups(connection, row) for row in connection.execute(rows.order_by(own.made_ms.desc()))),
        rights=tuple(connection.execute(rights.order_by(right.made_ms.desc(), right.authorisation)).all()),
    )


def top_ups(connection: Connection, row: Row[Any]) -> TopUps:
    query = (
        select(AUTHORISATION, TOP_UP.c.came_ms)
        .join(TOP_UP, TOP_UP.c.authorisation == AUTHORISATION.c.authorisation)
        .where(TOP_UP.c.owed == row.owed)
        .order_by(TOP_UP.c.made_ms)
    )
    return TopUps(row, stages.read(row.papers), tuple(connection.execute(query).all()))


def owed_of(connection: Connection, authorisation: str) -> list[TopUps]:
    """What is still owed to the case of an authorisation, for the page of whoever holds its link."""
    case = select(AUTHORISATION.c.case_number, LOCKER.c.area).join(
        LOCKER, LOCKER.c.locker == AUTHORISATION.c.locker
    )
    found = connection.execute(case.where(AUTHORISATION.c.authorisation == authorisation)).first()
    if found is None:
        return []
    own = OWED.c
    where = [own.case_number == found.case_number, own.area == found.area]
    rows = connection.execute(select(OWED).where(*where).order_by(own.made_ms)).all()
    return [top_ups(connection, row) for row in rows if State(row.state) in stages.OPEN]
