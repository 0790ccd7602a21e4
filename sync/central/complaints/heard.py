"""What people say at a kiosk: help becomes a complaint, a grade a rating; in the entry's own transaction."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from locker.domain import events as ev
from locker.domain.asked import GRADES
from locker.domain.encoding import canonical
from sync.central import masks
from sync.central.complaints import register
from sync.central.complaints.policy import Category
from sync.central.complaints.ratings import LOW
from sync.central.complaints.register import Origin
from sync.central.complaints.tables import COMPLAINT, COMPLAINT_STEP, RATING
from sync.central.desk import Desk
from sync.central.ledger import Applied
from sync.central.project import rows
from sync.central.project.sheet import Held
from sync.central.tables import AUTHORISATION, DEPOSIT, LOCKER, OUTGOING_ITEM
from sync.seal import SealError


def follow(applied: Applied, desk: Desk) -> None:
    """Register what an entry tells of a person; everything by key."""
    hear = _HEARD.get(type(applied.event))
    if hear is not None:
        hear(applied, desk, applied.event)


def reference(locker: str, seq: int) -> str:
    """As it stood on their screen."""
    return f"{locker} · {seq}"


def _help(applied: Applied, desk: Desk, said: ev.HelpAsked) -> None:
    at = applied.place
    context = {
        "reference": reference(at.locker, at.seq),
        "screen": said.screen,
        "refusal": said.refusal,
        "door": str(said.door or ""),
        "entry": str(at.seq),
    }
    values = register.of_locker(desk, Category(said.category.value)) | {
        "source": f"{at.locker}/help/{at.epoch}/{at.seq}",
        "context": canonical({name: value for name, value in context.items() if value}),
        "case_number": applied.case,
        **_caller(desk, said.sealed),
    }
    about = _right(applied, said.authorisation) or _about(applied, said.deposit)[1]
    _enter(applied, values | ({"name": about.name} if about else {}))


def _caller(desk: Desk, sealed: str) -> dict[str, str]:
    """Whom to call back; nobody where they did not ask for it, or it is gone by now."""
    try:
        phone = desk.opened(sealed).get("phone", "") if sealed else ""
    except (SealError, ValueError):
        phone = ""
    return {"phone": masks.phone(phone), "contact_sealed": sealed} if phone else {}


def _rated(applied: Applied, desk: Desk, said: ev.VisitRated) -> None:
    """One grade a visit, whichever way it came first; what this hub does not know of is passed over."""
    at = applied.place
    kind, about = _about(applied, said.deposit)
    if about is None or said.grade not in GRADES:
        return
    own = {"kind": kind, "reference": str(about.values[kind])}
    if at.sheet.find(RATING, own) is not None:
        return
    complaint = ""
    if said.grade <= LOW:
        place = at.sheet.find(LOCKER, {"locker": at.locker})
        values = register.of_visit(
            desk, Category.LOW_RATING, Origin.RATING, about, place.area if place else ""
        ) | {
            "source": f"rating/{kind}/{own['reference']}",
            "context": canonical({"grade": str(said.grade), "rated": kind}),
        }
        complaint = _enter(applied, values)
    at.sheet.add(
        RATING,
        own
        | {
            "grade": said.grade,
            "locker": at.locker,
            "service_item": about.service_item,
            "complaint": complaint,
            "at_ms": at.now_ms,
        },
    )


def _enter(applied: Applied, values: dict[str, Any]) -> str:
    at = applied.place
    place = at.sheet.find(LOCKER, {"locker": at.locker})
    values = values | {"locker": at.locker, "area": place.area if place else ""}
    at.sheet.add(COMPLAINT, values)
    reference_of = str(values["complaint"])
    at.sheet.add(COMPLAINT_STEP, register.first_step(reference_of, f"locker:{at.locker}", at.now_ms))
    return reference_of


def _about(applied: Applied, deposit: str) -> tuple[str, Held | None]:
    """What a visit was for, and its row: of the item that was collected, or of the right that was used."""
    stay = rows.find(applied.place, DEPOSIT, deposit=deposit) if deposit else None
    if stay is None:
        return "", None
    if stay.item:
        return "item", applied.place.sheet.find(OUTGOING_ITEM, {"item": stay.item})
    return "authorisation", _right(applied, stay.authorisation)


def _right(applied: Applied, authorisation: str) -> Held | None:
    if not authorisation:
        return None
    return applied.place.sheet.find(AUTHORISATION, {"authorisation": authorisation})


_HEARD: Final[Mapping[type[ev.Event], Callable[[Applied, Desk, Any], None]]] = MappingProxyType(
    {ev.HelpAsked: _help, ev.VisitRated: _rated}
)
FROM: Final = frozenset(_HEARD)
