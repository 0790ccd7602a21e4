"""Lives of a locker, made up: a seeded walk over what can happen next, by the tables of the domain alone.

The product's operations are not used: what is stored must not depend on who decided it.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251  # seeded: the same seed makes the same life

from locker.domain import deposit as deposits
from locker.domain import events as ev
from locker.domain import opening as openings
from locker.domain.acceptance import Verdict
from locker.domain.compartment import CompartmentSpec, Reach, Size
from locker.domain.deposit import Deposit, Kind, Proof
from locker.domain.door import Position, Presence
from locker.domain.ids import (
    AuthorisationId,
    BoardId,
    CaseNumber,
    CodeId,
    CompartmentNumber,
    DepositId,
    Epoch,
    GrantId,
    ItemId,
    LockerId,
    Seq,
    StaffId,
    StocktakeId,
)
from locker.domain.opening import Opening, Purpose
from locker.domain.settings import Setting
from locker.domain.state import LockerState
from locker.domain.stocktakes import Found, Scope
from locker.journal.journal import Journal
from locker.operations import settings
from locker.operations.ports import Decided

DOORS = 16
Facts = tuple[ev.Event, ...]


@dataclass
class SetClock:
    """Time as the test says; conforms to `operations.ports.Clock` as far as a journal asks."""

    now_ms: int = 1_000

    def mono_ms(self) -> int:
        return self.now_ms

    def wall_ms(self) -> int:
        return 1_760_000_000_000 + self.now_ms

    def quality(self) -> str:
        return "ntp"

    def call_at(self, mono_ms: int, action: Callable[[], None]) -> Callable[[], None]:
        raise AssertionError("a journal waits for nothing", mono_ms, action)

    async def sleep_until(self, mono_ms: int) -> None:
        raise AssertionError("a journal waits for nothing", mono_ms)


class Life:
    """Call `next` with the state that the last answer led to."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._names = 0

    def next(self, s: LockerState) -> Facts:
        """Something that can happen in this state; never nothing."""
        if not s.epoch:
            return (ev.EpochStarted(Epoch(self._hex(32)), LockerId("loc-1")), configured())
        if self.random.random() < 0.01:
            return (ev.Booted("0.1.0", s.boot + 1), *self._after_restart(s))
        groups = (self._of_openings, self._of_deposits, self._of_centre, self._of_machine)
        for group in self.random.choices(groups, (5, 5, 2, 1), k=8):
            if choices := list(group(s)):
                return self.random.choice(choices)()
        return (ev.TicketOpened("idle", CompartmentNumber(1), DepositId("")),)

    def _name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}{self._names:05d}{self._hex(6)}"

    def _hex(self, digits: int) -> str:
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def _after_restart(self, s: LockerState) -> list[ev.Event]:
        return [ev.OpeningUnknown(opening.grant) for opening in s.openings.values() if opening.live]

    # --- the centre ---

    def _of_centre(self, s: LockerState) -> Iterator[Callable[[], Facts]]:
        if len(s.authorisations) < 40:
            yield self._granted
            yield self._announced
        if len(s.staff) < 5:
            yield self._enrolled
        yield lambda: (ev.DirectiveApplied(s.down.epoch, Seq(s.down.seq + 1), self._hex(64), "applied"),)
        yield lambda: (ev.PolicyChanged("hold_days", self.random.randint(1, 60)),)
        yield lambda: self._settings(s)
        for staff in s.staff.values():
            yield _just(ev.StaffSignInFailed(staff.staff))
            yield _just(ev.StaffSignedIn(staff.staff))
            yield _just(ev.SecondJoined(staff.staff, StaffId("staff-1")))
        free = [a for a in s.authorisations.values() if not a.deposit and not a.ended]
        for a in free[:2]:
            yield _just(ev.AuthorisationRevoked(a.authorisation, "case closed"))
        yield from self._forgetting(s)

    def _forgetting(self, s: LockerState) -> Iterator[Callable[[], Facts]]:
        live = {door.deposit for door in s.compartments.values()} | {o.deposit for o in s.openings.values()}
        done = [d for d in s.deposits.values() if d.ended and d.deposit not in live]
        if len(done) > 3:
            keys = tuple(d.deposit for d in done)
            codes = tuple(c.code for c in s.codes.values() if c.deposit in keys)
            rights = tuple(a.authorisation for a in s.authorisations.values() if a.ended or a.deposit in keys)
            items = tuple(d.item for d in done if d.item in s.items)
            yield _just(ev.RecordsForgotten(keys, codes, rights, items))

    def _settings(self, s: LockerState) -> Facts:
        wished = (Setting("hold_days", self.random.randint(0, 61)), Setting("help_line", self._name("call")))
        says = ev.SettingsChanged(s.given.version + 1, wished[: self.random.randint(0, 2)])
        return (says, *settings.follows(s, says))

    def _granted(self) -> Facts:
        name = self._name("case")
        return (
            ev.AuthorisationGranted(
                AuthorisationId(f"a-{name}"), CaseNumber(name), "不动产登记", ("申请表", "身份证明"), (),
                self.random.choice(tuple(Size)), 0, 1 << 41, f"{self.random.randrange(400):03d}",
                self._hex(64), self._hex(64), name="王*明", phone="138****1234",
            ),
        )  # fmt: skip

    def _announced(self) -> Facts:
        item = ItemId(self._name("item"))
        size = self.random.choice(tuple(Size))
        return (
            ev.ItemAnnounced(
                item, CaseNumber(f"c-{item}"), "营业执照", size, False, self._hex(64), 7, name="李*", phone=""
            ),
        )

    def _enrolled(self) -> Facts:
        staff = StaffId(self._name("staff"))
        return (
            ev.StaffEnrolled(staff, frozenset({"helper"}), self._hex(64), self._hex(64), 1 << 41, name="赵*"),
        )

    # --- doors ---

    def _of_openings(self, s: LockerState) -> Iterator[Callable[[], Facts]]:
        for opening in s.openings.values():
            for signal in openings.Signal:
                moved = openings.NEXT.get((opening.phase, signal), opening.phase)
                if moved is not opening.phase and signal is not openings.Signal.RESTART:
                    yield partial(self._signalled, opening, signal, s)

    def _signalled(self, o: Opening, signal: openings.Signal, s: LockerState) -> Facts:
        return (self._signal(o, signal, s),)

    def _signal(self, o: Opening, signal: openings.Signal, s: LockerState) -> ev.Event:  # noqa: PLR0911  # a table
        match signal:
            case openings.Signal.ACKNOWLEDGE:
                return ev.PulseAcknowledged(o.grant)
            case openings.Signal.SILENCE:
                return ev.PulseUncertain(o.grant)
            case openings.Signal.REFUSE:
                return ev.PulseRefused(o.grant, "exception_2")
            case openings.Signal.NOT_SENT:
                return ev.PulseNotSent(o.grant, "late")
            case openings.Signal.DOOR_OPENS:
                return ev.DoorOpened(o.door, o.grant)
            case openings.Signal.DOOR_SHUTS:
                known = o.deposit in s.deposits
                item = self.random.choice(tuple(Presence)) if known else Presence.UNKNOWN
                return ev.DoorClosed(o.door, o.grant, item)
            case openings.Signal.OPEN_DEADLINE:
                return ev.DoorStuck(o.door, o.grant)
            case _:
                return ev.DoorLeftOpen(o.door, o.grant)

    def _request(self, door: CompartmentNumber, deposit: DepositId, purpose: Purpose) -> ev.Event:
        staff = StaffId("") if purpose is Purpose.DROP_OFF else StaffId("staff-1")
        return ev.OpeningRequested(
            GrantId(self._name("g")), door, purpose, deposit, staff, self.random.randint(1, 3)
        )

    # --- custody ---

    def _of_deposits(self, s: LockerState) -> Iterator[Callable[[], Facts]]:
        vacant = [c.spec.number for c in s.compartments.values() if c.status == "vacant"]
        rights = [a for a in s.authorisations.values() if not a.deposit and not a.ended]
        if vacant and rights:
            yield lambda: self._drop_off(vacant[0], self.random.choice(rights).authorisation)
        loaded = {d.item for d in s.deposits.values()}
        items = [item for item in s.items if item not in loaded]
        if vacant and items:
            yield lambda: self._load(vacant[-1], self.random.choice(items))
        for deposit in s.deposits.values():
            busy = (o := s.opening_of(deposit.door)) is not None and o.live
            if not deposit.ended and not busy:
                for signal in deposits.Signal:
                    if (deposit.phase, signal) in deposits.NEXT:
                        yield partial(self._moved, deposit, signal, s)

    def _drop_off(self, door: CompartmentNumber, right: AuthorisationId) -> Facts:
        deposit = DepositId(self._name("d"))
        return (
            ev.CodeAccepted(f"authorisation/{right}", "typed"),
            ev.CompartmentReserved(deposit, door, Kind.SUBMISSION, CaseNumber(right[2:]), right, ItemId("")),
            self._request(door, deposit, Purpose.DROP_OFF),
        )

    def _load(self, door: CompartmentNumber, item: ItemId) -> Facts:
        deposit = DepositId(self._name("d"))
        return (
            ev.CompartmentReserved(
                deposit, door, Kind.OUTGOING, CaseNumber(f"c-{item}"), AuthorisationId(""), item
            ),
            self._request(door, deposit, Purpose.LOAD),
        )

    def _moved(self, d: Deposit, signal: deposits.Signal, s: LockerState) -> Facts:  # noqa: PLR0911  # a table
        proof = self.random.choice(tuple(Proof))
        ended = tuple(ev.CodeEnded(c.code, "collected") for c in s.codes.values() if c.deposit == d.deposit)
        match signal:
            case deposits.Signal.HAND_IN if d.kind is Kind.SUBMISSION:
                receipt = ev.ReceiptIssued(d.deposit, self._name("r"), '{"v":1}', "k", self._hex(128))
                return (ev.SubmissionDeposited(d.deposit, d.door, Presence.PRESENT, 3), receipt)
            case deposits.Signal.LOAD if d.kind is Kind.OUTGOING:
                return (ev.ItemLoaded(d.deposit, d.item, StaffId("staff-1"), proof, True), self._code(d))
            case deposits.Signal.EXPOSE:
                return (ev.SubmissionExposed(d.deposit),)
            case deposits.Signal.TAKE_IN:
                return (ev.SubmissionTaken(d.deposit, StaffId("staff-1"), proof, "complete"),)
            case deposits.Signal.TAKE_BACK:
                return (ev.SubmissionTakenBack(d.deposit, proof),)
            case deposits.Signal.COLLECT:
                return (ev.ItemPickedUp(d.deposit, proof), *ended)
            case deposits.Signal.REFUSE:
                return (ev.ItemRefused(d.deposit, "wrong name"), *ended)
            case deposits.Signal.WITHDRAW:
                return (ev.ItemWithdrawn(d.deposit, StaffId("staff-1"), proof), *ended)
            case deposits.Signal.CANCEL:
                return (ev.DepositCancelled(d.deposit, proof), ev.CompartmentDoubted(d.door, "not seen"))
            case _:
                return (self._request(d.door, d.deposit, Purpose.PICK_UP),)

    def _code(self, d: Deposit) -> ev.Event:
        locator = f"{self.random.randrange(400, 1000)}"
        return ev.PickupCodeMade(
            CodeId(self._name("k")), d.deposit, locator, self._hex(64), self._hex(64), self._hex(300)
        )

    # --- the machine ---

    def _of_machine(self, s: LockerState) -> Iterator[Callable[[], Facts]]:
        door = self.random.choice(tuple(s.compartments))
        yield lambda: (ev.GuessesCounted("unknown", self.random.randint(1, 9)),)
        yield lambda: (ev.DoorRead(door, self.random.choice(tuple(Position)), Presence.UNKNOWN),)
        yield lambda: (ev.BoardWentSilent(BoardId("A/2"), (door,)),)
        yield lambda: (ev.BoardAnswered(BoardId("A/2")),)
        yield lambda: self.random.choice(_AROUND)
        tested = ev.SelfTestEnded(Verdict.FAILED, (), (door,), ())
        yield lambda: (ev.SelfTestBegan(StaffId("console/0"), (door,)), tested)
        yield lambda: (ev.CompartmentFaulted(door, "stuck"), ev.TicketOpened("stuck", door, DepositId("")))
        yield lambda: (ev.CompartmentBlocked(door, "hinge bent", StaffId("console/0")),)
        yield lambda: (ev.CompartmentRestored(door, StaffId("staff-1")),)
        yield lambda: (ev.CompartmentChecked(door, "empty", StaffId("staff-1")),)
        yield lambda: (ev.HeadSigned(s.seq, self._hex(64), "k", self._hex(128)),)
        yield lambda: self.random.choice(_TOGETHER)
        yield lambda: self._stocktake(s, door)
        for key in list(s.codes)[:1]:
            yield _just(ev.CodeFailed(f"code/{key}"))

    def _stocktake(self, s: LockerState, door: CompartmentNumber) -> Facts:
        if not s.stocktake.under_way:
            return (ev.StocktakeBegan(StocktakeId(self._name("st")), Scope.ALL, StaffId("staff-1")),)
        key, found = s.stocktake.stocktake, self.random.choice(tuple(Found))
        look = ev.CompartmentChecked(door, found, StaffId("staff-1"), StaffId("staff-2"), key)
        ended = ev.StocktakeEnded(key, StaffId("staff-1"), 1, 0, 0, 0, 0, 0, 1)
        return (look, ended) if self.random.random() < 0.1 else (look,)


