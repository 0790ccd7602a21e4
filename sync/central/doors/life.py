"""What became of everything that the centre said to a locker. Reads only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sync.central.desk import Desk
from sync.central.paging import Asked, Keyset, Page
from sync.central.tables import DIRECTIVE

_ABOUT: Final = ("door", "case", "authorisation", "item", "deposit", "staff", "booking", "reason", "size")
"""Parts of an entry that say what it is about and name no person."""


class State(StrEnum):
    QUEUED = "queued"
    """It waits for its locker to be there."""
    SENT = "sent"
    ACCEPTED = "accepted"
    """Its locker has it, by its own word; its journal has not told yet what it made of it."""
    APPLIED = "applied"
    VOID = "void"
    """What it speaks of is over: nothing was to be done any more."""
    REPEATED = "repeated"
    """This very order was obeyed before."""
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    """A later numbering said anew what was valid then."""


@dataclass(frozen=True, slots=True)
class Life:
    dn_epoch: str
    seq: int
    kind: str
    about: Mapping[str, str | int]
    state: State
    why: str
    """Of a refusal, or of what is void."""
    made_ms: int
    told_ms: int
    """When its outcome was taken in; 0 before."""


def lives(
    connection: Connection, desk: Desk, locker: Row[Any], sent: tuple[str, int], page: Asked
) -> Page[Life]:
    """The latest first. ``sent``: the numbering and how far it was sent on the present connection."""
    query = select(DIRECTIVE).where(DIRECTIVE.c.locker == locker.locker)
    found = _ORDER.page(connection, desk, query, page)
    return Page([_life(row, locker, sent) for row in found.rows], found.next)


_ORDER: Final = Keyset(
    "directives", (DIRECTIVE.c.made_ms, DIRECTIVE.c.dn_epoch, DIRECTIVE.c.seq), newest_first=True
)


_SAID: Final = {state.value: state for state in (State.APPLIED, State.VOID, State.REPEATED, State.REFUSED)}
"""The first word of what a locker tells of an entry."""


def _life(row: Row[Any], locker: Row[Any], sent: tuple[str, int]) -> Life:
    body = json.loads(row.text)
    data = body["data"]
    about = {name: data[name] for name in _ABOUT if data.get(name) not in {None, ""}}
    if body["type"] == "SettingsChanged":
        about = {each["name"]: each["value"] for each in data["settings"]}
    state, why = _state(row, locker, sent)
    return Life(row.dn_epoch, row.seq, body["type"], about, state, why, row.made_ms, row.told_ms)


def _state(row: Row[Any], locker: Row[Any], sent: tuple[str, int]) -> tuple[State, str]:
    if row.outcome:
        word, _, why = row.outcome.partition(": ")
        return _SAID.get(word, State.APPLIED), why
    if row.dn_epoch != locker.dn_epoch:
        return State.SUPERSEDED, ""
    if row.seq <= locker.dn_stored_to:
        return State.ACCEPTED, ""
    if sent[0] == row.dn_epoch and row.seq <= sent[1]:
        return State.SENT, ""
    return State.QUEUED, ""
