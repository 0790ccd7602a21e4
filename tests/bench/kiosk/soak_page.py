"""A day of random taps on the kiosk's page, and what they leave in memory; axe on every page."""

import time
from dataclasses import dataclass
from typing import Any, Final

import pytest
from playwright.async_api import Browser
from playwright.async_api import Page as Tab

from hw_sim.free_port import free_port
from tests.bench.figures import Sheet
from tests.bench.kiosk.taps import Day, LosingPage, memory_mb, things
from tests.kiosk_ui import album
from tests.kiosk_ui.served import served
from tests.kiosk_ui.test_look import axe_finds

TAPS: Final = 86_400
"""One a second for 24 hours of the locker's time; pauses and nights come on top."""
WARM: Final = 0.1
"""What a page takes at first and then keeps is no growth."""
SAID_EVERY: Final = 3_600
HEAP_KB_MAX: Final = 512
NODES_MAX: Final = 2_000
LISTENERS_MAX: Final = 100
THINGS_MAX: Final = 1_000
MEMORY_MB_MAX: Final = 32
SCREENS_MIN: Final = 20
"""Random taps that get nowhere weigh nothing. Which they see between two spells is chance: 24 to 26."""

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True, slots=True)
class Weight:
    """Of the browser's page after its garbage was collected, and of the daemon's side."""

    heap_kb: float
    nodes: int
    listeners: int
    things: int
    memory_mb: float

    def __str__(self) -> str:
        page = f"heap {self.heap_kb:,.0f} KB, {self.nodes:,} nodes, {self.listeners:,} listeners"
        return f"{page}; locker {self.memory_mb:.0f} MB, {self.things:,} things"


class Scales:
    def __init__(self, measure: Any) -> None:
        self._measure = measure

    @classmethod
    async def of(cls, tab: Tab) -> "Scales":
        return cls(await tab.context.new_cdp_session(tab))

    async def weigh(self) -> Weight:
        await self._measure.send("HeapProfiler.collectGarbage")
        heap = await self._measure.send("Runtime.getHeapUsage")
        counted = await self._measure.send("Memory.getDOMCounters")
        nodes, listeners = int(counted["nodes"]), int(counted["jsEventListeners"])
        return Weight(heap["usedSize"] / 1024, nodes, listeners, things(), memory_mb())


async def test_a_day_of_random_taps_leaves_nothing_behind(sheet: Sheet, browser: Browser, times: int) -> None:
    """Doors are shut, codes typed, staff sign in, nights pass, streams are cut and the daemon restarts."""
    page = await LosingPage.begun()
    async with served(page, free_port()) as address:
        tab = await browser.new_page(viewport={"width": 1280, "height": 800})
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        await tab.goto(address)
        day = Day(page, tab, seed=7)
        weights = await tapped(day, TAPS * times)
        await tab.context.close()
    told(sheet, day, weights)
    page.entries.close()
    assert errors == []


async def tapped(day: Day, taps: int) -> list[Weight]:
    """Weights at the warm point, then after every hour of taps; the last is the end."""
    scales, begun_s = await Scales.of(day.tab), time.monotonic()
    weights: list[Weight] = []
    due = int(taps * WARM)
    while day.taps < taps:
        await day.spell()
        if day.taps >= due:
            weights.append(await scales.weigh())
            due = day.taps + SAID_EVERY
            far = f"{day.taps:,} of {taps:,} taps, {day.hours:.1f} h, {time.monotonic() - begun_s:,.0f} s"
            print(f"{far}: {weights[-1]}; {day.mishaps}", flush=True)
    return [*weights, await scales.weigh()]


def told(sheet: Sheet, day: Day, weights: list[Weight]) -> None:
    first, half, last = weights[0], weights[len(weights) // 2], weights[-1]
    sheet.tells(
        "kiosk, random taps", day.taps, "taps", f"in {day.hours:.1f} h of the locker's time; {day.mishaps}"
    )
    sheet.tells("  journal entries that came of it", len(day.page.world.journal.entries), "")
    sheet.tells("  screens seen between two spells", len(day.seen), "", ", ".join(sorted(day.seen)))
    for name, field, unit, most in (
        ("heap of the page", "heap_kb", "KB", HEAP_KB_MAX),
        ("listeners of the page", "listeners", "", LISTENERS_MAX),
        ("objects of kiosk and server", "things", "", THINGS_MAX),
        ("memory of the locker's side", "memory_mb", "MB", MEMORY_MB_MAX),
    ):
        of = [float(getattr(each, field)) for each in (first, half, last)]
        note = f"{of[0]:,.0f} when warm, {of[1]:,.0f} at half time, {of[2]:,.0f} at the end"
        sheet.at_most(f"kiosk, {name} grown by random taps", of[2] - of[0], unit, most, note)
    note = f"{first.nodes} when warm, {half.nodes} at half time"
    sheet.at_most("kiosk, nodes of the page at the end", last.nodes, "nodes", NODES_MAX, note)
    assert len(day.seen) >= SCREENS_MIN, sorted(day.seen)


async def test_axe_has_nothing_to_say_of_any_page(sheet: Sheet, browser: Browser) -> None:
    stops = await album.album()
    async with album.screen(browser, free_port()) as shown:
        assert await axe_finds(shown, stops) == {}
    sheet.tells("kiosk, pages without a word from axe", len(stops) * 2, "pages")
