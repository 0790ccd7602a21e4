"""For all lockers, for an area, for one: what is wished at each level, and what counts for one locker."""

import json
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, select

from locker.domain.policy import Settings
from sync.central.settings.said import Values
from sync.central.settings.tables import SETTING_WISH

DEFAULTS: Final = Settings()


class Level(StrEnum):
    """Later ones count before earlier ones."""

    FLEET = "fleet"
    AREA = "area"
    LOCKER = "locker"


@dataclass(frozen=True, slots=True)
class Target:
    level: Level
    place: str = ""


FLEET: Final = Target(Level.FLEET)


@dataclass(frozen=True, slots=True)
class Wanted:
    value: int | str
    level: Level


class Wishes:
    """All that is wished, read once."""

    def __init__(self, connection: Connection) -> None:
        self._of: dict[Target, dict[str, int | str]] = defaultdict(dict)
        for row in connection.execute(select(SETTING_WISH)).all():
            self._of[Target(Level(row.level), row.place)][row.name] = json.loads(row.value)

    def at(self, target: Target) -> Values:
        return self._of.get(target, {})

    def above(self, area: str, level: Level) -> dict[str, Wanted]:
        """What counts for a place where it says nothing itself."""
        targets = [FLEET] if level is not Level.FLEET else []
        if level is Level.LOCKER:
            targets.append(Target(Level.AREA, area))
        return {name: Wanted(value, t.level) for t in targets for name, value in self.at(t).items()}

    def wanted(self, locker: str, area: str) -> dict[str, Wanted]:
        own = self.at(Target(Level.LOCKER, locker))
        near = {name: Wanted(value, Level.LOCKER) for name, value in own.items()}
        return self.above(area, Level.LOCKER) | near
