"""Which department a case is with, and in whose name its letters go out: of its area, by the register."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from sync.central import store
from sync.central.access.actor import Actor
from sync.central.custody.parties import Kind
from sync.central.desk import Refusal, Refused
from sync.central.windows import register
from sync.central.windows.tables import CASE_DEPARTMENT


def of_area(connection: Connection, actor: Actor, area: str = "") -> Sequence[Row[Any]]:
    """Living ones, by area and name; of every area that exists for this actor where none is named."""
    rows = register.every(connection, actor)
    return [row for row in rows if row.kind == Kind.DEPARTMENT and area in {"", row.area}]


def chosen(connection: Connection, actor: Actor, area: str, said: str) -> str:
    """The id of what somebody said: an id, or a name. Raises Refused for what the area does not have."""
    for row in of_area(connection, actor, area):
        if said in {row.place, row.name}:
            return str(row.place)
    raise Refused(Refusal.UNKNOWN_PLACE, f"{area} has no department {said!r} in the register")


def give(connection: Connection, actor: Actor, area: str, case: str, said: str, now_ms: int) -> str:
    """The case is with this department from now on; its id. Raises Refused."""
    place = chosen(connection, actor, area, said)
    values = {"place": place, "who": actor.who, "at_ms": now_ms}
    store.put(connection, CASE_DEPARTMENT, {"area": area, "case_number": case}, values)
    return place


def of_case(connection: Connection, area: str, case: str) -> str:
    """The id; empty where nobody has said."""
    row = store.find(connection, CASE_DEPARTMENT, {"area": area, "case_number": case})
    return str(row.place) if row is not None else ""
