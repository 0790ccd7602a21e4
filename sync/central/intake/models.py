"""The bodies of the room's routes, and what it answers."""

import re
from datetime import date
from typing import Annotated, Final, Literal

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field

from sync.central.api_models import (
    Case,
    Department,
    LockerName,
    SizeName,
    Strict,
    Text40,
    Text80,
    Text120,
    printable,
)
from sync.central.intake.stages import Kind, Standing, State

_LONG_NUMBER: Final = re.compile(r"\d{7,}")


def _day(text: str) -> str:
    date.fromisoformat(text)
    return text


def told(text: str) -> str:
    """What staff type about a case is read by many: no phone and no code belongs there."""
    if _LONG_NUMBER.search(text):
        raise ValueError("no phone and no code; name neither")
    return printable(text) if text else ""


Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", examples=["2026-12-24"]), AfterValidator(_day)]
"""Until its end, by the hub's calendar."""
Remark = Annotated[str, Field(max_length=200), AfterValidator(told)]
Reason = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(told)]
TextQuery = Annotated[str, Query(max_length=80)]
LockerQuery = Annotated[str, Query(pattern=r"^[a-z0-9-]{0,24}$")]


class LackingIn(Strict):
    """One paper that is missing or wrong."""

    name: Text80
    why: Remark = ""


class DeferredIn(Strict):
    """One paper that may follow, and until when."""

    name: Text80
    until: Day


class MissingIn(Strict):
    """Everything that is missing, once."""

    papers: Annotated[list[LackingIn], Field(min_length=1, max_length=30)]
    until: Day
    consequence: Reason
    again: Remark = ""
    """Why something is asked for in this case a second time."""
    department: Department = ""
    """In whose name: of the case's area; empty: whom the case is with, by what is known."""


class CommitmentIn(Strict):
    """Who promised it in writing; ``where`` the words are kept: the sheet's number, the record's."""

    by: Text40
    how: Literal["signed", "online"]
    where: Text120


class DeferralIn(Strict):
    """Papers that may follow after acceptance, as the applicant has promised in writing."""

    papers: Annotated[list[DeferredIn], Field(min_length=1, max_length=30)]
    consequence: Reason
    commitment: CommitmentIn
    again: Remark = ""
    department: Department = ""


class TopUpIn(Strict):
    locker: LockerName
    size: SizeName = "S"
    valid_hours: int = Field(default=72, ge=1, le=720)


class OwedCheckIn(Strict):
    """Numbers, from 1, of the papers that are in order now; the others still lack."""

    in_order: Annotated[list[Annotated[int, Field(ge=1, le=30)]], Field(max_length=30)]


class ExtensionIn(Strict):
    until: Day
    reason: Reason


class FindingIn(Strict):
    finding: Literal["complete", "missing", "wrong"]
    remark: Remark = ""


class DecisionIn(Strict):
    """A reason is needed to return or reject. ``came``: deferred papers that were there after all."""

    decision: Literal["accept", "return", "reject"]
    reason: Remark = ""
    came: Annotated[list[Text80], Field(max_length=30)] = Field(default_factory=list)


# --- answers ------------------------------------------------------------------------------------------------


class PaperOut(BaseModel):
    number: int
    name: str
    why: str
    until: str
    in_order: bool


class TopUpOut(BaseModel):
    authorisation: str
    locker: str
    state: str
    valid_until: str | None
    came: str | None


class OwedOut(BaseModel):
    owed: str
    kind: Kind
    case: str
    service_item: str
    name: str
    locker: str
    state: State
    since: str | None
    deadline: str | None
    """Of the first paper that still lacks."""
    consequence: str
    papers: list[PaperOut]
    reason: str
    promised_by: str
    promised_how: str
    promise: str
    department: str
    """Its id in the register; empty for none."""
    made: str | None


class OwedDetail(OwedOut):
    top_ups: list[TopUpOut]


class StandingOut(BaseModel):
    area: str
    standing: Standing
    remark: str
    who: str
    at: str | None


class DocketOut(BaseModel):
    """How a case stands."""

    case: Case
    standings: list[StandingOut]
    """Empty: nothing is found or decided yet."""
    owed: list[OwedDetail]
    authorisations: list[str]
    items: list[str]


class AwaitingOut(BaseModel):
    locker: str
    door: int
    deposit: str
    case: str
    service_item: str
    name: str
    since: str | None
    """By the locker's clock; null where that was not set."""
    proof: str
    receipt: str
    owed: str
    """The supplement request or deferral that it tops up; empty for a first hand-in."""


class TopUpMade(BaseModel):
    authorisation: str
    token: str
    """Opens vacant compartments only; the typed code goes to the applicant by message."""
