"""What stands of settings, as it would be said to its locker now; and what a locker is held to."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from locker.domain.events import SettingsChanged
from locker.domain.policy import SETTINGS, Settings, unfit
from locker.domain.settings import Setting
from sync.central.settings.tables import LOCKER_SETTINGS
from sync.central.store import find

Values = Mapping[str, int | str]


def entry(version: int, values: Values) -> SettingsChanged:
    return SettingsChanged(version, tuple(Setting(name, values[name]) for name in sorted(values)))


def standing(connection: Connection, locker: str) -> Iterable[SettingsChanged]:
    """The version said last, under its own number: who holds it already is told nothing new."""
    row = find(connection, LOCKER_SETTINGS, {"locker": locker})
    if row is not None and row.version:
        yield entry(row.version, json.loads(row.said))


def in_force(connection: Connection, locker: str) -> Settings:
    """As its locker reported last; what it has not told is as this software has it."""
    row = find(connection, LOCKER_SETTINGS, {"locker": locker})
    return _fit(json.loads(row.held) if row is not None else {})


def wished(connection: Connection, locker: str) -> Settings:
    """As it will be once it has heard of everything; for what is decided here and said along."""
    row = find(connection, LOCKER_SETTINGS, {"locker": locker})
    return _fit({**json.loads(row.held), **json.loads(row.said)} if row is not None else {})


def _fit(values: Mapping[str, Any]) -> Settings:
    known = {name: values[name] for name in SETTINGS if name in values}
    return Settings(**{name: value for name, value in known.items() if not unfit(Settings, name, value)})
