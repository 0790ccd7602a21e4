"""One locker in memory: the real fold and operations, with ports that a test holds in its hands."""

import asyncio
import heapq
import json
import random  # noqa: TID251  # seeded: the same test, the same chance
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from locker.domain import chain
from locker.domain.codes import (
    BEARER_DIGITS,
    ScanKind,
    bearer_text,
    bytes_to_digits,
    keyed_digest,
    typed_text,
)
from locker.domain.compartment import CompartmentSpec, Reach, Size
from locker.domain.directives import Directive, StateEntry
from locker.domain.door import DoorMoved, DoorReading, Position, Presence, PulseOutcome, PulseResult
from locker.domain.entry import Entry, Stamp, write
from locker.domain.events import AuthorisationGranted, ItemAnnounced, PickupCodeMade, StaffEnrolled
from locker.domain.fold import fold
from locker.domain.ids import (
    AreaId,
    AuthorisationId,
    CaseNumber,
    CompartmentNumber,
    DepositId,
    Epoch,
    ItemId,
    LockerId,
    Seq,
    StaffId,
)
from locker.domain.state import LockerState
from locker.domain.tokens import MINUTE_MS, Scope, Token, TokenPurpose, pack
from locker.operations import directives
from locker.operations.follow_doors import DoorFollower
from locker.operations.ports import Decided, JournalFailing, UnknownGuesses, World
from locker.operations.recover import recover

T = TypeVar("T")
CENTRE_MARK = b"by-the-centre:"
START_WALL_MS = 1_790_000_000_000
CODE_KEY = bytes(range(32))


class VirtualClock:
    """Time that moves when the test says so."""

    def __init__(self) -> None:
        self.now_ms = 1_000
        self.wall_offset_ms = START_WALL_MS
        self.time_quality = "ntp"
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def mono_ms(self) -> int:
        return self.now_ms

    def wall_ms(self) -> int:
        return self.now_ms + self.wall_offset_ms

    def quality(self) -> str:
        return self.time_quality

    def call_at(self, mono_ms: int, action: Callable[[], None]) -> Callable[[], None]:
        self._count += 1
        item = (mono_ms, self._count, action)
        heapq.heappush(self._due, item)

        def cancel() -> None:
            if item in self._due:
                self._due.remove(item)
                heapq.heapify(self._due)

        return cancel

    async def sleep_until(self, mono_ms: int) -> None:
        self.now_ms = max(self.now_ms, mono_ms)

    def advance(self, ms: int) -> None:
        """Move time on, running what falls due in order."""
        until = self.now_ms + ms
        while self._due and self._due[0][0] <= until:
            due_ms, _, action = heapq.heappop(self._due)
            self.now_ms = max(self.now_ms, due_ms)
            action()
        self.now_ms = until


class MemoryJournal:
    """The journal port over a list, with the real entries, chain and fold."""

    def __init__(self, clock: VirtualClock, chance: random.Random) -> None:
        self.entries: list[Entry] = []
        self.past: dict[str, list[Entry]] = {}
        self.failing = False
        self.boot = 1
        self.acknowledged = Seq(0)
        self._state = LockerState()
        self._clock = clock
        self._chance = chance
        self._lock = asyncio.Lock()
        self._subscribers: list[Callable[[LockerState, tuple[Entry, ...]], None]] = []

    @property
    def state(self) -> LockerState:
        return self._state

    @property
    def head(self) -> bytes:
        return self.entries[-1].hash if self.entries else chain.START

    async def commit(self, cause: str, decide: Callable[[LockerState], Decided[T]]) -> T:
        async with self._lock:
            decided = decide(self._state)
            if not decided.events:
                return decided.answer
            if self.failing:
                raise JournalFailing
            added = []
            for event in decided.events:
                seq = Seq(self._state.seq + 1)
                stamp = Stamp(self.boot, self._clock.mono_ms(), self._clock.wall_ms(), self._clock.quality())
                entry = write(seq, stamp, cause, event, self._chance.randbytes(16), self.head)
                self._state = fold(self._state, seq, stamp, event)
                self.entries.append(entry)
                added.append(entry)
        for subscriber in list(self._subscribers):
            subscriber(self._state, tuple(added))
        return decided.answer

    async def begin_epoch(self, cause: str, decide: Callable[[LockerState, bytes], Decided[T]]) -> T:
        """As `locker.journal.journal.Journal.begin_epoch`; what was before is in ``past``."""
        decided = decide(self._state, self.head)
        if decided.events:
            self.past[self._state.epoch], self.entries = self.entries, []
            self._state = replace(self._state, seq=Seq(0))
            self.acknowledged = Seq(0)
        return await self.commit(cause, lambda _state: decided)

    async def acknowledge(self, seq: Seq) -> None:
        self.acknowledged = seq

    async def personal(self, seq: Seq) -> Mapping[str, str]:
        text = self.entries[seq - 1].personal if 0 < seq <= len(self.entries) else ""
        named: dict[str, str] = json.loads(text) if text else {}
        return named

    def subscribe(self, callback: Callable[[LockerState, tuple[Entry, ...]], None]) -> Callable[[], None]:
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def events(self, *kinds: type[Any]) -> list[Any]:
        """What was journaled, of these kinds or all."""
        return [e.event for e in self.entries if not kinds or isinstance(e.event, kinds)]


