"""Who stands beside whom, whose slip is whose, what is kept free for whom, which code took another's place.

Judged beside `tests.world.custody`, of the same plain facts and with nothing of the product's. Each complaint
carries the number of the invariant that it stands for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.world.reference import Fact, Reference, Stay

Complaint = tuple[int, str]
SECOND_MS: Final = 1_800_000
"""So long a second person counts."""
WINDOW_MS: Final = 3_600_000
SLACK_MS: Final = 5_000
"""Between a decision and its entry on a slow disk."""
LOOKS: Final = 5
"""Openings that one drop-off code gives, where the centre has not said otherwise."""
GRACE_MS: Final = 3_600_000
PIN_FAILURES: Final = 5
HELPER: Final = frozenset({"helper", "supervisor"})
TECHNICIAN: Final = frozenset({"technician"})
SIZES: Final = (1, 2, 3)
HOLDS: Final = frozenset({"expected", "missing", "unknown_item", "unsure"})
"""What can be found where a deposit is known."""
VACANT: Final = frozenset({"empty", "unknown_item", "removed"})
GONE: Final = frozenset({"empty", "missing", "removed"})
OF_ROUND: Final = {"SubmissionTaken": "intake", "ItemWithdrawn": "withdraw", "ItemLoaded": "load"}


class Beside(NamedTuple):
    first: str
    second: str
    until_ms: int


class Part(NamedTuple):
    """Of a round: one helper's, under a slip of their own. ``kind`` is empty where it began unheard."""

    name: str
    kind: str
    staff: str


