"""What a locker must not write down, judged by `Reference`: who opens what, what lies where, in whose hands.

Shares nothing with the product either. Every rule carries the number of the invariant that it stands for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.world.company import Company
from tests.world.reference import LIVE, OVER, PULSED, TENTATIVE, Fact, Reference, Right, Stay

TYPED_FAILURES: Final = 10
PHONE_FAILURES: Final = 3
PIN_FAILURES: Final = 5
TRIES: Final = 3
"""Of one visit at doors."""
EMPTIES: Final = 2
"""So often a sensor says "empty" before a person's word outweighs it."""
DIRECTIVES: Final = frozenset(
    {"AuthorisationGranted", "AuthorisationRevoked", "ItemAnnounced", "ItemRecalled"}
    | {"StaffEnrolled", "StaffRevoked", "SettingsChanged", "CentreKeysTold"}
    | {"CodeReissueOrdered", "AgentEntrusted", "EntrustmentEnded", "HoldExtended", "AuthorisationExtended"}
    | {
        "CompartmentBarred",
        "CompartmentUnbarred",
        "SlotBooked",
        "SlotReleased",
        "PapersDue",
        "NeighboursTold",
    }
    | {"DepositRestored", "CodeRestored", "HistoryRestored", "HistoryConfirmed"}
)
"""What the centre may say."""
NOT_OPENED: Final = ("stuck", "refused", "not_sent")
VISITOR: Final = {"drop_off": TENTATIVE, "reopen": ("awaiting_intake",), "pick_up": ("awaiting_pickup",)}
"""What a code opens for, and where the deposit must stand then."""
HELPER: Final = frozenset({"helper", "supervisor"})
ROLES: Final = {
    "intake": HELPER,
    "load": HELPER,
    "withdraw": HELPER,
    "check": HELPER,
    "service": frozenset({"technician"}),
}


