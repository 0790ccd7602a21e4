"""好差评: five grades for a visit, once; whoever is dissatisfied is called back."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, Table, select

from locker.domain.encoding import canonical
from sync.central import store
from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.complaints import register
from sync.central.complaints.personal import blotted
from sync.central.complaints.policy import Category
from sync.central.complaints.register import Origin
from sync.central.complaints.tables import RATING
from sync.central.desk import Desk, Refusal, Refused
from sync.central.paging import Keyset
from sync.central.tables import AUTHORISATION, LOCKER, OUTGOING_ITEM

TEXT_CHARACTERS_MAX: Final = 200
GRADES: Final = range(1, 6)
"""5 very satisfied 非常满意, 4 satisfied 满意, 3 fair 基本满意, 2 dissatisfied 不满意, 1 very dissatisfied
非常不满意: the national scale."""
LOW: Final = 2
"""Up to here somebody calls back."""
SATISFIED: Final = 3
"""From here on a rating counts as satisfied, as the national scale counts it."""
SETTLED_MS: Final = 10_000
"""What is younger is not told to programs that page through: an earlier one may still be being written."""
ORDER: Final = Keyset("ratings", (RATING.c.at_ms, RATING.c.number))


@dataclass(frozen=True, slots=True)
class Rated:
    """What is rated. ``reference``: of the authorisation, or of the item. The caller has made sure that it is
    the applicant who speaks, by their own page's link or by the city's own sign-in."""

    kind: str
    """``authorisation`` (a drop-off) or ``item`` (a pickup)."""
    reference: str


_ABOUT: Final[Mapping[str, Table]] = MappingProxyType({"authorisation": AUTHORISATION, "item": OUTGOING_ITEM})


def rate(connection: Connection, desk: Desk, rated: Rated, grade: int, text: str = "") -> int:
    """Its number. The two lowest open a complaint. Raises Refused; ValueError for a grade there is not."""
    if grade not in GRADES:
        raise ValueError(f"a grade is one of 1 to 5, not {grade}")
    about = _about(connection, rated)
    if grade_of(connection, rated):
        raise Refused(Refusal.ALREADY_RATED, "this visit has been rated; a visit is rated once")
    said = blotted(text.strip())[:TEXT_CHARACTERS_MAX]
    values = {
        "kind": rated.kind,
        "reference": rated.reference,
        "grade": grade,
        "text": said,
        "locker": about.locker,
        "service_item": about.service_item,
        "complaint": _open(connection, desk, rated, about, grade, said) if grade <= LOW else "",
        "at_ms": desk.clock.wall_ms(),
    }
    number = connection.execute(RATING.insert().values(values).returning(RATING.c.number)).scalar_one()
    return int(number)


def grade_of(connection: Connection, rated: Rated) -> int:
    """0: not rated yet."""
    row = store.find(connection, RATING, {"kind": rated.kind, "reference": rated.reference})
    return int(row.grade) if row else 0


def require_visible(connection: Connection, actor: Actor, rated: Rated) -> None:
    """That the visit was at a locker that exists for this actor. Raises Refused, as if it never was."""
    about = _about(connection, rated)
    area = connection.execute(select(LOCKER.c.area).where(LOCKER.c.locker == about.locker)).scalar()
    if not (actor.sees_all if area is None else actor.sees(area)):
        raise _unknown()


def listed(actor: Actor, now_ms: int, since_ms: int = 0) -> Select[Any]:
    """Ratings of a day or later, to be paged through by `ORDER`."""
    own = RATING.c
    settled = own.at_ms.between(since_ms, now_ms - SETTLED_MS)
    return select(RATING).where(settled, scope.sees(actor, own.locker))


def _about(connection: Connection, rated: Rated) -> Row[Any]:
    table = _ABOUT.get(rated.kind)
    row = store.find(connection, table, {rated.kind: rated.reference}) if table is not None else None
    if row is None:
        raise _unknown()
    return row


def _unknown() -> Refused:
    return Refused(Refusal.UNKNOWN_VISIT, "no such visit")


def _open(connection: Connection, desk: Desk, rated: Rated, about: Row[Any], grade: int, said: str) -> str:
    area = connection.execute(select(LOCKER.c.area).where(LOCKER.c.locker == about.locker)).scalar() or ""
    values = register.of_visit(desk, Category.LOW_RATING, Origin.RATING, about, area)
    values |= {
        "source": f"rating/{rated.kind}/{rated.reference}",
        "text": said,
        "context": canonical({"grade": str(grade), "rated": rated.kind}),
    }
    return register.enter(connection, values, register.APPLICANT)