@dataclass
class Company:
    """One locker's. `take` before the model takes the same fact."""

    model: Reference
    pair: Beside | None = None
    window: Beside | None = None
    key_on: bool = False
    stocktake: str = ""
    """The one under way."""
    rounds: dict[str, str] = field(default_factory=dict)
    """Those that go on: name and kind."""
    slips: dict[str, Part] = field(default_factory=dict)
    loaded: dict[str, str] = field(default_factory=dict)
    """The last deposit of each loading slip."""
    sizes: dict[int, int] = field(default_factory=dict)
    booked: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    """Right, size and end of each booking."""
    settings: dict[str, int] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    """Grants of looks of which somebody has said what they found."""
    heirs: dict[str, int] = field(default_factory=dict)
    """Codes in whose place another was made, and the entry that made it."""
    holders: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Deposit and entrustment of each code."""
    known_to: int = 0
    """So many entries the locker knows to be at the centre, for a good while now."""
    _heard_to: int = 0
    whole: bool = True
    """Whether all of its history was heard: what an earlier epoch knew may be unknown here."""

    def forget(self, *, whole: bool = True) -> None:
        """Another history begins; ``whole``: with nothing before it."""
        fresh = Company(self.model, whole=whole, sizes=self.sizes)
        self.__dict__.update(fresh.__dict__)

    def hears(self, stored_to: int) -> None:
        """At each look of the oracle: so many entries the locker knows to be there; 0: who knows."""
        self.known_to, self._heard_to = min(self._heard_to, stored_to), stored_to

    @property
    def looks(self) -> int:
        return self.settings.get("openings_per_drop_off", LOOKS)

    # --- questions ---

    def entitled(self, fact: Fact, who: str, roles: frozenset[str]) -> bool:
        record = self.model.staff.get(who)
        late = record is not None and fact.trusted and fact.wall_ms > record.until_ms
        return record is not None and not late and bool(record.roles & roles)

    def second(self, fact: Fact, first: str) -> str:
        """Who stands beside them now and may look with them; empty where nobody does."""
        pair = self.pair
        if pair is None or pair.first != first or fact.mono_ms > pair.until_ms + SLACK_MS:
            return ""
        fits = pair.second != first and self.entitled(fact, pair.second, HELPER)
        return pair.second if fits else ""

    def may_look(self, fact: Fact, stay: Stay | None, *, doubted: bool) -> bool:
        """What is occupied is looked into by two; what is vacant and not doubted on a stocktake alone."""
        if stay is not None:
            return bool(self.second(fact, fact.data["staff"]))
        return doubted or bool(self.stocktake)

    def may_undo(self, staff: str, deposit: str) -> bool:
        """Whether they loaded it last, on a round that goes on."""
        own = [slip for slip, part in self.slips.items() if (part.kind, part.staff) == ("load", staff)]
        last = {self.loaded.get(slip) for slip in own if self.slips[slip].name in self.rounds}
        return deposit in last or not self.whole

    # --- facts ---

    def take(self, fact: Fact, others: Sequence[Fact]) -> Iterator[Complaint]:
        """``others``: its whole transaction."""
        judge = getattr(self, f"_take{fact.name}", None)
        if judge is not None:
            for number, what in judge(fact):
                yield number, f"entry {fact.seq}: {what}"
        if fact.kind in OF_ROUND:
            yield from self._on_slip(fact)
        if fact.kind == "PickupCodeMade":
            yield from self._made(fact, others)

    def _take_epoch_started(self, fact: Fact) -> Iterable[Complaint]:
        self.forget(whole=not fact.data["parent_epoch"])
        return ()

    def _take_booted(self, _fact: Fact) -> Iterable[Complaint]:
        self.pair, self.window, self.key_on = None, None, False
        return ()

    def _take_compartments_configured(self, fact: Fact) -> Iterable[Complaint]:
        self.sizes = {each["number"]: each["size"] for each in fact.data["compartments"]}
        return ()

    def _take_settings_changed(self, fact: Fact) -> Iterable[Complaint]:
        said = {each["name"]: each["value"] for each in fact.data["settings"]}
        self.settings = {name: value for name, value in said.items() if isinstance(value, int)}
        return ()

    # two people

    def _take_second_joined(self, fact: Fact) -> Iterable[Complaint]:
        who, first = fact.data["staff"], fact.data["beside"]
        record = self.model.staff.get(who)
        if who == first:
            yield 12, f"{who} stands beside themselves"
        if not self.entitled(fact, who, HELPER | TECHNICIAN):
            yield 9, f"{who} stands beside {first}, and has no right here"
        if record is not None and record.failures >= PIN_FAILURES:
            yield 21, f"{who} stands beside {first}, and is locked out"
        self.pair = Beside(first, who, fact.mono_ms + SECOND_MS)

    def _take_second_left(self, _fact: Fact) -> Iterable[Complaint]:
        self.pair = None
        return ()

    def _take_staff_signed_out(self, fact: Fact) -> Iterable[Complaint]:
        if self.pair is not None and fact.data["staff"] in self.pair[:2]:
            self.pair = None
        return ()

    def _take_history_vouched(self, fact: Fact) -> Iterable[Complaint]:
        second = self.second(fact, fact.data["staff"])
        if not second or second != fact.data["second"]:
            yield 12, f"{fact.data['staff']} vouches for a history, with {fact.data['second'] or 'nobody'}"

    def _take_stocktake_began(self, fact: Fact) -> Iterable[Complaint]:
        if not self.entitled(fact, fact.data["staff"], HELPER):
            yield 12, f"{fact.data['staff']} takes stock"
        self.stocktake = fact.data["stocktake"]

    def _take_stocktake_ended(self, _fact: Fact) -> Iterable[Complaint]:
        self.stocktake = ""
        return ()

    def _take_compartment_checked(self, fact: Fact) -> Iterable[Complaint]:
        number, found, who = fact.data["door"], fact.data["found"], fact.data["staff"]
        door, what = self.model.doors[number], f"door {fact.data['door']} is found {fact.data['found']}"
        if found not in (HOLDS if door.deposit else VACANT):
            yield 6, f"{what}, and there is {door}"
        if (found in GONE and door.item == "present") or (found not in GONE and door.item == "absent"):
            yield 5, f"{what}, and its sensor says {door.item}"
        needs = bool(door.deposit) or found == "removed"
        if needs and (fact.data["second"] == "" or fact.data["second"] != self.second(fact, who)):
            yield 12, f"{what} by {who} with {fact.data['second'] or 'nobody'}"
        if fact.data["stocktake"] not in ("", self.stocktake) and self.whole:
            yield 5, f"{what} for a stocktake that is not under way"
        if door.grant in self.answered:
            yield 6, f"{what}, and of that look something was said before"
        self.answered.add(door.grant)

    # the service window

    def _take_service_key_turned(self, fact: Fact) -> Iterable[Complaint]:
        self.key_on = fact.data["on"]
        return ()

    def _take_service_window_opened(self, fact: Fact) -> Iterable[Complaint]:
        who, second = fact.data["staff"], fact.data["second"]
        if not self.entitled(fact, who, TECHNICIAN):
            yield 12, f"{who} opens a service window"
        if not second or second != self.second(fact, who):
            yield 12, f"{who} opens a service window with {second or 'nobody'}"
        if not self.key_on:
            yield 12, f"{who} opens a service window, and nobody has turned the key"
        self.window = Beside(who, second, fact.mono_ms + WINDOW_MS)

    def _take_service_window_closed(self, _fact: Fact) -> Iterable[Complaint]:
        self.window = None
        return ()

    def _take_door_opened_by_key(self, fact: Fact) -> Iterable[Complaint]:
        if self.window is None or fact.mono_ms > self.window.until_ms + SLACK_MS:
            yield 3, f"door {fact.data['door']} was opened by key, and no service window stands"

    # rounds

    def _take_round_began(self, fact: Fact) -> Iterable[Complaint]:
        slip, kind, staff = fact.data["slip"], fact.data["kind"], fact.data["staff"]
        if kind in self.rounds.values():
            yield 5, f"{staff} begins a round of {kind}, and one goes on"
        yield from self._new_part(fact, slip, Part(slip, kind, staff))
        self.rounds[slip] = kind

    def _take_round_joined(self, fact: Fact) -> Iterable[Complaint]:
        name, staff = fact.data["round"], fact.data["staff"]
        if name not in self.rounds and self.whole:
            yield 5, f"{staff} joins round {name}, which does not go on"
        if any((part.name, part.staff) == (name, staff) for part in self.slips.values()):
            yield 5, f"{staff} joins round {name}, and is on it already"
        yield from self._new_part(fact, fact.data["slip"], Part(name, self.rounds.get(name, ""), staff))

    def _new_part(self, fact: Fact, slip: str, part: Part) -> Iterator[Complaint]:
        if slip in self.slips:
            yield 5, f"{part.staff} gets slip {slip}, which is {self.slips[slip].staff}'s"
        if not self.entitled(fact, part.staff, HELPER):
            yield 12, f"{part.staff} goes on a round"
        self.slips[slip] = part

    def _take_round_skipped(self, fact: Fact) -> Iterable[Complaint]:
        staff, stay = fact.data["staff"], self.model.stays.get(fact.data["deposit"])
        mine = [
            part for part in self.slips.values() if (part.name, part.staff) == (fact.data["round"], staff)
        ]
        if not mine and self.whole:
            yield 5, f"{staff} leaves something on round {fact.data['round']}, and is not on it"
        if stay is None or stay.door != fact.data["door"]:
            yield 5, f"{staff} leaves {fact.data['deposit']} in door {fact.data['door']}: {stay}"

    def _take_finding_corrected(self, fact: Fact) -> Iterable[Complaint]:
        part = self.slips.get(fact.data["slip"])
        if part is None and not self.whole:
            return
        if part is None or part.staff != fact.data["staff"]:
            yield 5, f"{fact.data['staff']} corrects slip {fact.data['slip']}, which is {part}"

    def _take_round_ended(self, fact: Fact) -> Iterable[Complaint]:
        if self.rounds.pop(fact.data["round"], None) is None and self.whole:
            yield 5, f"round {fact.data['round']} ends, and did not go on"

    def _on_slip(self, fact: Fact) -> Iterator[Complaint]:
        slip, staff, part = fact.data["slip"], fact.data["staff"], self.slips.get(fact.data["slip"])
        if not slip or (part is None and not self.whole):
            return
        what = f"entry {fact.seq}: {fact.data['deposit']} stands on slip {slip} by {staff}"
        if part is None or part.staff != staff or part.kind not in ("", OF_ROUND[fact.kind]):
            yield 5, f"{what}, which is {part}"
        elif part.name not in self.rounds and part.kind:
            yield 5, f"{what}, and its round is over"
        if fact.kind == "ItemLoaded":
            self.loaded[slip] = fact.data["deposit"]

    def _take_visit_assisted(self, fact: Fact) -> Iterable[Complaint]:
        who, record = fact.data["staff"], self.model.staff.get(fact.data["staff"])
        if not self.entitled(fact, who, HELPER) or record is None or not record.here:
            yield 12, f"{who} stands beside a visitor, and may not, or is not there"

    # booked slots

    def _take_slot_booked(self, fact: Fact) -> Iterable[Complaint]:
        key, right, size = fact.data["booking"], fact.data["authorisation"], fact.data["size"]
        # Of an earlier epoch it may be known here, and is said again whether there is room or not.
        known = key in self.booked or not self.whole
        if not known and not self._fits([*self._kept(right), size]):
            yield 28, f"slot {key} of size {size} is booked, and there is no room beside {self._kept(right)}"
        self._unbook(right)
        self.booked[key] = (right, size, fact.data["until_ms"])

    def _take_slot_released(self, fact: Fact) -> Iterable[Complaint]:
        self.booked.pop(fact.data["booking"], None)
        return ()

    def _take_slot_lapsed(self, fact: Fact) -> Iterable[Complaint]:
        _, _, until_ms = self.booked.pop(fact.data["booking"], ("", 0, 0))
        late = fact.wall_ms >= until_ms + self.settings.get("slot_grace_ms", GRACE_MS)
        if not (late and fact.trusted) and self.whole:
            yield 28, f"slot {fact.data['booking']} lapses, and ends at {until_ms}"

    def _take_authorisation_revoked(self, fact: Fact) -> Iterable[Complaint]:
        self._unbook(fact.data["authorisation"])
        return ()

    def _take_submission_deposited(self, fact: Fact) -> Iterable[Complaint]:
        self._unbook(self.model.stays[fact.data["deposit"]].authorisation)
        return ()

    def _unbook(self, right: str) -> None:
        self.booked = {key: each for key, each in self.booked.items() if each[0] != right}

    def _take_compartment_reserved(self, fact: Fact) -> Iterable[Complaint]:
        return self._given(fact.data["door"], fact.data["authorisation"])

    def _take_deposit_moved(self, fact: Fact) -> Iterable[Complaint]:
        return self._given(fact.data["door"], self.model.stays[fact.data["deposit"]].authorisation)

    def _given(self, number: int, right: str) -> Iterator[Complaint]:
        """What is left holds all that others have booked, of this size and smaller ones."""
        kept, taken = self._kept(right), self.sizes[number]
        smaller = [size for size in kept if size <= taken]
        if smaller and not self._fits(kept, without=number, up_to=taken):
            yield 28, f"door {number} is given to {right or 'a load'}, and was kept free for others: {kept}"

    def _kept(self, right: str) -> list[int]:
        """Sizes that others than ``right`` have booked, and have no compartment of yet."""
        rights = self.model.authorisations
        return [
            size
            for own, size, _ in self.booked.values()
            if own != right and not (own in rights and rights[own].deposit)
        ]

    def _fits(self, kept: Sequence[int], without: int = 0, up_to: int = SIZES[-1]) -> bool:
        free = [self.sizes[n] for n in self.model.doors if n != without and self.model.free(n)]
        wanted = {size: sum(each >= size for each in kept) for size in SIZES if size <= up_to}
        return all(sum(each >= size for each in free) >= count for size, count in wanted.items() if count)

    # codes that took another's place

    def _made(self, fact: Fact, others: Sequence[Fact]) -> Iterator[Complaint]:
        """One that was stolen ends with the order; one that was lost, once the centre has the new one."""
        code, holder = fact.data["code"], (fact.data["deposit"], fact.data["entrustment"])
        before = [key for key, own in self.holders.items() if own == holder and not self._ended(key, others)]
        self.holders[code] = holder
        orders = {each.data["order"]: each for each in others if each.kind == "CodeReissueOrdered"}
        order = orders.get(fact.data["order"])
        if order is None:
            return
        self.heirs.update(dict.fromkeys(before, fact.seq))
        if order.data["stolen"] and before:
            yield 8, f"entry {fact.seq}: a code in place of a stolen one, and {before} are good still"

    def _ended(self, key: str, others: Sequence[Fact]) -> bool:
        code = self.model.codes.get(key)
        now = any(each.kind == "CodeEnded" and each.data["code"] == key for each in others)
        return now or code is None or bool(code.ended)

    def _take_code_accepted(self, fact: Fact) -> Iterable[Complaint]:
        heir = self.heirs.get(fact.data["record"].removeprefix("code/"), 0)
        if 0 < heir <= self.known_to:
            yield (
                8,
                f"{fact.data['record']} is accepted, and the centre has had another (entry {heir}) for long",
            )
