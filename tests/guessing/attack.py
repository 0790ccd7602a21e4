"""Whoever guesses at the keypad, against the real codes, throttle and operations; time is virtual.

An opening by guessing is too rare to be waited for: one in ten million tries. So the tries are counted that
the real code lets through to a code that exists, and each is weighed with the chance it has, one in 10^7;
where the phone's last four digits are asked too, one in 10^11. That weight is shown to be right apart, by
secrets that are made short through the port `Secrets` (`test_guessing`).
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from random import Random  # noqa: TID251  # seeded: the same seed, the same attack
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast

from locker.domain import throttle
from locker.domain.codes import CodeRecord, check_digit
from locker.domain.deposit import Deposit, Kind, Phase
from locker.domain.entry import Stamp
from locker.domain.errors import Reason, Refusal
from locker.domain.events import Booted, CodeFailed, Event
from locker.domain.fold import fold
from locker.domain.ids import (
    AreaId,
    AuthorisationId,
    CaseNumber,
    CodeId,
    CompartmentNumber,
    DepositId,
    ItemId,
    LockerId,
    Seq,
)
from locker.domain.policy import Policy
from locker.domain.state import LockerState
from locker.domain.throttle import KNOWN_WEIGHT
from locker.operations import upkeep
from locker.operations.ports import Decided, UnknownGuesses, World
from locker.operations.present_code import Offer, present_typed
from tests.locker.operations.world import MemorySecrets, VirtualClock

LIMIT: Final = 1e-3
"""Openings of any occupied door in a locker-year of endless attack."""
CHANCE: Final = 1e-7
"""Of one try at a code of seven secret digits."""
WITH_PHONE: Final = 1e-11
DAY_MS: Final = 86_400_000
COURSE_MS: Final = DAY_MS // 8
DAYS_A_YEAR: Final = 365
UPKEEP_MS: Final = 5_000
BOOT_MS: Final = 20_000
"""From power to a keypad that listens; faster than any locker is."""
PATIENCE_MS: Final = 600_000
KEYSTROKES_MS: Final = 1_000
"""A try a second is as fast as a hand types eleven digits, and then some."""
POLICY: Final = Policy()
T = TypeVar("T")


class FoldOnly:
    """The journal's port over the real fold; it keeps the state and no entries, so that a year has room."""

    def __init__(self, clock: VirtualClock) -> None:
        self.state = LockerState()
        self.boot = 1
        self.hits = 0
        """Failures on codes that exist."""
        self._clock = clock

    async def commit(self, _cause: str, decide: Callable[[LockerState], Decided[T]]) -> T:
        decided = decide(self.state)
        for event in decided.events:
            self.add(event)
        return decided.answer

    def add(self, event: Event) -> None:
        stamp = Stamp(self.boot, self._clock.mono_ms(), self._clock.wall_ms(), self._clock.quality())
        self.state = fold(self.state, Seq(self.state.seq + 1), stamp, event)
        self.hits += isinstance(event, CodeFailed)


@dataclass
class Counts:
    tries: int = 0
    hits: int = 0
    """Tries at codes that exist, the typed code alone being enough."""
    hits_with_phone: int = 0
    restarts: int = 0
    longest_wait_s: int = 0
    """That somebody honest finds at any time."""
    days: float = 0.0
    course: list[tuple[float, float]] = field(default_factory=list)
    """Day, and expected openings by then; a point every `COURSE_MS`."""

    @property
    def expected(self) -> float:
        """Openings of occupied doors so far."""
        return self.hits * CHANCE + self.hits_with_phone * WITH_PHONE

    @property
    def a_year(self) -> float:
        """Expected openings of occupied doors in a locker-year of this."""
        return self.expected * DAYS_A_YEAR / self.days


