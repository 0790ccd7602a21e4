"""Bodies of the routes about pickups."""

from typing import Annotated

from pydantic import BaseModel, Field

from sync.central.api_models import PersonIn, Strict, Text120
from sync.central.pickups import agents, codes

EntrustmentName = Annotated[str, Field(pattern=r"^([a-z2-7]{16})?$")]
Hours = Annotated[int, Field(ge=1, le=720)]
HoldDays = Annotated[int, Field(ge=1, le=60)]


class ReasonGiven(Strict):
    reason: Text120


class ReissueIn(ReasonGiven):
    stolen: bool = False
    """What was given out so far ends at once."""
    entrustment: EntrustmentName = ""
    """Whose code; empty: the recipient's."""

    def lost(self, item: str) -> codes.Lost:
        return codes.Lost(item, self.reason, self.stolen, self.entrustment)


class EntrustIn(Strict):
    agent: PersonIn
    valid_hours: Hours = 72

    def entrusting(self, item: str) -> agents.Entrusting:
        return agents.Entrusting(item, self.agent.person(), self.valid_hours)


class HoldIn(Strict):
    hold_days: HoldDays
    """In all, from the loading."""


class ExtensionIn(Strict):
    valid_hours: Hours
    """From now."""


class ReissueOut(BaseModel):
    order: str
    item: str
    entrustment: str
    stolen: bool
    reason: str
    who: str
    asked_ms: int
    state: str
    """``ordered``, ``made``, ``void`` (nothing waits there any more), ``refused``."""
    told_ms: int


class EntrustmentOut(BaseModel):
    entrustment: str
    item: str
    case: str
    locker: str
    name: str
    phone: str
    valid_from_ms: int
    valid_until_ms: int
    who: str
    made_ms: int
    known_ms: int
    """When the locker's journal was seen to hold it; 0 before."""
    ended: str
    ended_ms: int
