"""One place's settings as people and programs see them: wished, told, in force, refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain.policy import SETTINGS, is_text, range_of
from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.settings.levels import DEFAULTS, Level, Target, Wanted, Wishes
from sync.central.settings.tables import LOCKER_SETTINGS
from sync.central.settings.wishes import require, revision
from sync.central.store import find
from sync.central.tables import LOCKER


class Standing(StrEnum):
    """Where a wish stands at its locker."""

    OWN = "own"
    """Nothing is wished: it is as the locker itself says."""
    ON_ITS_WAY = "on_its_way"
    IN_FORCE = "in_force"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Told:
    """What one locker was told and reports."""

    version: int = 0
    said_ms: int = 0
    held_version: int = 0
    held_ms: int = 0
    held: Mapping[str, int | str] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    """Name → why."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting at one place."""

    name: str
    low: int
    high: int
    is_text: bool
    default: int | str
    wish: int | str | None
    """Of this very place."""
    above: Wanted | None
    """What counts where this place says nothing."""
    held: int | str | None
    """Of a locker: as it reported; None: not yet."""
    standing: Standing | None
    """Of a locker only."""
    why: str = ""

    @property
    def wanted(self) -> int | str | None:
        if self.wish is not None:
            return self.wish
        return self.above.value if self.above else None


@dataclass(frozen=True, slots=True)
class Sheet:
    target: Target
    revision: str
    settings: tuple[Shown, ...]
    told: Told | None
    """Of a locker only."""


NOTHING_TOLD: Final = Told()


def sheet(connection: Connection, actor: Actor, target: Target) -> Sheet:
    """Raises Refused; the fleet's wishes are seen by everybody who sees any locker."""
    area = "" if target.level is Level.FLEET else require(connection, actor, target)
    wishes = Wishes(connection)
    own, above = wishes.at(target), wishes.above(area, target.level)
    told = told_of(connection, target.place) if target.level is Level.LOCKER else None
    shown = tuple(_shown(name, own.get(name), above.get(name), told) for name in SETTINGS)
    return Sheet(target, revision(own), shown, told)


def told_of(connection: Connection, locker: str) -> Told:
    row = find(connection, LOCKER_SETTINGS, {"locker": locker})
    return _told(row) if row is not None else NOTHING_TOLD


def _told(row: Row[Any]) -> Told:
    return Told(
        row.version,
        row.said_ms,
        row.held_version,
        row.held_ms,
        json.loads(row.held),
        frozenset(json.loads(row.given)),
        {name: why for name, _, why in json.loads(row.refused)},
    )


def _shown(name: str, wish: int | str | None, above: Wanted | None, told: Told | None) -> Shown:
    low, high = range_of(name)
    wanted = wish if wish is not None else above.value if above else None
    return Shown(
        name,
        low,
        high,
        is_text(name),
        getattr(DEFAULTS, name),
        wish,
        above,
        told.held.get(name) if told else None,
        _standing(name, wanted, told) if told else None,
        told.refused.get(name, "") if told else "",
    )


def _standing(name: str, wanted: int | str | None, told: Told) -> Standing:
    if wanted is None:
        return Standing.ON_ITS_WAY if name in told.given else Standing.OWN
    if name in told.refused:
        return Standing.REFUSED
    # Whatever else a version on its way changes.
    held = name in told.given and told.held.get(name) == wanted
    return Standing.IN_FORCE if held else Standing.ON_ITS_WAY


@dataclass(frozen=True, slots=True)
class Behind:
    """A locker that does not hold all that is wished."""

    locker: str
    area: str
    waits: bool
    refused: tuple[str, ...]
    own: int
    """How many wishes are for this locker alone."""


def behind(connection: Connection, actor: Actor) -> list[Behind]:
    """Those with wishes of their own, that wait for a version, or that refused something of theirs."""
    query = select(LOCKER.c.locker, LOCKER.c.area).where(scope.sees(actor, LOCKER.c.locker))
    known = {row.locker: _told(row) for row in connection.execute(select(LOCKER_SETTINGS)).all()}
    wishes, found = Wishes(connection), []
    for row in connection.execute(query.order_by(LOCKER.c.locker)).all():
        told = known.get(row.locker, NOTHING_TOLD)
        own = len(wishes.at(Target(Level.LOCKER, row.locker)))
        waits = told.held_version < told.version
        if own or waits or told.refused:
            found.append(Behind(row.locker, row.area, waits, tuple(sorted(told.refused)), own))
    return found
