"""Wrong codes at one locker's screen against those that its journal counts: none is lost, none is made up.

A daemon that ends takes along what was not written down yet; so each life has an account of its own.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.world.journals import Complaint
from tests.world.reference import Fact

if TYPE_CHECKING:
    from tests.world.machine import Machine
    from tests.world.screen import View
    from tests.world.world import World

WRITTEN_S: Final = 70.0
"""Once a minute what was guessed is written down."""
LASTS_S: Final = 60.0
TYPED, SCANNED = "unknown_code", "unknown_scan"
SIGNED: Final = ("2", "3")
"""With these begin labels, tokens and badges: whether such a scan is a guess, only the locker knows."""
NO_GUESS: Final = frozenset({"code_slip", "too_many_tries", "phone_asked"})


@dataclass(slots=True)
class Try:
    kind: str
    digits: str
    life: int
    alone: bool
    """Whether nobody else tried meanwhile: the answer is to this one."""


@dataclass
class Guesses:
    world: "World"
    machine: "Machine"
    life: int = 0
    sure_s: dict[str, list[float]] = field(default_factory=dict)
    """When something was tried that must be counted, by kind."""
    most: Counter[str] = field(default_factory=Counter)
    """Whatever may have been a guess."""
    said: Counter[str] = field(default_factory=Counter)
    """What became durable. A failure on a record is a wrong code as well."""
    since_s: float | None = None
    _under_way: int = 0
    _latest: Try | None = None

    def begins(self, life: int) -> None:
        """Another life."""
        self.life, self.since_s, self._under_way = life, None, 0
        self.sure_s = {TYPED: [], SCANNED: []}
        self.most.clear()
        self.said.clear()

    def tried(self, body: Mapping[str, Any]) -> Try | None:
        """Somebody shows a code, or adds their phone's digits to one. Call `answered` after."""
        typed = str(body.get("typed") or (body.get("act") == "phone4" and body.get("digits")) or "")
        digits = typed or str(body.get("scanned") or "")
        if not digits or self.machine.life != self.life:
            return None
        self._under_way += 1
        if self._latest is not None and self._under_way > 1:
            self._latest.alone = False
        kind = TYPED if typed else SCANNED
        self._latest = Try(kind, digits, self.life, alone=self._under_way == 1)
        self.most[kind] += 1
        return self._latest

    def answered(self, tried: Try | None, body: Mapping[str, Any], view: "View") -> None:
        if tried is None or tried.life != self.life:
            return
        self._under_way -= 1
        if not tried.alone or "problem" in view:
            return
        reason = (view.get("refused") or {}).get("reason", "")
        if reason in NO_GUESS or not reason:
            self.most[tried.kind] -= 1
        elif reason == "code_not_accepted" and self._unheard_of(tried, body):
            self.sure_s[tried.kind].append(self.world.loop.time())

    def _unheard_of(self, tried: Try, body: Mapping[str, Any]) -> bool:
        """No code that anybody was ever given."""
        if body.get("act") or (tried.kind == SCANNED and tried.digits.startswith(SIGNED)):
            return False
        inbox = self.world.centre.phones.inbox.values()
        return not any(tried.digits in sms.said.values() for told in inbox for sms in told)

    def told(self, fact: Fact, life: int) -> Iterator[Complaint]:
        """A fact is durable."""
        if life != self.life:
            return
        if fact.kind == "CodeFailed":
            self.said[TYPED] += 1
        elif fact.kind == "GuessesCounted":
            kind = fact.data["kind"]
            self.said[kind] += fact.data["count"]
            if self.said[kind] > self.most[kind]:
                what = f"{self.said[kind]} of {kind} are written down in this life"
                yield 21, f"entry {fact.seq}: {what}, {self.most[kind]} were made"

    def look(self, *, sound: bool) -> Iterator[Complaint]:
        """Now and then. ``sound``: nothing stands in the way of writing."""
        now_s = self.world.loop.time()
        for kind, moments in self.sure_s.items():
            made = sum(at_s < now_s - WRITTEN_S for at_s in moments)
            if self.said[kind] < made:
                if not sound or self.since_s is None:
                    self.since_s = now_s if sound else None
                elif now_s - self.since_s > LASTS_S:
                    what = f"{made} of {kind} were made in this life, {self.said[kind]} are written down"
                    yield 21, f"for {now_s - self.since_s:.0f} s: {what}"
                return
        self.since_s = None
