"""The service once more, small and in other words: what is true after each thing that was written down.

It shares nothing with the product and knows nothing of files, wires or clocks. Fed with plain facts it
answers: what is each compartment good for, where does each deposit stand, which code may open what. What must
not be written down at all, `tests.world.custody` says.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from tests.world import memory

TENTATIVE: Final = ("reserved", "unconfirmed", "exposed")
OVER: Final = ("taken_in", "taken_back", "collected", "withdrawn", "cancelled")
ENDS: Final = {
    "ItemPickedUp": "collected",
    "ItemWithdrawn": "withdrawn",
    "DepositCancelled": "cancelled",
    "SubmissionTakenBack": "taken_back",
    "SubmissionTaken": "taken_in",
}
OUTCOMES: Final = {"OpeningUnknown": "unknown", "DoorStuck": "stuck", "DoorLeftOpen": "left_open"}
PULSED: Final = ("requested", "acknowledged", "uncertain")
DOUBTFUL: Final = ("unknown_item", "missing", "unsure")
LIVE: Final = (*PULSED, "open", "left_open")
Data = dict[str, Any]


class Fact(NamedTuple):
    """One thing that was written down, in plain words and numbers."""

    seq: int
    kind: str
    data: Data
    boot: int
    mono_ms: int
    wall_ms: int
    trusted: bool
    """Whether its wall time was to be believed."""
    cause: str

    @property
    def name(self) -> str:
        """``CodeEnded`` as ``_code_ended``."""
        return re.sub("([A-Z])", r"_\1", self.kind).lower()


@dataclass(slots=True)
class Door:
    deposit: str = ""
    holding: bool = False
    doubt: str = ""
    fault: str = ""
    blocked: str = ""
    barred: str = ""
    position: str = "unknown"
    item: str = "unknown"
    grant: str = ""


@dataclass(slots=True)
class Stay:
    """One deposit in one compartment."""

    kind: str
    door: int
    case: str
    authorisation: str
    item: str
    phase: str = "reserved"
    looks: int = 0
    shut: bool = False
    """Whether its door was seen shut after an opening for it."""
    empty: int = 0
    """Shut and seen empty, one after the other."""
    overdue: bool = False


@dataclass(slots=True)
class Right:
    """One opening."""

    door: int
    purpose: str
    deposit: str
    staff: str
    phase: str = "requested"
    opened: bool = False
    shut: bool = False


@dataclass(slots=True)
class Code:
    """A pickup code, or the right to hand in; ``deposit`` of the latter: what was handed in under it."""

    deposit: str = ""
    until_ms: int = 0
    failures: int = 0
    phone_failures: int = 0
    ended: str = ""
    digest: str = ""
    """Of what is typed for the right to hand in: the same again is no new code."""


@dataclass(slots=True)
class Staff:
    roles: frozenset[str]
    until_ms: int
    failures: int = 0
    here: bool = False


@dataclass
class Reference:
    """One locker's."""

    doors: dict[int, Door] = field(default_factory=dict)
    stays: dict[str, Stay] = field(default_factory=dict)
    rights: dict[str, Right] = field(default_factory=dict)
    """The latest of each door."""
    codes: dict[str, Code] = field(default_factory=dict)
    authorisations: dict[str, Code] = field(default_factory=dict)
    items: dict[str, bool] = field(default_factory=dict)
    """Announced ones, and whether they were recalled."""
    staff: dict[str, Staff] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)
    """Until when each entrustment is good."""

    def forget(self) -> None:
        """Another history begins."""
        for records in (self.doors, self.stays, self.rights, self.codes, self.authorisations, self.items):
            records.clear()
        self.staff.clear()
        self.agents.clear()

    # --- questions ---

    def free(self, number: int) -> bool:
        """Whether something new may be put there."""
        it = self.doors[number]
        used = it.deposit or it.doubt or it.fault or it.blocked or it.barred or it.item == "present"
        return not used and it.position == "closed" and not self.moving(number)

    def moving(self, number: int) -> bool:
        """Whether an opening of it is under way."""
        right = self.latest(number)
        return right is not None and right.phase in LIVE

    def latest(self, number: int) -> Right | None:
        return self.rights.get(self.doors[number].grant)

    def record(self, name: str) -> Code | None:
        """By ``code/…`` or ``authorisation/…``."""
        kind, _, key = name.partition("/")
        return (self.codes if kind == "code" else self.authorisations).get(key)

    def opens(self, name: str) -> int:
        """The door that a record opens as things are; 0: none, or a fresh one for what is not handed in."""
        code = self.record(name)
        stay = self.stays.get(code.deposit) if code is not None and not code.ended else None
        fitting = ("awaiting_pickup",) if name.startswith("code/") else (*TENTATIVE, "awaiting_intake")
        return stay.door if stay is not None and stay.phase in fitting else 0

    # --- facts ---

    def take(self, fact: Fact) -> None:
        """Many a fact changes nothing that anybody may rest on."""
        tell = getattr(self, f"_told{fact.name}", None)
        if tell is not None:
            tell(fact.data)
        elif fact.kind in ENDS:
            self._over(fact.data, ENDS[fact.kind])
        elif fact.kind in OUTCOMES and (right := self.rights.get(fact.data["grant"])):
            right.phase = OUTCOMES[fact.kind]

    # the machine

    def _told_booted(self, _data: Data) -> None:
        for door in self.doors.values():
            door.position = door.item = "unknown"
        for each in self.staff.values():
            each.here = False

    def _told_compartments_configured(self, data: Data) -> None:
        numbers = [each["number"] for each in data["compartments"]]
        kept = {n: door for n, door in self.doors.items() if n in numbers or door.deposit}
        self.doors = {n: kept.get(n, Door()) for n in (*numbers, *(n for n in kept if n not in numbers))}

    def _told_records_forgotten(self, data: Data) -> None:
        for name, records in (
            ("deposits", self.stays),
            ("codes", self.codes),
            ("authorisations", self.authorisations),
            ("items", self.items),
        ):
            for key in data[name]:
                records.pop(key, None)

    def _told_board_went_silent(self, data: Data) -> None:
        for number in data["doors"]:
            self.doors[number].position = self.doors[number].item = "unknown"

    # what the centre said

    def _told_authorisation_granted(self, data: Data) -> None:
        before = self.authorisations.get(data["authorisation"], Code())
        now = Code(before.deposit, data["valid_until_ms"], ended=before.ended, digest=data["typed_digest"])
        if now.digest == before.digest:
            now.failures, now.phone_failures = before.failures, before.phone_failures
        self.authorisations[data["authorisation"]] = now

    def _told_authorisation_extended(self, data: Data) -> None:
        if code := self.authorisations.get(data["authorisation"]):
            code.until_ms = data["valid_until_ms"]

    def _told_agent_entrusted(self, data: Data) -> None:
        self.agents[data["entrustment"]] = data["valid_until_ms"]

    def _told_token_admitted(self, data: Data) -> None:
        self.authorisations[data["authorisation"]] = Code("", data["valid_until_ms"])

    def _told_authorisation_revoked(self, data: Data) -> None:
        if code := self.authorisations.get(data["authorisation"]):
            code.ended = "revoked"

    def _told_item_announced(self, data: Data) -> None:
        self.items[data["item"]] = False

    def _told_item_recalled(self, data: Data) -> None:
        if data["item"] in self.items:
            self.items[data["item"]] = True

    def _told_hold_extended(self, data: Data) -> None:
        for stay in self.stays.values():
            if stay.item == data["item"] and stay.item in self.items:
                stay.overdue = False

    def _told_staff_enrolled(self, data: Data) -> None:
        before = self.staff.get(data["staff"])
        here = before is not None and before.here
        self.staff[data["staff"]] = Staff(frozenset(data["roles"]), data["until_ms"], here=here)

    def _told_staff_revoked(self, data: Data) -> None:
        self.staff.pop(data["staff"], None)

    # who was let in

    def _told_staff_signed_in(self, data: Data) -> None:
        if record := self.staff.get(data["staff"]):
            record.failures, record.here = 0, True

    def _told_second_joined(self, data: Data) -> None:
        self.staff[data["staff"]].failures = 0

    def _told_staff_sign_in_failed(self, data: Data) -> None:
        if record := self.staff.get(data["staff"]):
            record.failures += 1

    def _told_staff_signed_out(self, data: Data) -> None:
        if record := self.staff.get(data["staff"]):
            record.here = False

    def _told_code_failed(self, data: Data) -> None:
        if code := self.record(data["record"]):
            code.failures += 1

    def _told_phone_failed(self, data: Data) -> None:
        if code := self.record(data["record"]):
            code.phone_failures += 1

    def _told_pickup_code_made(self, data: Data) -> None:
        self.codes[data["code"]] = Code(data["deposit"], self.agents.get(data["entrustment"], 0))

    def _told_code_ended(self, data: Data) -> None:
        if code := self.codes.get(data["code"]):
            code.ended = data["reason"]

    # doors

    def _told_opening_requested(self, data: Data) -> None:
        door = self.doors[data["door"]]
        self.rights.pop(door.grant, None)
        door.grant = data["grant"]
        self.rights[door.grant] = Right(data["door"], data["purpose"], data["deposit"], data["staff"])

    def _told_pulse_acknowledged(self, data: Data, to: str = "acknowledged") -> None:
        right = self.rights.get(data["grant"])
        if right is not None and right.phase == "requested":
            right.phase = to

    def _told_pulse_uncertain(self, data: Data) -> None:
        self._told_pulse_acknowledged(data, "uncertain")

    def _told_pulse_refused(self, data: Data) -> None:
        self._told_pulse_acknowledged(data, "refused")

    def _told_pulse_not_sent(self, data: Data) -> None:
        self._told_pulse_acknowledged(data, "not_sent")

    def _told_door_opened(self, data: Data) -> None:
        self.doors[data["door"]].position = "open"
        if right := self.rights.get(data["grant"]):
            right.phase, right.opened = "open", True
            if right.purpose in {"drop_off", "reopen"}:
                self.stays[right.deposit].looks += 1

    def _told_door_closed(self, data: Data) -> None:
        door, right = self.doors[data["door"]], self.rights.get(data["grant"])
        door.position, door.item = "closed", data["item"]
        if right is None:
            return
        right.shut = True
        right.phase = "unknown" if right.phase == "unknown" else "closed"
        if stay := self.stays.get(right.deposit):
            stay.shut, stay.looks = True, stay.looks + (right.purpose == "pick_up")
            stay.empty = stay.empty + 1 if door.item == "absent" else 0
            placed = right.purpose in {"drop_off", "load"} and door.item != "absent"
            if placed and stay.phase in TENTATIVE:
                stay.phase = "unconfirmed"

    def _told_door_forced(self, data: Data) -> None:
        self.doors[data["door"]].position = "open"

    _told_door_opened_by_key = _told_door_forced

    def _told_door_read(self, data: Data) -> None:
        self.doors[data["door"]].position, self.doors[data["door"]].item = data["position"], data["item"]

    # what the centre remembers of a history that was lost

    def _told_deposit_restored(self, data: Data) -> None:
        memory.deposit(self, data)

    def _told_code_restored(self, data: Data) -> None:
        memory.code(self, data)

    # custody

    def new_stay(self, data: Data) -> Stay:
        key, own = data["deposit"], data["authorisation"]
        self.stays[key] = Stay(data["kind"], data["door"], data["case"], own, data["item"])
        if code := self.authorisations.get(own):
            code.deposit = key
        return self.stays[key]

    def _told_compartment_reserved(self, data: Data) -> None:
        self.new_stay(data)
        self.doors[data["door"]].deposit, self.doors[data["door"]].holding = data["deposit"], False

    def _told_deposit_moved(self, data: Data) -> None:
        stay = self.stays[data["deposit"]]
        self.doors[stay.door].deposit = ""
        stay.door = data["door"]
        self.doors[stay.door].deposit, self.doors[stay.door].holding = data["deposit"], False

    def _told_submission_deposited(self, data: Data, phase: str = "awaiting_intake") -> None:
        stay = self.stays[data["deposit"]]
        stay.phase, self.doors[stay.door].holding, self.doors[stay.door].doubt = phase, True, ""

    def _told_item_loaded(self, data: Data) -> None:
        self._told_submission_deposited(data, "awaiting_pickup")

    def _told_submission_exposed(self, data: Data) -> None:
        self.stays[data["deposit"]].phase = "exposed"

    def _told_item_overdue(self, data: Data) -> None:
        self.stays[data["deposit"]].overdue = True

    def _told_item_refused(self, data: Data) -> None:
        self.stays[data["deposit"]].phase = "refused"

    def _over(self, data: Data, phase: str) -> None:
        stay = self.stays[data["deposit"]]
        door, own = self.doors[stay.door], self.authorisations.get(stay.authorisation)
        stay.phase, door.deposit, door.holding = phase, "", False
        if data["proof"] != "assumed":
            door.doubt = ""
        if own is not None and phase == "taken_in":
            own.ended = phase
        elif own is not None:
            own.deposit = ""

    def _told_compartment_doubted(self, data: Data) -> None:
        self.doors[data["door"]].doubt = data["reason"]

    def _told_compartment_checked(self, data: Data) -> None:
        self.doors[data["door"]].doubt = data["found"] if data["found"] in DOUBTFUL else ""

    def _told_compartment_faulted(self, data: Data) -> None:
        self.doors[data["door"]].fault = data["reason"]

    def _told_compartment_blocked(self, data: Data) -> None:
        self.doors[data["door"]].fault, self.doors[data["door"]].blocked = "", data["reason"]

    def _told_compartment_restored(self, data: Data) -> None:
        it = self.doors[data["door"]]
        it.fault = it.blocked = it.barred = ""

    def _told_compartment_barred(self, data: Data) -> None:
        self.doors[data["door"]].barred = data.get("reason", "")

    _told_compartment_unbarred = _told_compartment_barred
