"""Random taps on the kiosk's page for as long as one likes, what they leave in memory; axe on every page."""

import random  # noqa: TID251  # seeded
import time
from collections.abc import Callable
from typing import Final

import pytest
from playwright.async_api import Browser

from tests.bench.figures import Sheet
from tests.kiosk_ui import album
from tests.kiosk_ui.page import SETTINGS, Page
from tests.kiosk_ui.served import served
from tests.kiosk_ui.test_look import axe_finds
from tests.locker.operations.world import MemoryWorld

SECONDS: Final = 120
WARM_SHARE: Final = 0.2
"""What a page takes at first and then keeps is no growth."""
GROWN_KB_MAX: Final = 512
NODES_MAX: Final = 2_000
TAPS: Final = """async ([seed, count]) => {
  const draw = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
  for (let n = 0; n < count; n++) {
    const all = [...document.querySelectorAll("button:not(:disabled)")].filter((each) => each.offsetParent);
    all[Math.floor(draw() * all.length)]?.click();
    await new Promise((done) => setTimeout(done, 5));
  }
}"""

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_random_taps_leave_nothing_behind(
    sheet: Sheet, browser: Browser, free_port: Callable[[], int], times: int
) -> None:
    """Doors are shut, codes typed and time passes in between, so that taps get to every page of a visit."""
    chance = random.Random(7)
    page = Page(await MemoryWorld.start(), SETTINGS, live=True)
    async with served(page, free_port()) as address:
        tab = await browser.new_page(viewport={"width": 1280, "height": 800})
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        await tab.goto(address)
        measure = await tab.context.new_cdp_session(tab)

        async def weighs() -> tuple[float, int]:
            await measure.send("HeapProfiler.collectGarbage")
            heap = await measure.send("Runtime.getHeapUsage")
            counted = await measure.send("Memory.getDOMCounters")
            return heap["usedSize"] / 1024, int(counted["nodes"])

        begun, taps, seen = time.monotonic(), 0, set[str]()
        first = None
        while time.monotonic() - begun < SECONDS * times:
            if chance.random() < 0.3:
                await page.http.post("/api/code", json={"typed": await page.world.grant(f"C-{taps}")})
            await tab.evaluate(TAPS, [chance.randrange(1 << 30), 40])
            taps += 40
            for door, reading in list(page.world.hands.readings.items()):
                if reading.position.value == "open":
                    if chance.random() < 0.5:
                        page.world.hands.put(door)
                    page.world.hands.shut(door)
            page.world.clock.advance(chance.choice((500, 5_000, 90_000)))
            seen.add((await page.view())["screen"])
            if first is None and time.monotonic() - begun > SECONDS * times * WARM_SHARE:
                first = await weighs()
        assert first is not None
        last = await weighs()
    assert errors == []
    sheet.tells("kiosk, random taps", taps, "taps", f"{len(seen)} screens in {SECONDS * times} s")
    sheet.at_most("kiosk, heap grown by random taps", last[0] - first[0], "KB", GROWN_KB_MAX)
    sheet.at_most("kiosk, nodes of the page at the end", last[1], "nodes", NODES_MAX, f"{first[1]} before")


async def test_axe_has_nothing_to_say_of_any_page(
    sheet: Sheet, browser: Browser, free_port: Callable[[], int]
) -> None:
    stops = await album.album()
    async with album.screen(browser, free_port()) as shown:
        assert await axe_finds(shown, stops) == {}
    sheet.tells("kiosk, pages without a word from axe", len(stops) * 2, "pages")