class Hands:
    """The cabinet port, and the people in front of it."""

    def __init__(self, clock: VirtualClock, sensors: Mapping[int, bool]) -> None:
        self.readings = {
            CompartmentNumber(n): DoorReading(Position.CLOSED, Presence.ABSENT if has else Presence.UNKNOWN)
            for n, has in sensors.items()
        }
        self.sensors = sensors
        self.inside: set[int] = set()
        self.jammed: set[int] = set()
        self.pulses: list[tuple[int, int]] = []
        self.next_result: PulseResult | None = None
        self.report: Callable[[DoorMoved], None] = lambda _moved: None
        self._clock = clock

    def reading(self, door: CompartmentNumber) -> DoorReading:
        return self.readings[door]

    async def pulse(self, door: CompartmentNumber, deadline_ms: int) -> PulseResult:
        assert self._clock.mono_ms() <= deadline_ms
        result = self.next_result or PulseResult(PulseOutcome.ACKNOWLEDGED)
        self.next_result = None
        if result.outcome is PulseOutcome.NOT_SENT:
            return result
        self.pulses.append((door, self._clock.mono_ms()))
        if door not in self.jammed and result.outcome is not PulseOutcome.REFUSED:
            self.move(door, Position.OPEN)
        return result

    def move(self, door: int, position: Position) -> None:
        number = CompartmentNumber(door)
        item = Presence.UNKNOWN
        if self.sensors[door]:
            item = Presence.PRESENT if door in self.inside else Presence.ABSENT
        self.readings[number] = DoorReading(position, item)
        self.report(DoorMoved(number, self.readings[number], self._clock.mono_ms()))

    def put(self, door: int) -> None:
        self.inside.add(door)

    def take(self, door: int) -> None:
        self.inside.discard(door)

    def shut(self, door: int) -> None:
        self.move(door, Position.CLOSED)


