"""Whoever stands at the kiosk all day and taps at random: doors, codes, nights, restarts, lost streams."""

import asyncio
import gc
import pickle
import random  # noqa: TID251  # seeded
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, cast, overload

import psutil
from playwright.async_api import Page as Tab
from starlette.types import Receive, Scope, Send

from locker.domain.entry import Entry
from locker.domain.events import PickupCodeMade
from locker.operations.upkeep import upkeep
from tests.kiosk_ui.page import Page
from tests.locker.operations.world import MemoryWorld

TAP_MS: Final = 1_000
"""Of the locker's time: nobody goes on tapping faster than that all day."""
BURST: Final = 40
TAPS: Final = """async ([seed, count]) => {
  const draw = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
  for (let n = 0; n < count; n++) {
    const all = [...document.querySelectorAll("button:not(:disabled)")].filter((each) => each.offsetParent);
    all[Math.floor(draw() * all.length)]?.click();
    await new Promise((done) => setTimeout(done, 5));
  }
}"""
PAUSES_MS: Final = (0, 0, 5_000, 30_000, 90_000, 400_000)
"""Between two spells: the next is there already; or the question comes, or the visit ends by itself."""
NIGHT_H: Final = 7
RIGHTS_MAX: Final = 300
PIN: Final = "135790"
OURS: Final = ("kiosk_ui.", "starlette.", "sse_starlette.", "uvicorn.")


class OnDisk:
    """A journal's entries, out of this process's memory: what grows there is something else."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # `close` ends it
        self._starts = array("Q")

    def append(self, entry: Entry) -> None:
        self._starts.append(self._file.seek(0, 2))
        pickle.dump(entry, self._file)

    def close(self) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, at: int) -> Entry: ...
    @overload
    def __getitem__(self, at: slice) -> list[Entry]: ...
    def __getitem__(self, at: int | slice) -> Entry | list[Entry]:
        if isinstance(at, slice):
            return [self[n] for n in range(*at.indices(len(self)))]
        self._file.seek(self._starts[at])
        return cast("Entry", pickle.load(self._file))  # noqa: S301  # written above

    def __iter__(self) -> Iterator[Entry]:
        return (self[n] for n in range(len(self)))


class LosingPage(Page):
    """Its event streams can be cut, as by a cable."""

    streams: set[asyncio.Task[None]]
    entries: OnDisk

    @classmethod
    async def begun(cls) -> "LosingPage":
        world = await MemoryWorld.start()
        entries = OnDisk()
        for entry in world.journal.entries:
            entries.append(entry)
        world.journal.entries = cast("list[Entry]", entries)
        page = cls(world, live=True)
        page.streams, page.entries = set(), entries
        return page

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != "/api/events":
            await self.app(scope, receive, send)
            return
        task = asyncio.create_task(self._stream(scope, receive, send))
        self.streams.add(task)
        task.add_done_callback(self.streams.discard)
        with suppress(asyncio.CancelledError):
            await task

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def cut(self) -> None:
        for task in self.streams:
            task.cancel()


class Day:
    """Spells of taps, one a second; what lies between them, and whoever comes, is drawn."""

    def __init__(self, page: LosingPage, tab: Tab, seed: int) -> None:
        self.page, self.tab = page, tab
        self.chance = random.Random(seed)
        self.taps = self.restarts = self.cuts = self.nights = 0
        self.seen: set[str] = set()
        self._typed: list[str] = []
        self._read = 0
        self._people = (self.applicant, self.applicant, self.helper, self.technician, *[self.nobody] * 4)

    @property
    def hours(self) -> float:
        return self.page.world.clock.mono_ms() / 3_600_000

    @property
    def mishaps(self) -> str:
        return f"{self.nights} nights, {self.restarts} restarts, {self.cuts} lost streams"

    async def spell(self) -> None:
        """Somebody comes, or nobody; taps; goes away, and at times something happens to the daemon."""
        await self.chance.choice(self._people)()
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            await self.tab.evaluate(TAPS, [self.chance.randrange(1 << 30), BURST])
            self.taps += BURST
            await self.pass_(BURST * TAP_MS)
            self.hands()
            self.seen.add((await self.page.view())["screen"])
        await self.pass_(self.chance.choice(PAUSES_MS))
        await self.mishap()

    async def pass_(self, ms: int) -> None:
        self.page.world.clock.advance(ms)
        await upkeep(self.page.world.world)

    def hands(self) -> None:
        """Doors that stand open are shut, with something in them or without."""
        hands = self.page.world.hands
        for door in [door for door, reading in hands.readings.items() if reading.position.value == "open"]:
            self.chance.choice((hands.put, hands.take))(door)
            if self.chance.random() < 0.9:
                hands.shut(door)

    async def mishap(self) -> None:
        drawn = self.chance.random()
        if drawn < 0.01:
            self.nights += 1
            for _ in range(NIGHT_H):
                await self.pass_(3_600_000)
        elif drawn < 0.02:
            self.restarts += 1
            await self.page.restart()
        elif drawn < 0.04:
            self.cuts += 1
            self.page.cut()

    # --- who comes ---

    async def nobody(self) -> None:
        """The next taps are on whatever is there."""

    async def applicant(self) -> None:
        """Types a code of their own, or somebody's that was used long ago, or scans one for a licence."""
        world, made = self.page.world, len(self.page.world.journal.state.authorisations)
        if made < RIGHTS_MAX:
            self._typed.append(await world.grant(f"C-{made}"))
        entries = world.journal.entries[self._read :]
        self._read = len(world.journal.entries)
        self._typed += [
            world.pickup_codes(entry.event.deposit)["typed"]
            for entry in entries
            if isinstance(entry.event, PickupCodeMade)
        ]
        await self.tries("/api/code", typed=self.chance.choice(self._typed[-8:]))

    async def helper(self) -> None:
        """Signs in with a label in their hand: whatever they tap then, they may load and take out."""
        await self.signs_in("h-1", frozenset({"helper"}))
        number = self.taps
        await self.page.world.announce(f"I-{number}", f"L-{number}")
        await self.tries("/api/code", scanned=self.page.world.token(f"I-{number}", case=f"L-{number}"))

    async def technician(self) -> None:
        await self.signs_in("t-1", frozenset({"technician"}))

    async def signs_in(self, staff: str, roles: frozenset[str]) -> None:
        await self.tries("/api/act", act="leave")
        await self.tries("/api/code", scanned=await self.page.world.enrol(staff, PIN, roles))
        await self.tries("/api/act", act="pin", digits=PIN)

    async def tries(self, path: str, **body: str) -> None:
        """What is not taken now is refused, as anybody's press is."""
        answer = await self.page.http.post(path, json=body)
        assert answer.status_code in {200, 409}, answer.text


def memory_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def things() -> int:
    """Live objects of the kiosk and its server, in this process."""
    gc.collect()
    return sum(1 for each in gc.get_objects() if f"{type(each).__module__}.".startswith(OURS))
