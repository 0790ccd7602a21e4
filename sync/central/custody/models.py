"""The bodies of `/api/v1/custody`."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field

from sync.central.api_models import LockerName, Strict, Text120, printable
from sync.central.custody.dead import Resolution
from sync.central.custody.hand_over import Ending, Proposal, Receipt
from sync.central.custody.parties import Kind, Outcome, Party, Resolved

THINGS_MAX: Final = 200
"""On one slip: more fill no bag that a helper carries."""


def _or_blank(text: str) -> str:
    return printable(text) if text else ""


Thing = Annotated[str, Field(pattern=r"^(papers/[a-z0-9-]{1,24}|result)/[A-Za-z0-9._-]{1,32}$")]
Things = Annotated[list[Thing], Field(min_length=1, max_length=THINGS_MAX)]
Note = Annotated[str, Field(max_length=200), AfterValidator(_or_blank)]
PartyName = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(printable)]
Deposit = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,32}$")]


class PartyIn(Strict):
    kind: Literal["helper", "window", "department", "courier"]
    name: PartyName
    """A helper's staff number; a window's or department's id, or its name; what the courier is called."""

    def party(self) -> Party:
        return Party(Kind(self.kind), self.name)


class SlipIn(Strict):
    giver: PartyIn
    receiver: PartyIn
    things: Things
    note: Note = ""

    def proposal(self) -> Proposal:
        return Proposal(self.giver.party(), self.receiver.party(), tuple(self.things), self.note)


class MissingIn(Strict):
    thing: Thing
    said: Note = ""


class ReceiptIn(Strict):
    """What was counted. Whatever of the slip is not in ``received`` is missing, named or not."""

    received: Annotated[list[Thing], Field(max_length=THINGS_MAX)]
    missing: Annotated[tuple[MissingIn, ...], Field(max_length=THINGS_MAX, strict=False)] = ()
    too_many: Annotated[tuple[Text120, ...], Field(max_length=20, strict=False)] = ()

    def receipt(self) -> Receipt:
        missing = {each.thing: each.said for each in self.missing}
        return Receipt(frozenset(self.received), missing, self.too_many)


class EndingIn(Strict):
    outcome: Literal["received", "kept", "explained", "lost"]
    note: Text120

    def ending(self, number: int) -> Ending:
        return Ending(number, Outcome(self.outcome), self.note)


class ResolutionIn(Strict):
    deposit: Deposit
    outcome: Literal["to_window", "to_locker", "to_recipient", "missing", "left_inside"]
    whereto: Annotated[str, Field(max_length=40), AfterValidator(_or_blank)] = ""
    """The window or locker that it goes to."""
    taken_by: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,32}$")] = ""
    """Staff number of who took it out and has it now."""
    note: Note = ""

    def resolution(self, locker: LockerName) -> Resolution:
        outcome = Resolved(self.outcome)
        return Resolution(locker, self.deposit, outcome, self.whereto, self.taken_by, self.note)


class HeldOut(BaseModel):
    thing: str
    case: str
    holder_kind: str
    holder: str
    called: str
    """What that window or department is called; of others the same as ``holder``."""
    since_ms: int
    confirmed: bool
    """Somebody took it over; until then a locker's word says who has it."""
    window: str
    window_called: str
    queue: int
    slip: str
    overdue: bool


class LineOut(BaseModel):
    thing: str
    case: str
    service_item: str
    window: str
    queue: int
    state: str


class DifferenceOut(BaseModel):
    number: int
    room: str
    kind: str
    locker: str
    door: int
    slip: str
    thing: str
    case: str
    said: str
    found_by: str
    at_ms: int
    outcome: str
    note: str
    resolved_by: str
    resolved_ms: int


class SlipOut(BaseModel):
    slip: str
    giver: str
    receiver: str
    """Kind and id, or the name where there is no register of them."""
    giver_called: str
    receiver_called: str
    note: str
    proposed_by: str
    proposed_ms: int
    state: str
    settled_by: str
    settled_ms: int
    count: int
    received: int
    overdue: bool


class SlipWhole(SlipOut):
    lines: list[LineOut]
    differences: list[DifferenceOut]


class LookOut(BaseModel):
    """What people found who looked into a compartment."""

    locker: str
    door: int
    found: str
    staff: str
    second: str
    case: str
    at_ms: int


class LiesOut(BaseModel):
    door: int
    deposit: str
    case: str
    kind: str
    phase: str
    since_ms: int
    doubt: str
    resolution: str
    resolved_by: str


class HoldingsOut(BaseModel):
    """What a locker holds by all that is known of it. ``unsynced`` entries of it are not known here."""

    locker: str
    presence: str
    last_heard_ms: int
    told_ms: int
    stored_to: int
    head: int
    unsynced: int
    mark: str
    lies: list[LiesOut]
    doubted_doors: list[int]


def difference(row: Any) -> DifferenceOut:
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return DifferenceOut(case=values.pop("case_number"), **{k: v for k, v in values.items() if k != "area"})
