"""Every page of the kiosk as data, met on a tour of real visits; and one browser tab that draws them.

The views are those that the daemon would send. They are put straight into the page, so that hundreds of
pages in two languages and on two screens are drawn in seconds.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Route
from playwright.async_api import Page as Tab

from kiosk_ui.texts import LANGUAGES
from tests.browser.tour import PARTS
from tests.kiosk_ui.page import SETTINGS, Page, View
from tests.kiosk_ui.served import served
from tests.locker.operations.world import MemoryWorld

LANDSCAPE: Final = (1280, 800)
"""10 inches: 5.9 pixels a millimetre."""
PORTRAIT: Final = (1080, 1920)
"""15 inches: 5.8 pixels a millimetre."""
SIZES: Final = (LANDSCAPE, PORTRAIT)
SAID: Final = {
    "North hall": "政务服务大厅北门",
    "application form": "食品经营许可申请书",
    "lease": "经营场所租赁合同",
    "fire certificate": "公众聚集场所消防安全检查合格证",
    "Food licence": "食品经营许可（小餐饮）",
}
"""What the city would write where tests write English."""
FIRST_REV: Final = 1_000_000
"""Above any that the daemon behind the tab counts to: what it sends is older, and not drawn."""
SCRIPT: Final = (Path(__file__).parent / "fits.js").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Stop:
    """One page of a tour: how it was come to, what it shows in each language, and the receipt's picture."""

    part: str
    name: str
    views: Mapping[str, View]
    qr: bytes = b""

    @property
    def screen(self) -> str:
        return str(self.views[LANGUAGES[0]]["screen"])


async def album(parts: Sequence[str] = tuple(PARTS)) -> list[Stop]:
    """Every page of these parts of the tour."""
    found: list[Stop] = []
    for part in parts:
        drive, item_sensors = PARTS[part]
        page = Page(await MemoryWorld.start(item_sensors=item_sensors), SETTINGS)
        async for name, view in drive(page):
            found.append(Stop(part, name, _in_each_language(page), await _qr(page, view)))
        await page.close()
    return found


def _in_each_language(page: Page) -> dict[str, View]:
    before, views = page.kiosk._language, {}
    for language in LANGUAGES:
        page.kiosk._language = language
        text = json.dumps(page.kiosk.view(), ensure_ascii=False)
        for plain, said in SAID.items():
            for before_it in ('"', "· "):
                text = text.replace(f"{before_it}{plain}", f"{before_it}{said}")
        views[language] = json.loads(text)
    page.kiosk._language = before
    return views


async def _qr(page: Page, view: View) -> bytes:
    if not (view["receipt"] and view["receipt"]["qr"]) and not (view["slip"] and view["slip"]["number"]):
        return b""
    return (await page.http.get("/api/qr", params={"visit": view["visit"]})).content


OF_FRAMES: Final = (
    "An iframe which has both allow-scripts and allow-same-origin for its sandbox attribute can escape "
    "its sandboxing."
)
"""Chromium says so of the page's own policy as well, where nobody stands outside who could let it escape."""


class Screen:
    """A tab on the kiosk's real page, on which any view can be put."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.complaints: list[str] = []
        self._rev = FIRST_REV
        self._qr = b""
        self._boot = ""
        self.aids: tuple[str, ...] = ()
        """Which of ``large`` and ``contrast`` are on."""

    async def _answers(self, route: Route) -> None:
        await route.fulfill(body=self._qr, content_type="image/svg+xml")

    async def open(self, address: str) -> None:
        self.tab.on(
            "console", lambda said: self.complaints.append(said.text) if said.text != OF_FRAMES else None
        )
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        await self.tab.route(re.compile("/api/qr"), self._answers)
        await self.tab.goto(address)
        await self.tab.evaluate(SCRIPT)
        told = await self.tab.evaluate("fetch('/api/view').then((answer) => answer.json())")
        self._boot = told["boot"]
        await self.tab.wait_for_function("document.body.dataset.ready === 'yes'")

    def _next(self, stop: Stop, language: str, changes: Mapping[str, Any]) -> View:
        self._rev += 1
        by_day = {"night": {"from": 0, "until": 0}}
        return {**stop.views[language], **by_day, "rev": self._rev, "boot": self._boot, **changes}

    async def show(self, stop: Stop, language: str, **changes: Any) -> None:
        self._qr = stop.qr
        view = self._next(stop, language, changes)
        await self.tab.evaluate("([view, aids]) => put(view, aids)", [view, list(self.aids)])

    async def misfits(self, stops: Sequence[Stop], target_px: float) -> dict[str, list[str]]:
        """What does not fit on these pages, in each language; no button is smaller than ``target_px``."""
        shown = [(stop, language) for stop in stops for language in LANGUAGES]
        views = [self._next(stop, language, {}) for stop, language in shown]
        found = await self.tab.evaluate(
            "([views, aids, target]) => sweep(views, aids, target)", [views, list(self.aids), target_px]
        )
        wrong = zip(shown, found, strict=True)
        return {f"{stop.part} {stop.name} {language}": each for (stop, language), each in wrong if each}

    async def sized(self, size: tuple[int, int]) -> None:
        await self.tab.set_viewport_size({"width": size[0], "height": size[1]})


@asynccontextmanager
async def screen(browser: Browser, port: int) -> AsyncIterator[Screen]:
    """A tab over a fresh locker that nobody touches."""
    async with served(Page(await MemoryWorld.start(), SETTINGS), port) as address:
        context = await browser.new_context(reduced_motion="reduce")
        shown = Screen(await context.new_page())
        await shown.open(address)
        yield shown
        await context.close()
