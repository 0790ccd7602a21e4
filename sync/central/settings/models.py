"""The bodies of settings' routes."""

from typing import Annotated

from pydantic import BaseModel, Field

from sync.central.api_models import Strict
from sync.central.settings.levels import Level
from sync.central.settings.views import Sheet, Shown, Standing

Name = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$", examples=["hold_days"])]
Number = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Text = Annotated[str, Field(max_length=120)]


class SettingsIn(Strict):
    """All wishes of this place. What is not named is taken back: the next level above counts again, or the
    locker's own word."""

    revision: Annotated[str, Field(max_length=32)]
    """Of what was looked at; another one meanwhile: 409."""
    settings: Annotated[dict[Name, Number | Text], Field(max_length=64)]


class SettingOut(BaseModel):
    name: str
    low: int
    high: int
    """Of a text: of its length."""
    wish: int | str | None
    """Of this very place."""
    above: int | str | None
    """What counts where this place wishes nothing."""
    above_level: Level | None
    in_force: int | str | None
    """At this locker, by its own report."""
    standing: Standing | None
    why: str
    """Of a refusal by the locker: `out_of_range`, `local_only`, `not_of_type`, `unknown`."""


class SettingsOut(BaseModel):
    revision: str
    version: int
    """Of what this locker was told last; 0: nothing yet, or no locker."""
    in_force_version: int
    reported_ms: int
    settings: list[SettingOut]


class ToldOut(BaseModel):
    lockers: int
    """How many are told a new version."""


def out(sheet: Sheet) -> SettingsOut:
    told = sheet.told
    return SettingsOut(
        revision=sheet.revision,
        version=told.version if told else 0,
        in_force_version=told.held_version if told else 0,
        reported_ms=told.held_ms if told else 0,
        settings=[_setting(each) for each in sheet.settings],
    )


def _setting(shown: Shown) -> SettingOut:
    return SettingOut(
        name=shown.name,
        low=shown.low,
        high=shown.high,
        wish=shown.wish,
        above=shown.above.value if shown.above else None,
        above_level=shown.above.level if shown.above else None,
        in_force=shown.held,
        standing=shown.standing,
        why=shown.why,
    )