class MemorySecrets:
    """Keys and chance of one locker; seals and signatures are marks that a test can read."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def draw(self, below: int) -> int:
        return self._chance.randrange(below)

    def new_id(self) -> str:
        return "".join(self._chance.choices("abcdefghijklmnopqrstuvwxyz234567", k=16))

    def digest(self, kind: str, text: str) -> str:
        return keyed_digest(CODE_KEY, kind, text)

    def signed_by_centre(self, frame: bytes) -> bytes | None:
        return frame.removeprefix(CENTRE_MARK) if frame.startswith(CENTRE_MARK) else None

    def seal(self, plain: str) -> str:
        return f"sealed:{plain}"

    def sign(self, text: str) -> tuple[str, str]:
        return "own-key", keyed_digest(CODE_KEY, "signature", text)


def cabinet(count: int = 16, *, item_sensors: bool = True) -> tuple[CompartmentSpec, ...]:
    """Four columns, rows from the top: high, middle, middle, low; sizes S, M and L."""
    reaches = (Reach.HIGH, Reach.MIDDLE, Reach.MIDDLE, Reach.LOW)
    specs = []
    for n in range(1, count + 1):
        row, column = divmod(n - 1, 4)
        size = Size.S if n <= 8 else Size.M if n <= 14 else Size.L
        specs.append(
            CompartmentSpec(CompartmentNumber(n), "A", size, reaches[row % 4], row, column, item_sensors)
        )
    return tuple(specs)


class MemoryWorld:
    """`await MemoryWorld.start()`; then act through `world` and `hands`, and `await settle()`."""

    def __init__(self, seed: int = 1, *, item_sensors: bool = True) -> None:
        chance = random.Random(seed)
        self.chance = chance
        self.cabinet = cabinet(item_sensors=item_sensors)
        self.clock = VirtualClock()
        self.journal = MemoryJournal(self.clock, chance)
        self.hands = Hands(self.clock, {c.number: item_sensors for c in self.cabinet})
        self.secrets = MemorySecrets(chance)
        self.world = World(
            self.journal,
            self.hands,
            self.clock,
            self.secrets,
            LockerId("demo-1"),
            AreaId("park"),
            UnknownGuesses(),
        )
        self.follower = DoorFollower(self.world)
        self.hands.report = self.follower.report
        self.journal.subscribe(self.follower.entries_committed)

    @classmethod
    async def start(cls, seed: int = 1, *, item_sensors: bool = True) -> "MemoryWorld":
        self = cls(seed, item_sensors=item_sensors)
        await recover(self.world, "test", self.journal.boot, self.cabinet)
        self.report_all()
        await self.settle()
        return self

    def report_all(self) -> None:
        for door, reading in self.hands.readings.items():
            self.follower.report(DoorMoved(door, reading, self.clock.mono_ms()))

    async def restart(self) -> None:
        """As after a kill: only the journal and the doors are left."""
        self.journal._subscribers.clear()
        self.journal.boot += 1
        self.follower = DoorFollower(self.world)
        self.hands.report = self.follower.report
        self.journal.subscribe(self.follower.entries_committed)
        await recover(self.world, "test", self.journal.boot, self.cabinet)
        self.report_all()
        await self.settle()

    async def settle(self) -> None:
        """Let everything that was reported, or fell due, become journal."""
        while not self.follower._queue.empty():
            await self.follower.settle(self.follower._queue.get_nowait())

    async def later(self, ms: int) -> None:
        self.clock.advance(ms)
        await self.settle()

    async def shut(self, door: int) -> None:
        self.hands.shut(door)
        await self.settle()

    # --- what the centre would send ---------------------------------------------------------------------

    async def say(self, says: StateEntry) -> None:
        state = self.journal.state
        epoch = state.down.epoch or Epoch("centre-epoch")
        seq = Seq(state.down.seq + 1)
        assert await directives.apply(self.world, Directive(seq, "", says), epoch, f"hash-{seq}")

    async def grant(self, case: str = "C-1", *, size: Size = Size.S, name: str = "张*") -> str:
        """An authorisation under the id ``auth-CASE``; returns its typed code."""
        taken = {a.locator for a in self.journal.state.authorisations.values()}
        locator = next(f"{n:03d}" for n in range(400) if f"{n:03d}" not in taken)
        secret = f"{self.chance.randrange(10**7):07d}"
        wall_ms = self.clock.wall_ms()
        await self.say(
            AuthorisationGranted(
                AuthorisationId(f"auth-{case}"),
                CaseNumber(case),
                "Food licence",
                ("application form", "lease"),
                ("fire certificate",),
                size,
                wall_ms,
                wall_ms + 72 * 3_600_000,
                locator,
                self.secrets.digest("drop_off", locator + secret),
                self.secrets.digest("phone4", f"5678:{case}"),
                name,
                "138******78",
            )
        )
        return typed_text(locator, secret)

    async def announce(self, item: str = "I-1", case: str = "C-1", *, second_factor: bool = False) -> None:
        await self.say(
            ItemAnnounced(
                ItemId(item),
                CaseNumber(case),
                "Food licence",
                Size.S,
                second_factor,
                self.secrets.digest("phone4", f"5678:{case}"),
                7,
                "张*",
                "138******78",
            )
        )

    def token(
        self,
        reference: str,
        purpose: TokenPurpose = TokenPurpose.LOAD,
        *,
        case: str = "C-1",
        where: str = "park",
        hours: int = 72,
    ) -> str:
        """The digits of a token that the centre signed for the area (or for ``where``)."""
        start = self.clock.wall_ms() // MINUTE_MS
        scope = Scope.AREA if where == "park" else Scope.LOCKER
        nonce = self.chance.randbytes(8)
        token = Token(purpose, scope, where, reference, case, Size.S, start, start + hours * 60, nonce)
        return ScanKind.TOKEN + bytes_to_digits(CENTRE_MARK + pack(token))

    async def enrol(
        self, staff: str = "h-1", pin: str = "135790", roles: frozenset[str] = frozenset({"helper"})
    ) -> str:
        """A member of staff; returns the digits of the badge."""
        bits = self.chance.getrandbits(128)
        await self.say(
            StaffEnrolled(
                StaffId(staff),
                roles,
                self.secrets.digest("badge", f"{bits:0{BEARER_DIGITS}d}"),
                self.secrets.digest(f"pin:{staff}", pin),
                self.clock.wall_ms() + 7 * 86_400_000,
                "李*",
            )
        )
        return bearer_text(ScanKind.BADGE, bits)

    def pickup_codes(self, deposit: DepositId) -> dict[str, str]:
        """``typed`` and ``scan`` of the latest pickup code of a deposit, as the centre would open them."""
        made = [e for e in self.journal.events(PickupCodeMade) if e.deposit == deposit]
        plain: dict[str, str] = json.loads(made[-1].sealed.removeprefix("sealed:"))
        return plain