@dataclass
class Locker:
    """``occupied`` doors whose typed codes are all renewed each day: no code stays frozen for longer."""

    occupied: int
    seed: int = 1
    secrets: MemorySecrets | None = None
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.clock = VirtualClock()
        self.clock.time_quality = "unset"  # upkeep then forgets no records: the days here have no wall time
        self.journal = FoldOnly(self.clock)
        self.elapsed_ms = 0
        journal, doors = cast("Any", self.journal), cast("Any", None)
        secrets = self.secrets or MemorySecrets(self.chance)
        names = (LockerId("loc-1"), AreaId("park"))
        self.world = World(journal, doors, self.clock, secrets, *names, UnknownGuesses())
        self._upkeep_ms = self._fresh_ms = self._course_ms = 0
        self.live: list[str] = []
        self.renew()

    def renew(self) -> None:
        numbers = self.chance.sample(range(400, 1000), self.occupied)
        self.live = [f"{number:03d}" for number in numbers]
        codes, deposits = {}, {}
        for n, locator in enumerate(self.live, 1):
            code, deposit = CodeId(f"c{n}"), DepositId(f"d{n}")
            digest = self.world.secrets.digest("pick_up", locator + f"{self.chance.randrange(10**7):07d}")
            codes[code] = CodeRecord(code, deposit, locator, digest, "")
            deposits[deposit] = Deposit(
                deposit, Kind.OUTGOING, CompartmentNumber(n), CaseNumber(f"C-{n}"), AuthorisationId(""),
                ItemId(f"i{n}"), Phase.AWAITING_PICKUP, 0,
            )  # fmt: skip
        self.journal.state = replace(
            self.journal.state, codes=MappingProxyType(codes), deposits=MappingProxyType(deposits)
        )

    @property
    def asks_phone(self) -> bool:
        return throttle.asks_phone(self.journal.state.guessing, self.clock.mono_ms(), POLICY)

    async def try_code(self, locator: str, secret: str = "") -> Offer | Refusal:
        """One typed code with a check digit that fits; where the phone is asked, any four digits."""
        digits = locator + (secret or f"{self.chance.randrange(10**7):07d}")
        before = self.journal.hits
        answer = await present_typed(self.world, digits + check_digit(digits))
        asked = answer == Refusal(Reason.PHONE_ASKED)
        if asked:
            answer = await present_typed(self.world, digits + check_digit(digits), "0000")
        if not (isinstance(answer, Refusal) and answer.reason is Reason.TOO_MANY_TRIES):
            self.counts.tries += 1
            self.counts.hits_with_phone += (self.journal.hits - before) if asked else 0
            self.counts.hits += 0 if asked else self.journal.hits - before
        else:
            self.counts.longest_wait_s = max(self.counts.longest_wait_s, answer.wait_s)
        return answer

    async def wait(self, ms: int) -> None:
        """Time goes by; what the daemon does every few seconds is done."""
        until_ms = self.clock.now_ms + ms
        self.elapsed_ms += ms
        guesses = self.world.guesses
        due_ms = max(self._upkeep_ms, guesses.counted_mono_ms + 60_000 if guesses.typed else until_ms + 1)
        if due_ms <= until_ms:
            self.clock.now_ms = max(self.clock.now_ms, due_ms)
            await upkeep._count_guesses(self.world)
            self._upkeep_ms = self.clock.now_ms + UPKEEP_MS
        self.clock.now_ms = until_ms
        if self.elapsed_ms - self._fresh_ms >= DAY_MS:
            self._fresh_ms = self.elapsed_ms
            self.renew()
        self.counts.days = self.elapsed_ms / DAY_MS
        if self.elapsed_ms - self._course_ms >= COURSE_MS:
            self._course_ms = self.elapsed_ms
            self.counts.course.append((self.counts.days, self.counts.expected))

    async def cut_power(self) -> None:
        """What was not journaled is gone; the machine's own time begins anew."""
        self.counts.restarts += 1
        self.clock.now_ms = BOOT_MS
        self._upkeep_ms = 0
        self.elapsed_ms += BOOT_MS
        self.journal.boot += 1
        self.world = replace(self.world, guesses=UnknownGuesses())
        self.journal.add(Booted("test", self.journal.boot))


@dataclass(frozen=True)
class Adversary:
    """``burst`` tries as fast as the keypad listens, then ``pause_s``; by ``knows`` only at codes that exist;
    ``cuts``: the power after each burst, so that what was only counted in memory is gone."""

    name: str
    knows: bool = False
    burst: int = 1
    pause_s: int = 0
    cuts: bool = False
    hammers: bool = False
    """A try every second, listened to or not."""
    patient: bool = False
    """Goes away while the phone is asked, so that no code is frozen for nothing."""


ADVERSARIES: Final = (
    Adversary("steady"),
    Adversary("bursty", burst=8, pause_s=901),
    Adversary("knowing which codes exist", knows=True),
    Adversary("power-cycling", cuts=True),
    Adversary("power-cycling in bursts", burst=7, pause_s=901, cuts=True),
    Adversary("knowing and power-cycling", knows=True, cuts=True),
    Adversary("vandal, a try a second", hammers=True),
    Adversary("knowing and patient", knows=True, patient=True),
)


def locators(adversary: Adversary, locker: Locker) -> Iterator[str]:
    """Spread over the codes, so that the ten failures of each are used last; blind ones over all numbers."""
    while True:
        pool = list(locker.live) if adversary.knows else [f"{number}" for number in range(400, 1000)]
        locker.chance.shuffle(pool)
        for aim in pool:
            if adversary.patient and aim not in locker.live:
                break  # renewed meanwhile
            yield aim


async def attack(adversary: Adversary, locker: Locker, days: float) -> Counts:
    aims = locators(adversary, locker)
    while locker.elapsed_ms < days * DAY_MS:
        for _ in range(adversary.burst):
            while adversary.patient and locker.asks_phone:
                await locker.wait(PATIENCE_MS)
            aim = next(aims)
            answer = await locker.try_code(aim)
            while isinstance(answer, Refusal) and answer.reason is Reason.TOO_MANY_TRIES:
                await locker.wait(KEYSTROKES_MS if adversary.hammers else answer.wait_s * 1000)
                answer = await locker.try_code(aim)
            if not adversary.cuts:
                await locker.wait(KEYSTROKES_MS)
        if adversary.cuts:
            await locker.cut_power()
        await locker.wait(adversary.pause_s * 1000)
    return locker.counts


def hits_at_most(days: float, policy: Policy = POLICY) -> int:
    """By reasoning alone: each raises the day's sum by `KNOWN_WEIGHT`, durably before the answer, and the sum
    is forgotten no sooner than 24 hours after it began."""
    return -(-policy.guesses_before_phone // KNOWN_WEIGHT) * (int(days) + 1)


def a_year_at_most() -> float:
    """The same for a year of any attack on a locker of any size, and a try a minute with the phone on top."""
    tries_a_year = DAYS_A_YEAR * DAY_MS / 1000 / POLICY.keypad_delay_max_s
    return hits_at_most(DAYS_A_YEAR) * CHANCE + tries_a_year * WITH_PHONE


def attacked(adversary: Adversary, occupied: int, days: float, seed: int = 1) -> Counts:
    return asyncio.run(attack(adversary, Locker(occupied, seed), days))
