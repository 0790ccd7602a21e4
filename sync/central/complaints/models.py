"""The bodies of the API's routes about complaints, ratings and solutions."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from sync.central.api import time_of
from sync.central.api_models import Case, LockerName, Phone, Strict, Text40, Text80, printable
from sync.central.complaints import ratings, register, solutions, work
from sync.central.complaints.policy import Category
from sync.central.complaints.register import Complaint
from sync.central.complaints.states import State

Told = Annotated[str, Field(min_length=1, max_length=register.TEXT_CHARACTERS_MAX), AfterValidator(printable)]
Note = Annotated[str, Field(max_length=work.NOTE_CHARACTERS_MAX, pattern=r"^[^\x00-\x1f\x7f]*$")]
Comment = Annotated[str, Field(max_length=ratings.TEXT_CHARACTERS_MAX, pattern=r"^[^\x00-\x1f\x7f]*$")]
Lesson = Annotated[
    str, Field(min_length=1, max_length=solutions.TEXT_CHARACTERS_MAX), AfterValidator(printable)
]
AreaName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,24}$")]


class ComplaintIn(Strict):
    """What somebody could not get done. Without a locker ``area`` says whose hall looks after it."""

    category: Category = Field(strict=False)
    text: Told
    locker: LockerName | None = None
    area: AreaName | None = None
    case: Case | None = None
    name: Text40 | None = None
    phone: Phone | None = None
    """To be called back. It is sealed at once and shown only to whoever calls."""

    def complaint(self) -> Complaint:
        return Complaint(
            category=self.category,
            text=self.text,
            phone=self.phone or "",
            name=self.name or "",
            locker=self.locker or "",
            area=self.area or "",
            case=self.case or "",
        )


class MoveIn(Strict):
    move: Literal["assign", "resolve", "satisfy", "object", "miss", "reopen", "remark"]
    note: Note = ""
    assignee: Annotated[str, Field(pattern=r"^(person:[a-z0-9._-]{1,32})?$")] = ""
    """For ``assign``; empty: whoever asks."""


class GiveUpIn(Strict):
    reason: Annotated[
        str, Field(min_length=1, max_length=work.NOTE_CHARACTERS_MAX), AfterValidator(printable)
    ]


class SolutionIn(Strict):
    complaint: Annotated[str, Field(pattern=r"^[a-z2-7]{16}$")]
    title: Text80
    text: Lesson


class RatingIn(Strict):
    """``reference``: of the authorisation for a drop-off, of the item for a pickup."""

    kind: Literal["authorisation", "item"]
    reference: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,32}$")]
    grade: Annotated[int, Field(ge=1, le=5)]
    """5 very satisfied, 4 satisfied, 3 fair, 2 dissatisfied, 1 very dissatisfied."""
    text: Comment = ""


class Registered(BaseModel):
    complaint: str


class Moved(BaseModel):
    complaint: str
    state: State


class ComplaintOut(BaseModel):
    complaint: str
    origin: str
    category: str
    area: str
    locker: str
    case: str
    text: str
    name: str
    phone: str
    """Masked."""
    state: State
    assignee: str
    solution: str
    level: int
    made: str | None
    due: str | None
    closed: str | None


class StepOut(BaseModel):
    move: str
    state: str
    who: str
    note: str
    at: str | None


class ComplaintDetail(ComplaintOut):
    context: dict[str, str]
    steps: list[StepOut]


class RatingOut(BaseModel):
    number: int
    kind: str
    reference: str
    grade: int
    text: str
    locker: str
    service_item: str
    complaint: str
    """The one that a low grade opened."""
    at: str | None


class SolutionOut(BaseModel):
    solution: str
    category: str
    title: str
    text: str
    at: str | None


def complaint_out(row: Any) -> ComplaintOut:
    return ComplaintOut(**_complaint(row))


def detail_out(row: Any, steps: Any) -> ComplaintDetail:
    told = [
        StepOut(move=step.move, state=step.state, who=step.who, note=step.note, at=time_of(step.at_ms))
        for step in steps
    ]
    return ComplaintDetail(**_complaint(row), context=json.loads(row.context), steps=told)


def rating_out(row: Any) -> RatingOut:
    return RatingOut(
        number=row.number,
        kind=row.kind,
        reference=row.reference,
        grade=row.grade,
        text=row.text,
        locker=row.locker,
        service_item=row.service_item,
        complaint=row.complaint,
        at=time_of(row.at_ms),
    )


def solution_out(row: Any) -> SolutionOut:
    return SolutionOut(
        solution=row.solution, category=row.category, title=row.title, text=row.text, at=time_of(row.at_ms)
    )


def _complaint(row: Any) -> dict[str, Any]:
    return {
        "complaint": row.complaint,
        "origin": row.origin,
        "category": row.category,
        "area": row.area,
        "locker": row.locker,
        "case": row.case_number,
        "text": row.text,
        "name": row.name,
        "phone": row.phone,
        "state": row.state,
        "assignee": row.assignee,
        "solution": row.solution,
        "level": row.level,
        "made": time_of(row.made_ms),
        "due": time_of(row.due_ms),
        "closed": time_of(row.closed_ms),
    }
