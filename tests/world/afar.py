"""Invariant 10: what is opened from afar, against who agreed to it, when, how often, and whether it was new.

Truth: the moment at which the second person agreed, as the world saw it (`Centre.agreed_s`); what is durable;
what reached a board. The numbers of the caps are said here once more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.world.journals import Complaint
from tests.world.reference import Fact, Reference

if TYPE_CHECKING:
    from tests.world.machine import Machine
    from tests.world.world import World

FRESH_S: Final = 120.0
CLOCKS_S: Final = 12.0
"""So far two clocks may differ that are both believed."""
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
PER_HOUR: Final = 3
PER_DAY: Final = 10
SLACK_S: Final = 1.0
"""Of monotonic clocks, and of the moment at which something is told."""
TAKEN: Final = frozenset({"ActAccepted", "ActRefused", "ActExpired"})


@dataclass
class Afar:
    """One locker's."""

    world: "World"
    machine: "Machine"
    model: Reference
    highest: int = 0
    known: set[str] = field(default_factory=set)
    opened_s: list[float] = field(default_factory=list)
    """When each opening from afar was decided."""
    grants: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Grant to act and door."""
    last_s: float = 0.0
    accepted_s: dict[str, float] = field(default_factory=dict)
    """When each act was heard of first: found again on another card, it is no younger."""

    def forget(self) -> None:
        """Another card: another past."""
        self.highest = 0
        self.known.clear()
        self.opened_s.clear()
        self.grants.clear()

    def take(self, facts: Sequence[Fact], *, told: bool) -> Iterator[Complaint]:
        """One transaction; ``told`` by the daemon that wrote it, just now."""
        accepted = [fact for fact in facts if fact.kind == "ActAccepted"]
        rights = {fact.data["grant"]: fact for fact in facts if fact.kind == "OpeningRequested"}
        for fact in facts:
            at_s = self._decided_s(fact, told=told)
            if fact.kind in TAKEN:
                yield from self._new(fact)
            if fact.kind == "ActAccepted":
                yield from self._accepted(fact, rights, self.accepted_s.setdefault(fact.data["act"], at_s))
            if fact.kind == "ActDone":
                yield from self._done(fact)
        orders = {fact.data["grant"] for fact in accepted}
        for grant, fact in rights.items():
            if fact.data["purpose"] == "remote" and grant not in orders:
                yield 10, f"entry {fact.seq} opens door {fact.data['door']} from afar, and no act orders it"

    def _decided_s(self, fact: Fact, *, told: bool) -> float:
        """True time; where nobody heard it at once, the earliest that it can have been."""
        now_s = self.world.loop.time()
        if told:
            self.last_s = now_s - max(0.0, (self.machine.time.mono_ms() - fact.mono_ms) / 1000)
        return self.last_s

    def _new(self, fact: Fact) -> Iterator[Complaint]:
        act, aseq = fact.data["act"], fact.data["aseq"]
        if aseq <= self.highest or act in self.known:
            yield 10, f"entry {fact.seq}: act {act}, number {aseq}, is taken after {self.highest}"
        self.highest = max(self.highest, aseq)
        self.known.add(act)

    def _accepted(self, fact: Fact, rights: dict[str, Fact], at_s: float) -> Iterator[Complaint]:
        data, what = fact.data, f"entry {fact.seq}: act {fact.data['act']}"
        if len(set(data["approvers"])) < 2:  # two people
            yield 10, f"{what} is accepted, and {data['approvers']} approved it"
        if not fact.trusted:
            yield 10, f"{what} is accepted, and nobody knows what time it is"
        if data["kind"] != "open":
            return
        right = rights.get(data["grant"])
        if right is None or right.data["door"] != data["door"] or right.data["purpose"] != "remote":
            yield 10, f"{what} is accepted for door {data['door']}, and what is granted is {right}"
        self.grants[data["grant"]] = (data["act"], data["door"])
        self.opened_s.append(at_s)
        for span_s, most in ((HOUR_S, PER_HOUR), (DAY_S, PER_DAY)):
            count = sum(at_s - each < span_s - SLACK_S for each in self.opened_s)
            if count > most:
                yield 10, f"{what} is number {count} within {span_s / HOUR_S:.0f} h"

    def _done(self, fact: Fact) -> Iterator[Complaint]:
        for grant, (act, door) in self.grants.items():
            right = self.model.rights.get(grant)
            if act == fact.data["act"] and right is not None and not right.opened:
                yield 10, f"entry {fact.seq}: act {act} counts as done, and door {door} was not seen to open"

    def pulsed(self, grant: str) -> Iterator[Complaint]:
        """A pulse that uses this grant reached a board."""
        if grant not in self.grants or not self._clocks_are_right:
            return
        act, door = self.grants[grant]
        agreed_s, now_s = self.world.centre.agreed_s.get(act), self.world.loop.time()
        if agreed_s is None:
            yield 10, f"door {door} is pulsed for act {act}, to which nobody agreed"
        elif now_s > agreed_s + FRESH_S + CLOCKS_S:
            yield 10, f"door {door} is pulsed for act {act}, agreed to {now_s - agreed_s:.0f} s ago"

    @property
    def _clocks_are_right(self) -> bool:
        clocks = (self.machine.time, self.world.centre.time)
        return not any(each.offset_ms or each.drift or each.frozen_ms is not None for each in clocks)
