"""The console in a real browser: what only a browser does, such as telling where a form came from."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from hw_sim.free_port import free_port
from sync.central import lockers
from sync.central.alarms import Trouble, raise_alarm
from sync.central.figures.count import Calendar, count
from sync.central.store import Store
from tests.sync.central.conftest import HandClock, Parts, new_desk
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.figures.test_figures import lived
from tests.sync.central.served import served, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
RENEWED_MS = 15_000


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    clock, locker = HandClock(), FakeLocker()
    desk, store = new_desk(clock), Store.open(tmp_path / "central.sqlite")
    centre = store.write_now(lambda c: lockers.enrol(c, desk, locker.locker, "north", locker.public))
    yield Parts(store, desk, clock, locker, centre)
    store.close()


async def test_the_fleet_lives_on_the_page(parts: Parts, browser: Browser) -> None:
    lived(parts)
    parts.store.write_now(lambda c: count(c, Calendar(480)))
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with served(parts, free_port()) as address:
        await sign_in(page, address)
        await _an_alarm_appears(page, parts)
        await _it_is_taken_note_of(page, address)
        await page.goto(f"{address}/console/figures?first=2026-09-01&last=2026-09-30")
        assert await page.locator("svg.chart rect").count() == 2
    assert complaints == []


async def _an_alarm_appears(page: Page, parts: Parts) -> None:
    await expect(page.locator("#shown")).to_have_text("1 / 1", timeout=RENEWED_MS)
    trouble = Trouble("door_forced", "e/1", "door 3")
    parts.clock.now_ms += 5_000
    parts.store.write_now(lambda c: raise_alarm(c, "hall-1", trouble, parts.clock.now_ms))
    await page.wait_for_selector('tr[data-alarms="1"]', state="attached", timeout=RENEWED_MS)
    await page.fill("#sieve input[name=text]", "nowhere")
    await expect(page.locator("#shown")).to_have_text("0 / 1", timeout=RENEWED_MS)
    await page.fill("#sieve input[name=text]", "HALL")
    await page.click("button.sort[data-key=full]")
    assert await page.locator("th[aria-sort=ascending]").count() == 1
    assert await page.locator("#fleet tbody tr:visible").count() == 1


async def _it_is_taken_note_of(page: Page, address: str) -> None:
    await page.goto(f"{address}/console/alarms")
    await page.fill("form.line input[name=note]", "seen to")
    await page.click("form.line button")
    await page.wait_for_selector("p.empty", timeout=RENEWED_MS)
    await page.goto(f"{address}/console/alarms?seen=1")
    assert "seen to" in await page.locator("main").inner_text()
