"""Facts as CloudEvents 1.0: what, when, about which case and door. Who, and what people typed, stay here."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from sqlalchemy import Row

from sync.central.notices import TRUSTED

LOCKER_TYPE: Final = "doclocker.locker."
CENTRE_TYPE: Final = "doclocker.centre."
CONTENT_TYPE: Final = JSONFormat.CONTENT_TYPE + "; charset=utf-8"
_WORDS: Final = (
    "act authorisation cabinet carrier case complaint count deadline_ms decision deferred deposit "
    "door doors from_ms grade item kind locker number outcome owed phase position presence proof "
    "reference service_item size slip slot state tracking until_ms valid_from_ms valid_until_ms"
)
TOLD: Final = frozenset(_WORDS.split())
"""Members of a fact that name things, counts and times. Any other is not told, whatever it may be."""
FREE: Final = frozenset({"service_item"})
"""Of these the ones in plain words: names of services, never of people."""
_NAME: Final = re.compile(r"[A-Za-z0-9._:/-]{0,64}")
_LONG_NUMBER: Final = re.compile(r"\+?[0-9]{7,}")
"""What a phone, an identity card or a code would be; a case number may be one."""
_NUMBERED: Final = frozenset({"case", "tracking"})


@dataclass(frozen=True, slots=True)
class Told:
    """One event, ready to be sent."""

    event: str
    type: str
    case: str
    place: str
    """The locker it is about; empty where the centre's fact names none."""
    body: str


def of_locker(row: Row[Any]) -> Told:
    """An entry of a locker's journal that was applied: ``id = {epoch}/{seq}``, ``source = /lockers/{id}``."""
    said = json.loads(row.public)
    by_locker = said.get("tq") in TRUSTED and isinstance(said.get("time"), int)
    return _told(
        source=f"/lockers/{row.locker}",
        name=f"{row.epoch}/{row.seq}",
        kind=LOCKER_TYPE + row.kind,
        case=row.case_number,
        place=row.locker,
        at_ms=said["time"] if by_locker else row.received_ms,
        quality=str(said["tq"]) if by_locker else "received",
        data={"locker": row.locker, "epoch": row.epoch, "seq": row.seq, "hash": row.hash}
        | ({"case": row.case_number} if row.case_number else {})
        | {"fact": harmless(said.get("data", {}))},
    )


def of_centre(row: Row[Any]) -> Told:
    """What the centre noted in a case: ``source = /centre``."""
    detail = json.loads(row.detail)
    fact = harmless({"reference": row.reference, **detail})
    return _told(
        source="/centre",
        name=str(row.number),
        kind=CENTRE_TYPE + row.kind,
        case=row.case_number,
        place=str(detail.get("locker", "")),
        at_ms=row.at_ms,
        quality="centre",
        data={"case": row.case_number, "fact": fact},
    )


def harmless(data: Mapping[str, Any]) -> dict[str, Any]:
    """The members that `TOLD` names, as far as they are numbers, names of things, or lists of such."""
    found = {key: value for key, value in data.items() if key in TOLD}
    return {key: value for key, value in found.items() if _is_harmless(key, value)}


def _is_harmless(key: str, value: Any) -> bool:
    if value is None or isinstance(value, bool | int):
        return True
    if isinstance(value, list):
        return all(_is_harmless(key, each) for each in value)
    if not isinstance(value, str):
        return False
    if key in FREE:
        return True
    return bool(_NAME.fullmatch(value)) and (key in _NUMBERED or not _LONG_NUMBER.fullmatch(value))


def _told(
    *,
    source: str,
    name: str,
    kind: str,
    case: str,
    place: str,
    at_ms: int,
    quality: str,
    data: dict[str, Any],
) -> Told:
    attributes: dict[str, Any] = {
        "id": name,
        "source": source,
        "type": kind,
        "time": _moment(at_ms),
        # An extension: by whose clock; ``received``: when the hub heard it, the locker had none to trust.
        "timequality": quality,
        "datacontenttype": "application/json",
    }
    if case:
        attributes["subject"] = case
    body = JSONFormat().write(CloudEvent(attributes, data)).decode()
    return Told(f"{source.rpartition('/')[2]}/{name}", kind, case, place, body)


def _moment(wall_ms: int) -> datetime:
    try:
        return datetime.fromtimestamp(wall_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(0, UTC)
