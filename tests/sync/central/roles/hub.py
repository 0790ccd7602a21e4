"""A hub on loopback and people at their browsers, who find things by what stands on them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from playwright.async_api import Browser, Locator, Page, expect

from sync.central.access.actor import EVERY_AREA, Role
from sync.central.access.settings import Access
from sync.central.console import texts
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.served import served

SAY: Final = texts.load()["zh"]
WAIT_MS: Final = 15_000
NEXT_CODE_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a browser of their own. What is clicked and filled in is named by its word."""

    page: Page
    parts: Parts
    address: str

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    def field(self, word: str) -> Locator:
        """By the beginning of its label: hints follow it."""
        return self.main.get_by_label(re.compile(f"^{re.escape(SAY(word))}"))

    def link(self, name: str) -> Locator:
        return self.main.get_by_role("link", name=name, exact=True).first

    async def types(self, said: Mapping[str, str]) -> None:
        """By the word that a field carries."""
        for word, text in said.items():
            await self.field(word).fill(text)

    async def chooses(self, word: str, label: str) -> None:
        await self.field(word).select_option(label=label)

    async def ticks(self, name: str) -> None:
        """A box or a round one."""
        await self.main.get_by_label(name).first.check()

    async def presses(self, word: str) -> None:
        await self.main.get_by_role("button", name=SAY(word), exact=True).click()

    async def follows(self, word: str) -> None:
        await self.link(SAY(word)).click()

    async def opens(self, word: str) -> None:
        """An entry of the menu."""
        menu = self.page.get_by_role("navigation")
        await menu.get_by_role("link", name=SAY(word), exact=True).click()

    async def sees(self, text: str) -> None:
        await expect(self.main).to_contain_text(text)

    async def sees_word(self, word: str) -> None:
        await self.sees(SAY(word))

    async def signs_in(self, name: str, password: str = people.PASSWORD) -> None:
        await self.page.goto(f"{self.address}/console")
        await self.types({"page.sign_in_name": name, "page.sign_in_word": password})
        await self.presses("page.sign_in")

    async def signs_out(self) -> None:
        await self.page.get_by_role("banner").get_by_role("button").click()
        await expect(self.field("page.sign_in_name")).to_be_focused()

    async def takes_up_an_app(self) -> people.App:
        """The page shows a secret; the app shows what to type."""
        secret = await self.main.locator("#secret").inner_text()
        app = people.App(self.parts, secret)
        await self.types({"factor.first_code": app.code})
        await self.presses("page.send")
        await self.follows("factor.kept")
        self.parts.clock.now_ms += NEXT_CODE_MS
        return app


@dataclass(frozen=True, slots=True)
class Hub:
    parts: Parts
    address: str
    complaints: list[str]
    """What browsers said went wrong on their pages."""

    async def stranger(self, browser: Browser) -> Person:
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(WAIT_MS)
        page = await context.new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return Person(page, self.parts, self.address)

    async def person(
        self, browser: Browser, name: str, *roles: Role, areas: Iterable[str] = (EVERY_AREA,)
    ) -> Person:
        people.add(self.parts, name, roles, areas)
        made = await self.stranger(browser)
        await made.signs_in(name)
        await expect(made.page.get_by_role("navigation")).to_be_visible()
        return made


@contextmanager
def hub(parts: Parts, port: int, settings: Access = people.EASY) -> Iterator[Hub]:
    with served(parts, port, settings) as address:
        made = Hub(parts, address, [])
        yield made
        assert made.complaints == []