_TOGETHER: tuple[Facts, ...] = (
    (ev.SecondLeft(StaffId("staff-2"), StaffId("staff-1")),),
    (ev.ServiceWindowOpened(StaffId("staff-1"), StaffId("staff-2")),),
    (ev.DoorOpenedByKey(CompartmentNumber(1)), ev.CompartmentDoubted(CompartmentNumber(1), "opened by key")),
    (ev.ServiceWindowClosed("key"),),
)
_AROUND: tuple[Facts, ...] = (
    (ev.TamperOpened("open"),),
    (ev.TamperClosed(),),
    (ev.MainsLost(), ev.BatteryLow()),
    (ev.MainsBack(), ev.BatteryGood()),
    (ev.ServiceKeyTurned(on=True),),
    (ev.LockSupplyCut("relay stuck on A/2"),),
)


def _just(*facts: ev.Event) -> Callable[[], Facts]:
    return lambda: facts


def told(facts: Facts) -> Callable[[LockerState], Decided[None]]:
    """A decision that is none: these facts, whatever the state."""
    return lambda _: Decided(None, facts)


def configured() -> ev.CompartmentsConfigured:
    return ev.CompartmentsConfigured(
        tuple(
            CompartmentSpec(
                CompartmentNumber(n + 1), "A", Size.S if n < 8 else Size.M, Reach.MIDDLE, n % 4, n // 4, True
            )
            for n in range(DOORS)
        )
    )


@contextmanager
def one_thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1, thread_name_prefix="journal") as executor:
        yield executor


@asynccontextmanager
async def opened(path: Path, seed: int = 0, clock: SetClock | None = None) -> AsyncIterator[Journal]:
    """A journal on its own thread, closed at the end."""
    with one_thread() as executor:
        journal = await Journal.open(path, clock or SetClock(), Random(seed).randbytes, executor)
        try:
            yield journal
        finally:
            await journal.close()


async def live(journal: Journal, life: Life, entries: int) -> None:
    """Go on with a life until so many more entries are in the journal."""
    end = journal.state.seq + entries
    while journal.state.seq < end:
        facts = life.next(journal.state)
        await journal.commit("applicant", told(facts))


def unsynced(journal: Journal) -> None:
    """For tests in which no power is cut: the disk of a shared machine can be slow."""
    work = journal._store._connection.execute
    journal._executor.submit(work, "PRAGMA synchronous = OFF").result()
