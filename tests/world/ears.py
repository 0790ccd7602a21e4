"""What is said at a kiosk, in both directions: codes that people show, and what the screen answers.

Which codes are right is known from the centre's own desk and from what came to phones, not from the locker.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, select

from sync.central.pickups.tables import ENTRUSTMENT
from sync.central.statement import Statement
from sync.central.tables import AUTHORISATION, LOCKER, OUTGOING_ITEM
from tests.world.custody import TYPED_FAILURES
from tests.world.guesses import Guesses
from tests.world.journals import Complaint
from tests.world.reference import Fact, Reference

if TYPE_CHECKING:
    from tests.world.machine import Machine
    from tests.world.screen import View
    from tests.world.world import World

DECISION_S: Final = 2.0
VISIT_S: Final = 1_200.0
"""Nobody opens a door with a code that was shown longer ago."""
FAILURES: Final = frozenset({"CodeFailed", "PhoneFailed", "StaffSignInFailed"})
MINUTE_MS: Final = 60_000


class Shown(NamedTuple):
    at_s: float
    digits: str


@dataclass
class Ears:
    """At one locker's kiosk."""

    world: "World"
    machine: "Machine"
    model: Reference
    shown: deque[Shown] = field(default_factory=lambda: deque(maxlen=60))
    """Codes of whatever kind, the latest last."""
    act_s: float = 0.0
    """When somebody last touched the screen."""
    granted_s: float = 0.0
    """When a door was last granted: then whoever asked for it is answered, however long its pulse takes."""
    counted: dict[tuple[int, str], int] = field(default_factory=dict)
    receipts: set[str] = field(default_factory=set)
    pins: set[str] = field(default_factory=set)
    locators: dict[str, str] = field(default_factory=dict)
    """Of records that may be tried: which one it is."""
    failed: Counter[str] = field(default_factory=Counter)
    """Failures that became durable, by kind and by record."""

    def __post_init__(self) -> None:
        self.guesses = Guesses(self.world, self.machine)
        screen = self.machine.screen
        self._ask = screen._ask
        screen._ask = partial(self._heard, self._ask)  # type: ignore[method-assign]  # listens, changes nothing
        screen.on_view.append(self._seen)

    def complain(self, complaints: Iterator[Complaint]) -> None:
        for number, what in complaints:
            self.world.violated(number, f"{self.machine.name} at {self.world.loop.time():.3f} s: {what}")

    def forget(self) -> None:
        """Another card: what it says is another past."""
        self.locators.clear()
        self.receipts.clear()
        self.counted.clear()

    # --- what people do ---

    async def _heard(self, ask: Any, method: str, path: str, body: Mapping[str, Any] | None) -> "View":
        if body is None:
            view: View = await ask(method, path, body)
            return view
        began_s, slow = self.world.loop.time(), self.machine.storing.slow_s
        self.act_s = began_s
        digits = str(body.get("typed") or body.get("scanned") or "")
        frozen, failed = self._frozen(digits, body), self.failed.copy()
        if body.get("act") == "pin":
            self.pins.add(str(body.get("digits", "")))
        if digits:
            self.shown.append(Shown(began_s, digits))
        life, tried = self.machine.life, self.guesses.tried(body)
        view = await ask(method, path, body)
        self.guesses.answered(tried, body, view)
        self.act_s = self.world.loop.time()
        if life == self.machine.life and "problem" not in view:
            decided_s = self.granted_s if self.granted_s >= began_s else self.act_s
            took_s = decided_s - began_s
            waits = slow or self.machine.storing.slow_s or self.world.loop._frozen.get(life) is not None
            self.complain(self._late(body, view, 0.0 if waits else took_s))
            self.complain(self._uncounted(body, view, failed, frozen=frozen))
        return view

    def _frozen(self, digits: str, body: Mapping[str, Any]) -> bool:
        code = self.model.record(self.locators.get(digits[:3], "")) if "typed" in body else None
        return code is not None and code.failures >= TYPED_FAILURES

    def _late(self, body: Mapping[str, Any], view: "View", took_s: float) -> Iterator[Complaint]:
        reason = (view.get("refused") or {}).get("reason", "")
        if body.get("scanned") and took_s > DECISION_S:
            yield 22, f"a scanned code was decided after {took_s:.1f} s only"
        if body.get("scanned") and reason == "too_many_tries":
            yield 22, "who scans is told to wait"
        if reason == "code_expired" and self._clock_unknown():
            yield 23, "a code is refused as expired by a clock that nobody trusts"

    def _uncounted(
        self, body: Mapping[str, Any], view: "View", before: Counter[str], *, frozen: bool
    ) -> Iterator[Complaint]:
        reason = (view.get("refused") or {}).get("reason", "")
        record = self.locators.get(str(body.get("typed", ""))[:3], "")
        counted = self.failed[f"CodeFailed {record}"] > before[f"CodeFailed {record}"]
        if reason == "code_not_accepted" and record and not frozen and not counted:
            yield 21, f"a code for {record} is refused, and was not counted before"
        if reason == "phone_wrong" and self.failed["PhoneFailed"] == before["PhoneFailed"]:
            yield 21, "a second factor is refused, and was not counted before"

    def _clock_unknown(self) -> bool:
        built = self.machine.built
        return built is not None and built.world.clock.quality() in {"restored", "unset"}

    # --- what the screen shows ---

    def _seen(self, view: "View") -> None:
        receipt = view.get("receipt")
        if receipt and receipt["number"] not in self.receipts:
            self.complain(iter([(13, f"receipt {receipt['number']} is shown, and is not durable")]))
        built = self.machine.built
        home = view["screen"] == "home"
        if home and any("*" in str(view[part]) for part in ("title", "lead", "said", "facts")):
            self.complain(iter([(18, f"the home page names somebody: {view['title']} {view['lead']}")]))
        if built is not None and built.journal.failing and home:
            self.complain(iter([(16, "nothing can be recorded, and the screen is as ever")]))

    # --- what became durable ---

    def told(self, fact: Fact, *, now: bool) -> Iterator[Complaint]:
        """``now``: not found on a disk after a start."""
        data = fact.data
        if now and fact.kind == "OpeningRequested" and fact.cause not in {"centre", "sensor"}:
            self.granted_s = self.world.loop.time()
        if fact.kind == "ReceiptIssued":
            self.receipts.add(data["number"])
        elif fact.kind in {"AuthorisationGranted", "PickupCodeMade"} and data["locator"]:
            own = data.get("code", "")
            name = f"code/{own}" if own else f"authorisation/{data['authorisation']}"
            self._forget(lambda other: other == name)
            self.locators[data["locator"]] = name
        elif fact.kind in FAILURES:
            self.failed.update((fact.kind, f"{fact.kind} {data.get('record', '')}"))
        elif fact.kind == "GuessesCounted":
            yield from self._guesses(fact)
        elif fact.kind == "TokenAdmitted" and now:
            yield from self._token(data["authorisation"])
        elif now and fact.kind == "OpeningRequested" and fact.cause == "applicant":
            yield from self._opening(data)
        if fact.kind in {"CodeEnded", "SubmissionTaken", "AuthorisationRevoked", "RecordsForgotten"}:
            self._forget(lambda other: not self._alive(other))

    def _forget(self, over: Callable[[str], bool]) -> None:
        self.locators = {at: name for at, name in self.locators.items() if not over(name)}

    def _alive(self, name: str) -> bool:
        code = self.model.record(name)
        return code is not None and not code.ended

    def _guesses(self, fact: Fact) -> Iterator[Complaint]:
        before_ms = self.counted.get((fact.boot, fact.data["kind"]))
        if before_ms is not None and fact.mono_ms < before_ms + MINUTE_MS:
            yield 21, f"guesses are written down twice within {fact.mono_ms - before_ms} ms"
        self.counted[fact.boot, fact.data["kind"]] = fact.mono_ms

    def _token(self, authorisation: str) -> Iterator[Complaint]:
        def known(c: Connection) -> Any:
            here = select(LOCKER.c.area).where(LOCKER.c.locker == self.machine.name).scalar_subquery()
            query = select(AUTHORISATION.c.authorisation).join(
                LOCKER, LOCKER.c.locker == AUTHORISATION.c.locker
            )
            return c.execute(
                query.where(AUTHORISATION.c.authorisation == authorisation, LOCKER.c.area == here)
            ).first()

        store = self.world.centre.store
        if store is not None and "hub_restored" not in self.world.lies and store.read_now(known) is None:
            yield 9, f"a token admits {authorisation}, which the centre never granted in this area"

    def _opening(self, data: Mapping[str, Any]) -> Iterator[Complaint]:
        stay = self.model.stays.get(data["deposit"])
        if stay is None:
            return
        since_s = self.world.loop.time() - VISIT_S
        lately = [shown.digits for shown in self.shown if shown.at_s >= since_s]
        right = self._codes_of(stay.case)
        if right is not None and not right.intersection(lately):
            yield 9, f"door {data['door']} opens for case {stay.case}, and nobody has shown a code of it"

    def _codes_of(self, case: str) -> set[str] | None:
        """What opens for a case, as the centre, own pages and telephones say; None: nobody can be asked."""
        centre = self.world.centre
        store, desk, inbox = centre.store, centre.desk, centre.phones.inbox
        if store is None or "hub_restored" in self.world.lies:
            return None
        codes = set(centre.pages.get(case, ()))
        for table in (AUTHORISATION, OUTGOING_ITEM, ENTRUSTMENT):
            for sealed in store.read_now(partial(_sealed, table, case)):
                told = desk.opened(sealed)
                codes |= {told[form] for form in ("typed", "token") if form in told}
                for sms in inbox.get(told["phone"], ()):
                    if sms.said.get("case") == case:
                        codes |= {sms.said[form] for form in ("typed", "scan") if form in sms.said}
        return codes


def _sealed(table: Any, case: str, connection: Connection) -> list[str]:
    return [row.sealed for row in _sealing(table).all(connection, {"case": case})]


@cache
def _sealing(table: Any) -> Statement:
    return Statement(select(table.c.sealed).where(table.c.case_number == bindparam("case")))
