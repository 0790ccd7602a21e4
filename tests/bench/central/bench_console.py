"""The fleet's page with a thousand lockers in a real browser: until it can be used, until it has an alarm."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from statistics import quantiles
from typing import Final

import pytest
from playwright.async_api import Browser, Page

from hw_sim.free_port import free_port
from sync.central.alarms import Trouble, raise_alarm
from sync.central.fleet.tables import SITE
from sync.central.platform import Platform
from sync.central.store import Store
from sync.central.tables import COMPARTMENT, LOCKER, STREAM
from tests.bench.figures import Sheet
from tests.sync.central.conftest import Parts, new_desk
from tests.sync.central.fake_locker import FakeLocker
from tests.sync.central.served import served, sign_in

LOCKERS: Final = 1_000
DOORS: Final = 24
INTERACTIVE_S_MAX: Final = 2.0
ALARM_S_MAX: Final = 2.0
TIMES: Final = 5
ALARMS: Final = 20
WAIT_MS: Final = 15_000
RANDOM: Final = Random(11)

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    platform = Platform()
    store = Store.open(tmp_path / "central.sqlite")
    desk = new_desk(platform.clock)  # type: ignore[arg-type]  # the real one instead of the hand-set
    fill(store, platform.clock.wall_ms())
    yield Parts(store, desk, platform.clock, FakeLocker(), {})  # type: ignore[arg-type]  # the same
    store.close()


async def test_the_fleet_s_page(sheet: Sheet, parts: Parts, browser: Browser, tmp_path: Path) -> None:
    with served(parts, free_port()) as address:
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        await sign_in(page, address)
        await measure(sheet, parts, page, address)
        await page.screenshot(path=tmp_path / "fleet.png")


async def measure(sheet: Sheet, parts: Parts, page: Page, address: str) -> None:
    took = sorted([await opened(page, address) for _ in range(TIMES)])
    shown = await page.locator("#shown").inner_text()
    assert shown == f"{LOCKERS} / {LOCKERS}"
    mine = f"console, {LOCKERS:,} lockers"
    sheet.at_most(f"{mine}: until it can be used", took[len(took) // 2], "s", INTERACTIVE_S_MAX, "median")
    seen = [await alarmed(page, parts, number) for number in range(ALARMS)]
    p95 = quantiles(seen, n=20)[-1]
    sheet.at_most(f"{mine}: alarm stored → on the page, p95", p95, "s", ALARM_S_MAX, f"of {ALARMS}")
    weight = await page.evaluate("performance.getEntriesByType('navigation')[0].transferSize")
    sheet.tells(f"{mine}: page weight", weight / 1024, "KB")


async def opened(page: Page, address: str) -> float:
    """Seconds until the rows are there and sorted by the page's own script."""
    begun = time.monotonic()
    await page.goto(f"{address}/console")
    await page.wait_for_function("document.getElementById('shown').textContent !== ''", timeout=WAIT_MS)
    return time.monotonic() - begun


async def alarmed(page: Page, parts: Parts, number: int) -> float:
    """Seconds from the commit that holds the alarm to its mark in the table; at any moment of the rhythm."""
    name = f"loc-{RANDOM.randrange(LOCKERS):04}"
    row = f'tr[data-locker="{name}"]'
    before = int(await page.locator(row).get_attribute("data-alarms") or 0)
    await page.wait_for_timeout(RANDOM.uniform(0, 2000))
    trouble = Trouble("door_forced", f"e/{number}", "door 3")
    parts.store.write_now(lambda c: raise_alarm(c, name, trouble, parts.clock.wall_ms()))
    begun = time.monotonic()
    await page.wait_for_selector(f'{row}[data-alarms="{before + 1}"]', state="attached", timeout=WAIT_MS)
    return time.monotonic() - begun


def fill(store: Store, now_ms: int) -> None:
    """A thousand lockers of two dozen doors, some full, some silent, each somewhere in one city."""
    names = [f"loc-{n:04}" for n in range(LOCKERS)]
    lockers = [
        {
            "locker": name,
            "area": f"district-{n % 12:02}",
            "public": "",
            "epoch": "e" * 32,
            "online": n % 50 != 7,
            "software": "1.4.2",
            "head": 2_000,
            "last_heard_ms": now_ms - (400_000 if n % 61 == 3 else n % 60 * 1_000),
            "state_text": json.dumps({"tq": "ntp", "disk_used_percent": n % 85}),
        }
        for n, name in enumerate(names)
    ]
    streams = [
        {"locker": name, "epoch": "e" * 32, "stored_to": 2_000 - (n % 97 == 5) * 40}
        for n, name in enumerate(names)
    ]
    doors = [
        {
            "locker": name,
            "number": door,
            "size": "SML"[door % 3],
            "deposit": "d" if RANDOM.random() < n % 10 / 10 else "",
            "fault": "stuck" if RANDOM.random() < 0.004 else "",  # one in 250
        }
        for n, name in enumerate(names)
        for door in range(1, DOORS + 1)
    ]
    sites = [
        {"locker": name, "latitude": RANDOM.uniform(30.1, 30.4), "longitude": RANDOM.uniform(120.0, 120.3)}
        for name in names
    ]

    def work(connection: object) -> None:
        for table, rows in ((LOCKER, lockers), (STREAM, streams), (COMPARTMENT, doors), (SITE, sites)):
            connection.execute(table.insert(), rows)  # type: ignore[attr-defined]

    store.write_now(work)