@dataclass
class Custody:
    """One locker's. Feed it every transaction, in order."""

    model: Reference = field(default_factory=Reference)

    def __post_init__(self) -> None:
        self.company = Company(self.model)
        self._down = ("", 0)
        self._obeyed: set[str] = set()
        """Orders of this epoch that have made a code."""
        self._facts: Sequence[Fact] = ()
        self._seq = 0
        self._wrong: list[tuple[int, str]] = []
        self._accepted: list[str] = []
        self._moved: list[str] = []
        self._last: list[tuple[int, Callable[[], object], str]] = []

    def take(self, facts: Sequence[Fact]) -> list[tuple[int, str]]:
        """One transaction; what speaks against it, with the number of the invariant."""
        self._wrong, self._accepted, self._moved, self._last = [], [], [], []
        if facts[0].seq <= self._seq:
            self._down = ("", 0)  # another card: another past
            self._obeyed.clear()
        self._facts, self._seq = facts, facts[-1].seq
        for fact in facts:
            self._wrong += self.company.take(fact, facts)
            judge = getattr(self, f"_judge{fact.name}", None)
            if judge is not None:
                judge(fact)
            self.model.take(fact)
        for number, holds, otherwise in self._last:
            self._must(number, holds(), otherwise)
        where = f"entries {facts[0].seq} to {facts[-1].seq}"
        return [(number, f"{where}: {text}") for number, text in self._wrong]

    def _must(self, number: int, holds: object, otherwise: str) -> None:
        if not holds:
            self._wrong.append((number, otherwise))

    def _finally(self, number: int, holds: Callable[[], object], otherwise: str) -> None:
        """At the end of the transaction."""
        self._last.append((number, holds, otherwise))

    # --- starts, and what is forgotten ---

    def _judge_booted(self, _fact: Fact) -> None:
        under_way = [right for right in self.model.rights.values() if right.phase in LIVE]
        what = f"openings of doors {[right.door for right in under_way]} outlive a start"
        self._finally(7, lambda: all(right.phase == "unknown" for right in under_way), what)

    def _judge_records_forgotten(self, fact: Fact) -> None:
        model, data = self.model, fact.data
        for key in data["codes"]:
            self._must(8, model.codes[key].ended, f"code {key} is forgotten, and good")
        for key in data["deposits"]:
            self._must(5, model.stays[key].phase in OVER, f"deposit {key} is forgotten, and here")
        for key in data["authorisations"]:
            stay = model.stays.get(model.authorisations[key].deposit)
            over = stay is None or stay.phase in OVER
            self._must(8, over, f"authorisation {key} is forgotten, and its deposit is here")
            early = fact.trusted and fact.wall_ms <= model.authorisations[key].until_ms
            self._must(8, not early, f"authorisation {key} is forgotten, and its token is good")

    # --- the centre ---

    def _judge_directive_applied(self, fact: Fact) -> None:
        """One after the other, each with what it says."""
        epoch, seq, what = fact.data["dn_epoch"], fact.data["dn_seq"], f"directive {fact.data['dn_seq']}"
        known, before = self._down
        follows = not known or seq == (before if epoch == known else 0) + 1
        self._must(15, follows, f"{what} is applied after {before}")
        said = any(other.kind in DIRECTIVES for other in self._facts)
        self._must(15, said or fact.data["outcome"] != "applied", f"{what} counts as applied, and is not")
        self._down = (epoch, seq)

    # --- codes and people ---

    def _judge_token_admitted(self, fact: Fact) -> None:
        key = fact.data["authorisation"]
        self._must(8, key not in self.model.authorisations, f"a token admits {key}, which is known")
        late = fact.trusted and fact.wall_ms > fact.data["valid_until_ms"]
        self._must(9, not late, f"a token admits {key}, and has run out")

    def _judge_pickup_code_made(self, fact: Fact) -> None:
        stay = self.model.stays.get(fact.data["deposit"])
        self._must(8, stay and stay.phase == "awaiting_pickup", "a pickup code for what does not wait")
        order = fact.data["order"]
        self._must(8, not order or order not in self._obeyed, f"order {order} makes a second code")
        self._obeyed.add(order)

    def _judge_code_ended(self, fact: Fact) -> None:
        code = self.model.codes.get(fact.data["code"])
        self._must(8, code and not code.ended, f"code {fact.data['code']} ends, and was no good one")

    def _judge_code_accepted(self, fact: Fact) -> None:
        record = fact.data["record"]
        code = self.model.record(record)
        self._must(9, code, f"{record} is accepted, and nobody gave it out")
        if code is None:
            return
        self._must(8, not code.ended, f"{record} is accepted, and has ended: {code.ended}")
        frozen = fact.data["form"] == "typed" and code.failures >= TYPED_FAILURES
        self._must(21, not frozen, f"{record} is accepted as typed, and is frozen")
        late = 0 < code.until_ms < fact.wall_ms and fact.trusted
        unused = record.startswith("code/") or not code.deposit
        self._must(9, not (late and unused), f"{record} is accepted, and has run out")
        self._accepted.append(record)

    def _judge_staff_signed_in(self, fact: Fact) -> None:
        who = fact.data["staff"]
        self._must(9, self._entitled(fact, who), f"{who} signs in, and has no right here")
        record = self.model.staff.get(who)
        self._must(21, record is None or record.failures < PIN_FAILURES, f"{who} signs in, and is locked out")

    def _entitled(self, fact: Fact, who: str) -> bool:
        record = self.model.staff.get(who)
        return record is not None and not (fact.trusted and fact.wall_ms > record.until_ms)

    # --- doors ---

    def _judge_opening_requested(self, fact: Fact) -> None:
        model, data = self.model, fact.data
        number, purpose, key = data["door"], data["purpose"], data["deposit"]
        door, stay, what = model.doors[number], model.stays.get(key), f"door {number} for {purpose}"
        self._must(2, data["grant"] not in model.rights, f"grant {data['grant']} is given twice")
        self._must(2, not model.moving(number), f"{what}, and an opening of it is under way")
        self._must(3, door.position == "closed", f"{what}, and it is {door.position}")
        self._must(9, not key or (stay and stay.door == number), f"{what}, and {key} does not lie there")
        self._must(9, key or purpose not in VISITOR, f"{what}, and no deposit is named")
        self._must(9, purpose == "service" or data["attempt"] <= TRIES, f"{what}: too many tries")
        if stay is not None and purpose in VISITOR:
            self._visitor(purpose, key, stay, what)
        elif purpose != "remote" and not (fact.cause == "sensor" and key in self._moved):
            self._staff(fact, stay, what)

    def _visitor(self, purpose: str, key: str, stay: Stay, what: str) -> None:
        self._must(8, stay.phase in VISITOR[purpose], f"{what}, and deposit {key} is {stay.phase}")
        if purpose != "pick_up":
            self._must(8, stay.looks < self.company.looks, f"{what}: that code has opened {stay.looks} times")
        if key in self._moved:
            return
        records = [f"authorisation/{stay.authorisation}"]
        if purpose == "pick_up":
            records = [f"code/{name}" for name, code in self.model.codes.items() if code.deposit == key]
        by = [record for record in self._accepted if record in records]
        self._must(9, by, f"{what} of case {stay.case}, and no code for it was accepted")
        code = self.model.record(by[0]) if by else None
        spent = code is not None and purpose == "pick_up" and code.phone_failures >= PHONE_FAILURES
        self._must(21, not spent, f"{what}: the second factor has failed too often")

    def _staff(self, fact: Fact, stay: Stay | None, what: str) -> None:
        who, purpose, door = fact.data["staff"], fact.data["purpose"], self.model.doors[fact.data["door"]]
        what = f"{what} by {who or 'nobody'}"
        if not (purpose == "service" and who.startswith(("console/", "centre/"))):
            record = self.model.staff.get(who)
            roles = record.roles if record else frozenset()
            self._must(9, self._entitled(fact, who), f"{what}, who has no right here")
            self._must(12, roles & ROLES.get(purpose, frozenset()), f"{what}, as {sorted(roles)}")
            self._must(9, record and record.here, f"{what}, who is not signed in")
        self._must(9, fact.cause == f"staff/{who}", f"{what}, caused by {fact.cause}")
        fits = {
            "intake": stay and stay.kind == "submission" and stay.phase not in OVER,
            "load": stay and stay.kind == "outgoing" and stay.phase in TENTATIVE,
            "withdraw": stay and stay.kind == "outgoing" and self._goes_back(stay, fact),
            "check": self.company.may_look(fact, stay, doubted=bool(door.doubt)),
            "service": not stay and not door.deposit and not door.doubt,
        }
        self._must(12, fits.get(purpose), f"{what}, and there is {stay or door}")

    def _goes_back(self, stay: Stay, fact: Fact) -> bool:
        late = self.company.may_undo(fact.data["staff"], fact.data["deposit"])
        late |= stay.phase == "awaiting_pickup" and (stay.overdue or self.model.items.get(stay.item, False))
        return late or stay.phase in {"refused", "unconfirmed", "exposed"}

    def _judge_opening_unknown(self, fact: Fact) -> None:
        right = self.model.rights.get(fact.data["grant"])
        self._must(7, right and right.phase in LIVE, f"opening {fact.data['grant']} is unknown, and was over")

    def _judge_door_opened(self, fact: Fact) -> None:
        right = self.model.latest(fact.data["door"])
        own = self.model.doors[fact.data["door"]].grant == fact.data["grant"]
        due = own and right and right.phase in (*PULSED, "unknown")
        self._must(3, due, f"door {fact.data['door']} opened, and was not commanded")

    def _judge_door_closed(self, fact: Fact) -> None:
        right = self.model.rights.get(fact.data["grant"])
        due = not fact.data["grant"] or (right and right.phase in {"open", "left_open", "unknown"})
        self._must(3, due, f"door {fact.data['door']} was shut under {right}")

    def _judge_door_stuck(self, fact: Fact) -> None:
        right = self.model.rights.get(fact.data["grant"])
        self._must(3, right and right.phase in PULSED, f"door {fact.data['door']} is stuck under {right}")

    def _judge_door_left_open(self, fact: Fact) -> None:
        right = self.model.rights.get(fact.data["grant"])
        self._must(3, right and right.phase == "open", f"door {fact.data['door']} left open under {right}")

    def _judge_door_forced(self, fact: Fact) -> None:
        door = self.model.doors[fact.data["door"]]
        self._finally(4, lambda: door.doubt, f"door {fact.data['door']} was forced, and nobody must look")

    _judge_door_opened_by_key = _judge_door_forced

    # --- what lies where ---

    def _judge_compartment_reserved(self, fact: Fact) -> None:
        model, key, number = self.model, fact.data["deposit"], fact.data["door"]
        item, own = fact.data["item"], fact.data["authorisation"]
        self._must(4, model.free(number), f"{key} gets door {number}: {model.doors[number]}")
        self._must(4, key not in model.stays, f"deposit {key} is reserved twice")
        same = [k for k, stay in model.stays.items() if item and stay.item == item and stay.phase not in OVER]
        self._must(4, not same, f"item {item} gets door {number}, and is deposit {same} already")
        code = model.authorisations.get(own)
        self._must(9, not own or code, f"{key} rests on {own}, which nobody granted")
        before = model.stays.get(code.deposit) if code else None
        here = before is not None and before.phase not in OVER
        self._must(4, not here, f"{own} gets door {number}, and has {before} already")

    def _judge_deposit_moved(self, fact: Fact) -> None:
        stay, number = self.model.stays[fact.data["deposit"]], fact.data["door"]
        self._must(4, self.model.free(number), f"{stay} moves to {number}: {self.model.doors[number]}")
        empty = stay.phase == "reserved" and (not stay.shut or stay.empty)
        self._must(4, empty, f"{stay} moves to door {number}, and may lie where it was")
        self._moved.append(fact.data["deposit"])

    def _judge_submission_deposited(self, fact: Fact, kind: str = "submission") -> None:
        stay = self.model.stays[fact.data["deposit"]]
        door, what = self.model.doors[stay.door], f"{fact.data['deposit']} of case {stay.case} counts as here"
        self._must(5, (stay.kind, stay.phase in TENTATIVE) == (kind, True), f"{what}, and was {stay.phase}")
        self._must(5, stay.shut and door.position == "closed", f"{what}, and its door was not seen shut")
        self._must(5, door.item != "absent" or stay.empty >= EMPTIES, f"{what}, and nothing was seen inside")
        self._must(5, fact.cause, f"{what} by nobody's word")

    def _judge_item_loaded(self, fact: Fact) -> None:
        right = self.model.latest(self.model.stays[fact.data["deposit"]].door)
        by = right and (right.purpose, right.staff) == ("load", fact.data["staff"])
        self._must(
            5, by, f"{fact.data['deposit']} is loaded by {fact.data['staff']}, who did not open for it"
        )
        self._judge_submission_deposited(fact, "outgoing")

    def _judge_submission_exposed(self, fact: Fact) -> None:
        stay = self.model.stays[fact.data["deposit"]]
        self._must(5, stay.phase in TENTATIVE, f"{stay} is exposed")

    def _judge_item_overdue(self, fact: Fact) -> None:
        stay = self.model.stays[fact.data["deposit"]]
        self._must(5, stay.phase == "awaiting_pickup", f"{stay} is overdue")

    def _judge_item_refused(self, fact: Fact) -> None:
        self._ends(fact, ("awaiting_pickup",), "pick_up")

    def _judge_item_picked_up(self, fact: Fact) -> None:
        self._ends(fact, ("awaiting_pickup",), "pick_up")

    def _judge_item_withdrawn(self, fact: Fact) -> None:
        self._ends(fact, ("awaiting_pickup", "refused", "unconfirmed", "exposed"), "withdraw")

    def _judge_submission_taken(self, fact: Fact) -> None:
        self._ends(fact, ("awaiting_intake", "unconfirmed", "exposed"), "intake")

    def _judge_submission_taken_back(self, fact: Fact) -> None:
        self._ends(fact, ("awaiting_intake",), "reopen")

    def _ends(self, fact: Fact, before: Sequence[str], purpose: str) -> None:
        """A stay is over: its door was seen to open and to shut for that, and its codes end."""
        key = fact.data["deposit"]
        stay = self.model.stays[key]
        what = f"{fact.kind} of {key}, case {stay.case}"
        self._must(5, stay.phase in before, f"{what}, which was {stay.phase}")
        right = self.model.latest(stay.door)
        shown = self._seen(right, purpose, key, fact.data.get("staff", ""))
        self._must(6, shown, f"{what}, and no door was seen to open and shut for it: {right}")
        lies = self.model.doors[stay.door].item == "present" and fact.kind != "ItemRefused"
        self._must(5, not lies, f"{what}, and it is seen to lie there")
        codes = [code for code in self.model.codes.values() if code.deposit == key]
        self._finally(8, lambda: all(code.ended for code in codes), f"{what}, and a code for it lives on")
        self._assumed(fact, stay, what)

    def _assumed(self, fact: Fact, stay: Stay, what: str) -> None:
        door = self.model.doors[stay.door]
        if fact.data.get("proof") == "assumed":
            self._finally(4, lambda: door.doubt, f"{what} is assumed, and nobody must look")

    def _seen(self, right: Right | None, purpose: str, key: str, staff: str) -> bool:
        if right is None or (right.purpose, right.deposit, right.staff) != (purpose, key, staff):
            return False
        return right.opened and right.shut

    def _judge_deposit_cancelled(self, fact: Fact) -> None:
        key, stay = fact.data["deposit"], self.model.stays[fact.data["deposit"]]
        door, right, what = self.model.doors[stay.door], self.model.latest(stay.door), f"{key} is cancelled"
        self._must(5, stay.phase in TENTATIVE, f"{what}, and was {stay.phase}")
        idle = right is None or right.deposit != key or right.phase in NOT_OPENED
        looked = right is not None and self._seen(right, "intake", key, right.staff)
        if not (looked or door.item == "absent" or (idle and not stay.shut and not door.doubt)):
            held = f"{what}, something may lie in door {stay.door}, and nobody must look"
            self._finally(4, lambda: door.doubt, held)
        self._assumed(fact, stay, what)

    def _judge_compartment_checked(self, fact: Fact) -> None:
        right, who = self.model.latest(fact.data["door"]), fact.data["staff"]
        seen = self._seen(right, "check", right.deposit if right else "", who)
        self._must(6, seen, f"door {fact.data['door']} is checked by {who}, who cannot have looked")

    def _judge_compartment_blocked(self, fact: Fact) -> None:
        door = self.model.doors[fact.data["door"]]
        self._must(12, not (door.deposit or door.doubt), f"door {fact.data['door']} is blocked: {door}")
