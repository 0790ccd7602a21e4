"""The bodies of the API: what each field may hold. What is not named here is refused."""

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from locker.domain.access import Role
from locker.domain.compartment import Size
from sync.central import cases, outgoing
from sync.central.staff import Enrolment


def printable(text: str) -> str:
    """Refuses what no form should carry: line breaks, control characters, halves of characters."""
    if any(unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} for character in text):
        raise ValueError("letters, digits, punctuation and spaces only")
    if not text.strip():
        raise ValueError("must not be blank")
    return text.strip()


def or_blank(text: str) -> str:
    return printable(text) if text else ""


def _different(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise ValueError("each only once")
    return values


Case = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,24}$", examples=["GS-2026-000123"])]
"""At most 24 ASCII characters: a label's token carries it."""
LockerName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,24}$", examples=["hall-1"])]
ItemName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,24}$")]
StaffName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$", examples=["helper-1"])]
Phone = Annotated[str, Field(pattern=r"^\+?[0-9]{7,15}$", examples=["13812345678"])]
PinDigits = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
Text80 = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(printable)]
Text120 = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(printable)]
Text40 = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(printable)]
Papers = Annotated[list[Text80], Field(max_length=30)]
Department = Annotated[str, Field(max_length=40), AfterValidator(or_blank)]
"""Of the register, by id or name; empty for none."""
SizeName = Literal["S", "M", "L"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PersonIn(Strict):
    name: Text40
    phone: Phone
    language: Literal["zh", "en"] = "zh"
    """Of their messages."""

    def person(self) -> cases.Person:
        return cases.Person(self.name, self.phone, self.language)


class PreReviewIn(Strict):
    """A case that passed online pre-review."""

    case: Case
    service_item: Text80
    papers: Papers
    deferred: Papers = Field(default_factory=list)
    """Papers that may follow later (容缺)."""
    size: SizeName = "S"
    applicant: PersonIn
    locker: LockerName
    valid_hours: int = Field(default=72, ge=1, le=720)
    department: Department = ""
    """Of the locker's area, by id or name: whom the case is with."""

    def passed(self) -> cases.PreReview:
        return cases.PreReview(
            case=self.case,
            service_item=self.service_item,
            papers=tuple(self.papers),
            deferred=tuple(self.deferred),
            size=Size[self.size],
            applicant=self.applicant.person(),
            locker=self.locker,
            valid_hours=self.valid_hours,
            department=self.department,
        )


class OutgoingIn(Strict):
    """A result that a helper will load."""

    item: ItemName | None = None
    case: Case
    service_item: Text80
    size: SizeName = "S"
    recipient: PersonIn
    locker: LockerName
    second_factor: bool = False
    """Ask for the phone's last four digits as well."""
    results: Annotated[Papers, AfterValidator(_different)] = Field(default_factory=list)
    """Several results of one matter, which ``service_item`` names: they lie together under one code."""

    def ready(self) -> outgoing.Outgoing:
        return outgoing.Outgoing(
            item=self.item or "",
            case=self.case,
            service_item=self.service_item,
            size=Size[self.size],
            recipient=self.recipient.person(),
            locker=self.locker,
            second_factor=self.second_factor,
            results=tuple(self.results),
        )


class StaffIn(Strict):
    staff: StaffName
    name: Text40
    roles: Annotated[list[Literal["helper", "technician", "supervisor"]], Field(min_length=1, max_length=3)]
    pin: PinDigits
    lockers: Annotated[list[LockerName], Field(min_length=1, max_length=200), AfterValidator(_different)]

    def enrolment(self) -> Enrolment:
        roles = frozenset(Role(role).value for role in self.roles)
        return Enrolment(self.staff, self.name, roles, self.pin, tuple(self.lockers))


class Authorised(BaseModel):
    """Never the typed code. The token opens vacant compartments only; it is for the applicant's own page."""

    authorisation: str
    case: str
    locker: str
    state: str
    valid_from: str
    valid_until: str
    token: str


class AuthorisationOut(BaseModel):
    authorisation: str
    case: str
    service_item: str
    papers: list[str]
    deferred: list[str]
    size: str
    locker: str
    name: str
    phone: str
    state: str
    valid_from: str
    valid_until: str


class ItemOut(BaseModel):
    item: str
    case: str
    service_item: str
    results: list[str]
    size: str
    locker: str
    name: str
    phone: str
    second_factor: bool
    state: str


class Announced(ItemOut):
    label_url: str
    label_token: str


class Badge(BaseModel):
    """Shown this once."""

    staff: str
    badge: str


class RoomOut(BaseModel):
    doors: int
    vacant: int
    used: int
    broken: int


class LockerOut(BaseModel):
    locker: str
    area: str
    presence: Literal["online", "stale", "offline"]
    last_heard: str | None
    software: str
    epoch: str
    head: int
    stored_to: int
    unsynced: int
    dn_head: int
    dn_stored_to: int
    rooms: dict[str, RoomOut]
    alarms: int


class DoorOut(BaseModel):
    number: int
    cabinet: str
    size: str
    row: int
    column: int
    status: str
    position: str
    item: str
    doubt: str
    fault: str
    blocked: str
    case: str
    phase: str
    since: str | None
    overdue: bool


class TroubleOut(BaseModel):
    kind: str
    subject: str
    detail: str
    count: int
    last: str | None


class TicketOut(BaseModel):
    seq: int
    kind: str
    door: int
    deposit: str
    at: str | None


class LockerDetail(LockerOut):
    compartments: list[DoorOut]
    tickets: list[TicketOut]
    troubles: list[TroubleOut]
    dropped: dict[str, int]
    """Frames that it dropped since its start, by kind."""
    snapshot: dict[str, object]
    """What the locker last said of itself at a glance; the ledger stays the truth."""


class LedgerRow(BaseModel):
    epoch: str
    seq: int
    public: str
    personal_digest: str
    """With ``public`` it makes the leaf, so that the chain can be checked without any personal part."""
    hash: str
    problem: str


class LedgerPage(BaseModel):
    locker: str
    epoch: str
    stored_to: int
    hash: str
    mark: str
    rows: list[LedgerRow]
    next: str | None
    """``cursor`` of the following page; null while there is none yet."""


class StepOut(BaseModel):
    at: str | None
    clock: str
    """``good``, ``reckoned`` by the locker's own counter, or ``unset``: then it was between the two times."""
    not_before: str | None
    not_after: str | None
    lacking_before: int
    """Entries of this locker's journal that are missing here before this one."""
    source: str
    kind: str
    actor: str
    detail: dict[str, object]
    epoch: str
    seq: int
    hash: str


class DoubtOut(BaseModel):
    """What keeps a locker's part from being the whole: ``forked``, ``hole``, … ``behind``, ``raw``."""

    locker: str
    why: str
    count: int


class Trail(BaseModel):
    case: str
    steps: list[StepOut]
    doubts: list[DoubtOut]


class Health(BaseModel):
    ok: bool
    broker: bool
    dropped: dict[str, int]
