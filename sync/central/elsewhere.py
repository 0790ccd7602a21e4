"""A right that was used at another locker of the area dies where it was meant for: no code lives twice."""

from sqlalchemy import select

from locker.domain.events import AuthorisationRevoked, SubmissionDeposited
from locker.domain.ids import AuthorisationId
from sync.central.directives import append
from sync.central.ledger import Applied
from sync.central.project import rows
from sync.central.tables import AUTHORISATION, DEPOSIT, LOCKER

MOVED = "moved"


def follow(applied: Applied) -> str:
    """The locker that is to be told, if one is."""
    if not isinstance(applied.event, SubmissionDeposited):
        return ""
    at = applied.place
    stay = rows.find(at, DEPOSIT, deposit=applied.event.deposit)
    used = at.sheet.find(AUTHORISATION, {"authorisation": stay.authorisation}) if stay else None
    if used is None or used.locker == at.locker:
        return ""
    area = select(LOCKER.c.area).where(LOCKER.c.locker == at.locker).scalar_subquery()
    joined = AUTHORISATION.join(LOCKER, LOCKER.c.locker == AUTHORISATION.c.locker)
    living = [AUTHORISATION.c.authorisation == used.authorisation, AUTHORISATION.c.ended == ""]
    query = select(AUTHORISATION.c.authorisation, AUTHORISATION.c.locker).select_from(joined)
    right = at.connection.execute(query.where(*living, LOCKER.c.area == area).with_for_update()).first()
    if right is None:
        return ""
    says = AuthorisationRevoked(AuthorisationId(right.authorisation), f"handed in at {at.locker}")
    append(at.connection, right.locker, says, at.now_ms)
    where = AUTHORISATION.c.authorisation == right.authorisation
    at.connection.execute(AUTHORISATION.update().where(where).values(ended=MOVED, ended_ms=at.now_ms))
    return str(right.locker)
