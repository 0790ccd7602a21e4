"""What the centre sets of this locker's limits: checked one by one, journaled, and reported back."""

from dataclasses import replace
from typing import Final

from locker.domain import settings
from locker.domain.events import Event, SettingRefused, SettingsChanged, SettingsReported
from locker.domain.settings import SETTINGS_MAX, Given
from locker.domain.state import LockerState

VERSION_MAX: Final = 2**53 - 1
"""Whole numbers that every reader of JSON keeps."""
_CHARACTERS_MAX: Final = 60
"""Of what is repeated of a value that was refused."""


def objection(says: SettingsChanged) -> str:
    """What speaks against it as a whole; empty where nothing does."""
    if not 0 < says.version <= VERSION_MAX:
        return f"version {says.version}"
    return "too many settings" if len(says.settings) > SETTINGS_MAX else ""


def moot(state: LockerState, says: object) -> str:
    """An older version never takes the place of a newer; the same again changes nothing."""
    if not isinstance(says, SettingsChanged) or says.version > state.given.version:
        return ""
    same = says.version == state.given.version
    return "repeated" if same else f"void: version {state.given.version} is in force"


def follows(state: LockerState, says: object) -> tuple[Event, ...]:
    """What was refused, and what is in force once ``says`` is applied."""
    if not isinstance(says, SettingsChanged):
        return ()
    taken, refused = settings.judged(state.given, says.settings)
    facts = (
        SettingRefused(says.version, one.name[:_CHARACTERS_MAX], str(one.value)[:_CHARACTERS_MAX], why)
        for one, why in refused
    )
    return (*facts, report(replace(state.given, version=says.version, settings=taken)))


def report(given: Given) -> SettingsReported:
    names = tuple(setting.name for setting in given.settings)
    return SettingsReported(given.version, settings.values(given), names)
