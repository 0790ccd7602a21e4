"""Eight boards with 24 doors each on one line of 19200 baud: how soon an opening is believed, how long a
pulse waits, and what polling them costs.

The product's cabinet on a real port; the boards are a process of their own. An opening is timed from the
moment a simulated hand is told to force the door to the reading that settles it.
"""

import asyncio
import os
import random  # noqa: TID251  # seeded moments
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import pytest

from firmware_bridge import boards
from firmware_bridge.cabinet import Cabinet
from firmware_bridge.codecs import encode
from firmware_bridge.exchange import Timing
from firmware_bridge.request import Pulse
from locker.domain.door import DoorMoved, Position, PulseOutcome, Report
from locker.domain.ids import BoardId, CompartmentNumber
from tests.bench.figures import Sheet
from tests.bench.line.paced import Paced
from tests.contract.joined import group_of, layout_of, wiring_of

BOARDS: Final = 8
DOORS: Final = 24
BAUD: Final = 19_200
OPENINGS: Final = {"wkly-24": 32, "xor8a-24": 12}
"""Boards of the 8A family take 200 ms for each answer, so a sweep takes 1.7 s whatever the driver does."""
PULSES: Final = 24
SCHEDULING_S: Final = 0.010
IDLE_S: Final = 20.0
IDLE_LIMIT_PERCENT: Final = 3.0


class Clock:
    def mono_ms(self) -> int:
        return int(time.monotonic() * 1000)


class Full:
    """The line, serving."""

    def __init__(self, profile: str) -> None:
        first = boards.load(profile).address.min
        groups = [group_of(profile, "A", first + n) for n in range(BOARDS)]
        self.wiring = wiring_of(layout_of(*groups), BAUD)
        self.paced = Paced([profile] * BOARDS, BAUD)
        self.reports: list[Report] = []
        self._news = asyncio.Event()
        loop = asyncio.get_running_loop()
        ports: dict[str, Any] = {"A": self.paced.port}
        self.cabinet = Cabinet(self.wiring, ports, cast("Any", Clock()), loop, self._reported)
        self.cabinet.start()

    def _reported(self, report: Report) -> None:
        self.reports.append(report)
        self._news.set()

    async def until(self, holds: Callable[[], bool], within_s: float) -> None:
        async with asyncio.timeout(within_s):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def position(self, door: int) -> Position:
        return self.cabinet.reading(CompartmentNumber(door)).position

    def all_are(self, position: Position) -> bool:
        return all(self.position(door) is position for door in self.wiring.compartments)


@asynccontextmanager
async def serving(profile: str) -> AsyncIterator[Full]:
    full = Full(profile)
    with full.paced:
        try:
            await full.until(lambda: full.all_are(Position.CLOSED), 30)
            yield full
        finally:
            await full.cabinet.close()


async def pause(seconds: float) -> None:
    """Real time has to pass here."""
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, passed.set)
    await passed.wait()


async def detections(profile: str, openings: int) -> tuple[list[float], float]:
    """Seconds from each opening to its being believed, and what was predicted."""
    took, rng = [], random.Random(1)
    async with serving(profile) as full:
        for n in range(openings):
            door = n * 37 % (BOARDS * DOORS) + 1
            await pause(rng.uniform(2.2, 3.2))  # nobody is attended any longer, at any phase of a sweep
            full.reports.clear()
            opened_s = time.monotonic()
            full.paced.act("pry", door)
            await full.until(lambda n=door: full.position(n) is Position.OPEN, 10)  # type: ignore[misc]
            (moved,) = [each for each in full.reports if isinstance(each, DoorMoved)]
            assert moved.door == door
            took.append(moved.at_ms / 1000 - opened_s)
            full.paced.act("shut", door)
            await full.until(lambda n=door: full.position(n) is Position.CLOSED, 10)  # type: ignore[misc]
        return took, full.wiring.detection_s("A")


@pytest.mark.parametrize("profile", OPENINGS)
def test_an_opening_is_noticed_as_predicted(sheet: Sheet, profile: str) -> None:
    took, predicted_s = asyncio.run(detections(profile, OPENINGS[profile]))
    note = (
        f"{len(took)} openings, median {sorted(took)[len(took) // 2]:.2f}; the limit is the prediction; "
        f"load {os.getloadavg()[0]:.1f}"
    )
    sheet.at_most(f"8 × {profile}, 19200 baud: opening → believed, most", max(took), "s", predicted_s, note)


async def waits(profile: str) -> tuple[list[float], list[float]]:
    """Seconds from asking for a pulse to its first byte, as the boards saw it; and the length of polls."""
    asked, rng = [], random.Random(2)
    async with serving(profile) as full:
        known, timing = boards.load(profile), Timing(BAUD)
        for n in range(PULSES):
            door = n * 29 % (BOARDS * DOORS) + 1
            await pause(rng.uniform(1.0, 1.6))
            asked.append(time.monotonic())
            result = await full.cabinet.pulse(CompartmentNumber(door), Clock().mono_ms() + 3_000)
            assert result.outcome is PulseOutcome.ACKNOWLEDGED
            await full.until(lambda n=door: full.position(n) is Position.OPEN, 10)  # type: ignore[misc]
            await pause(0.6)
            full.paced.act("shut", door)
            await full.until(lambda n=door: full.position(n) is Position.CLOSED, 10)  # type: ignore[misc]
        polls = list(full.wiring.polls_s("A"))
        await full.cabinet.close()
        pulses = full.paced.close()["pulses"]
    order = encode(known, known.address.min, Pulse(BoardId("A/1"), 1, known.locks.pulse_default_ms, 0.0))  # type: ignore[union-attr]
    heard_s = timing.wire_s(len(order.data)) + timing.silence_s
    return [
        at_ms / 1000 - heard_s - asked_s for (at_ms, _), asked_s in zip(pulses, asked, strict=True)
    ], polls


def test_a_pulse_waits_for_one_transaction_at_most(sheet: Sheet) -> None:
    took, polls = asyncio.run(waits("wkly-24"))
    limit_ms = (max(polls) + SCHEDULING_S) * 1000
    note = f"{len(took)} pulses; the limit is one poll, {max(polls) * 1000:.1f} ms, and 10 ms for two threads"
    sheet.at_most("8 × wkly-24: pulse asked for → first byte, most", max(took) * 1000, "ms", limit_ms, note)


async def idle(profile: str) -> float:
    """Share of one core that the cabinet and its line take while nothing moves."""
    async with serving(profile) as full:
        await pause(5)
        full.reports.clear()
        began_s, used_s = time.monotonic(), time.process_time()
        await pause(IDLE_S)
        share = (time.process_time() - used_s) / (time.monotonic() - began_s)
        assert full.reports == []
        return share


def test_idle_polling_costs_little(sheet: Sheet) -> None:
    share = asyncio.run(idle("wkly-24"))
    name = "8 × wkly-24, idle polling, share of a core"
    sheet.at_most(name, 100 * share, "%", IDLE_LIMIT_PERCENT, f"{IDLE_S:.0f} s, 192 doors")
