"""What the fleet's routes take and answer."""

from typing import Annotated

from pydantic import BaseModel, Field

from sync.central.api_models import Strict
from sync.central.fleet.alarms import NOTE_CHARACTERS_MAX
from sync.central.presence import Presence

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class RoomOut(BaseModel):
    """Doors of one size. ``used``: something lies, or may lie, behind them; ``broken``: out of service."""

    doors: int
    vacant: int
    used: int
    broken: int


class GlanceOut(BaseModel):
    """One locker, at most half a second old."""

    locker: str
    area: str
    presence: Presence
    last_heard: str | None
    software: str
    rooms: dict[str, RoomOut]
    alarms: int
    """Open ones."""
    latest_alarm: str
    unsynced: int
    """Entries that the locker has and the hub does not."""
    untold: int
    """State entries of the hub that the locker does not have."""
    clock: str
    disk_used_percent: int
    mark: str
    """Why its present history is not the whole one; empty while well."""


class AlarmOut(BaseModel):
    number: int
    locker: str
    kind: str
    subject: str
    detail: str
    count: int
    raised: str | None
    last: str | None
    open: bool
    """Raised since somebody last took note of it."""
    seen_by: str
    note: str
    seen: str | None


class NoteIn(Strict):
    note: Annotated[str, Field(max_length=NOTE_CHARACTERS_MAX)] = ""


class SiteIn(Strict):
    """Degrees are WGS 84: what Chinese maps show (GCJ-02) lies some hundred metres off."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    address: Annotated[str, Field(max_length=200)] = ""
    latitude: Latitude
    longitude: Longitude


class SiteOut(BaseModel):
    """As it is kept: what was imported long ago need not be what is taken today."""

    locker: str
    name: str
    address: str
    latitude: float
    longitude: float


class NearOut(BaseModel):
    site: SiteOut
    metres: int
    free: int
    """Doors of the size that was asked for, or of any."""
