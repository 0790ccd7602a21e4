"""A complaint comes in: from the hall, by a key, from somebody's own page, by a low rating, from a locker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, select

from locker.domain.deposit import Kind, Phase
from locker.domain.encoding import canonical
from locker.domain.events import TicketOpened
from sync.central import masks
from sync.central.complaints import policy
from sync.central.complaints.personal import blotted
from sync.central.complaints.policy import Category
from sync.central.complaints.states import CLOSED, State
from sync.central.complaints.tables import COMPLAINT, COMPLAINT_STEP
from sync.central.desk import Desk, Refusal, Refused, locker_row, note
from sync.central.ledger import Applied
from sync.central.project import rows
from sync.central.tables import AUTHORISATION, DEPOSIT, LOCKER, OUTGOING_ITEM

TEXT_CHARACTERS_MAX: Final = 1000
APPLICANT: Final = "applicant"
"""Who speaks on their own page."""
REGISTERED: Final = "register"
"""The first step of each."""


class Origin(StrEnum):
    HALL = "hall"
    API = "api"
    LOCKER = "locker"
    PAGE = "page"
    RATING = "rating"


@dataclass(frozen=True, slots=True)
class Complaint:
    """What somebody says. ``phone`` is plain here and sealed before it is stored."""

    category: Category
    text: str
    phone: str = ""
    name: str = ""
    locker: str = ""
    area: str = ""
    """Where no locker is named."""
    case: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    """What the page knows by itself: which step, which door."""


def register(connection: Connection, desk: Desk, told: Complaint, who: str, origin: Origin) -> str:
    """Its reference, unguessable. Raises Refused."""
    sealed = desk.sealed({"phone": told.phone}) if told.phone else ""
    area = _area(connection, told)
    values = _row(desk, told.category, origin) | {
        "area": area,
        "locker": told.locker,
        "case_number": told.case,
        "text": blotted(told.text)[:TEXT_CHARACTERS_MAX],
        "context": canonical({name: blotted(value) for name, value in told.context.items()}),
        "name": masks.name(told.name),
        "phone": masks.phone(told.phone),
        "contact_sealed": sealed,
    }
    return enter(connection, values, who)


def enter(connection: Connection, values: Mapping[str, Any], who: str) -> str:
    """Write down a complaint that is whole, its first step, and its place in the trail."""
    reference, now_ms = str(values["complaint"]), int(values["made_ms"])
    connection.execute(COMPLAINT.insert().values(values))
    connection.execute(COMPLAINT_STEP.insert().values(first_step(reference, who, now_ms)))
    if values["case_number"]:
        detail = {"category": str(values["category"])}
        if values["locker"]:
            detail["locker"] = str(values["locker"])
        note(connection, values["case_number"], "complaint_registered", reference, who, now_ms, **detail)
    return reference


def of_visit(desk: Desk, category: Category, origin: Origin, about: Any, area: str) -> dict[str, Any]:
    """A complaint about an authorisation or an outgoing item: whom to call is what its row has sealed."""
    return _row(desk, category, origin) | {
        "area": area,
        "locker": about.locker,
        "case_number": about.case_number,
        "name": about.name,
        "phone": about.phone,
        "contact_sealed": about.sealed,
    }


def of_locker(desk: Desk, category: Category) -> dict[str, Any]:
    """A complaint that somebody made before a locker; the caller says which."""
    return _row(desk, category, Origin.LOCKER)


def _row(desk: Desk, category: Category, origin: Origin) -> dict[str, Any]:
    now_ms = desk.clock.wall_ms()
    due_ms = policy.after(now_ms, policy.LIMITS[category].hours, desk.utc_offset_minutes, desk.workdays)
    return {
        "complaint": desk.chance.new_id(),
        "source": "",
        "origin": origin.value,
        "category": category.value,
        "text": "",
        "context": "{}",
        "state": State.REGISTERED.value,
        "made_ms": now_ms,
        "opened_ms": now_ms,
        "due_ms": due_ms,
        "next_ms": due_ms,
    }


def first_step(reference: str, who: str, now_ms: int) -> dict[str, Any]:
    first = {"complaint": reference, "number": 1, "move": REGISTERED, "state": State.REGISTERED.value}
    return first | {"who": who, "note": "", "at_ms": now_ms}


def _area(connection: Connection, told: Complaint) -> str:
    if told.locker:
        return str(locker_row(connection, told.locker).area)
    if connection.execute(select(LOCKER.c.area).where(LOCKER.c.area == told.area).limit(1)).first() is None:
        raise Refused(Refusal.UNKNOWN_LOCKER, f"no locker stands in area {told.area!r}; name a locker")
    return told.area


# --- from a locker -----------------------------------------------------------------------------------------

OF_PERSON: Final[Mapping[str, Category]] = MappingProxyType(
    {
        "second_factor": Category.CODE,
        "door_stuck": Category.DOOR,
        "not_empty": Category.NOT_EMPTY,
        "refused_not_mine": Category.WRONG_ITEM,
        "refused_damaged": Category.WRONG_ITEM,
        "refused_incomplete": Category.WRONG_ITEM,
        "item_missing": Category.MISSING,
    }
)
"""Tickets behind which a person stands who did not get what they came for. The rest is the technicians'."""
_STUCK_BEFORE: Final = {
    Kind.SUBMISSION.value: {Phase.RESERVED.value, Phase.AWAITING_INTAKE.value, Phase.CANCELLED.value},
    Kind.OUTGOING.value: {Phase.AWAITING_PICKUP.value},
}
"""Phases in which it is an applicant before a door that does not open. (While it is reserved for an outgoing
item it is a helper. An intake is not told from "take it back" here: better one call too many.)"""


def follow(applied: Applied, desk: Desk) -> None:
    """Register what an entry tells of a person, in the entry's own transaction; everything by key."""
    event = applied.event
    if not isinstance(event, TicketOpened) or event.kind not in OF_PERSON or not event.deposit:
        return
    at = applied.place
    stay = rows.find(at, DEPOSIT, deposit=event.deposit)
    if stay is None or (event.kind == "door_stuck" and stay.phase not in _STUCK_BEFORE.get(stay.kind, ())):
        return
    about = at.sheet.find(OUTGOING_ITEM, {"item": stay.item}) if stay.item else None
    about = about or at.sheet.find(AUTHORISATION, {"authorisation": stay.authorisation})
    category = OF_PERSON[event.kind]
    source = f"{at.locker}/{event.deposit}/{category}"
    known = at.sheet.find(COMPLAINT, {"source": source})
    if about is None or (known is not None and known.state not in CLOSED):
        return
    place = at.sheet.find(LOCKER, {"locker": at.locker})
    values = of_visit(desk, category, Origin.LOCKER, about, place.area if place else "")
    values |= {"locker": at.locker, "source": source}
    values["context"] = canonical({"ticket": event.kind, "door": str(event.door), "entry": str(at.seq)})
    at.sheet.add(COMPLAINT, values)
    at.sheet.add(COMPLAINT_STEP, first_step(values["complaint"], f"locker:{at.locker}", at.now_ms))
