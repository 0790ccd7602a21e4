"""Drop-off, intake, load and pickup with real fingers on a real page, in both languages."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, expect
from playwright.async_api import Page as Tab

from kiosk_ui.texts import LANGUAGES, load
from locker.domain.deposit import Phase
from locker.domain.events import ItemLoaded, ItemPickedUp, SubmissionTaken
from locker.domain.ids import DepositId
from tests.browser.conftest import Serve
from tests.kiosk_ui.page import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
Visit = Callable[..., Awaitable["Fingers"]]


class Fingers:
    """A person at the touch page: reads words, presses what is on it."""

    def __init__(self, tab: Tab, page: Page, language: str) -> None:
        self.tab, self.page, self.language = tab, page, language
        self.texts = load(language)

    async def reads(self, screen: str, **values: object) -> None:
        """The page has got there, and says so in the visitor's language."""
        await expect(self.tab.locator("body")).to_have_attribute("data-screen", screen)
        if values:
            await expect(self.tab.locator("h1")).to_have_text(
                self.texts.say(f"screen.{screen}.title", values)
            )

    async def types(self, digits: str) -> None:
        for digit in digits:
            await self.tab.locator(".keys").get_by_text(digit, exact=True).click()

    async def presses(self, act: str, **data: str) -> None:
        buttons = self.tab.locator(f"[data-act={act}]")
        for value in data.values():
            buttons = buttons.and_(self.tab.locator(f"[data-key*='{value}']"))
        await buttons.first.click()

    async def scans(self, digits: str) -> None:
        await self.tab.locator("#scan").fill(digits)
        await self.tab.locator("#scan-send").click()

    async def lit_door(self) -> int:
        """The number in the light of the picture."""
        return int(await self.tab.locator(".cabinet .mine text").text_content() or 0)

    async def signs_in(self) -> None:
        await self.scans(await self.page.world.enrol())
        await self.reads("pin")
        await self.types("135790")
        await self.reads("menu")


@pytest.fixture
def fingers(browser: Browser, serve: Serve) -> Visit:
    async def start(language: str) -> Fingers:
        page, address = await serve(live=True)
        tab = await browser.new_page(viewport={"width": 1280, "height": 800})
        await tab.goto(address)
        person = Fingers(tab, page, language)
        if language != "zh":
            await tab.locator("#language").click()
        await expect(tab.locator("html")).to_have_attribute("lang", language)
        return person

    return start


@pytest.mark.parametrize("language", LANGUAGES)
async def test_drop_off(fingers: Visit, language: str) -> None:
    person = await fingers(language)
    page = person.page
    await person.types(await page.world.grant())
    await person.reads("offer")
    await expect(person.tab.locator(".papers li")).to_have_count(3)
    await person.presses("open")
    await person.reads("place", door=5)
    door = await person.lit_door()
    assert door == page.world.hands.pulses[0][0]
    await expect(person.tab.locator(".cabinet .mine.open")).to_have_count(1)
    page.world.hands.put(door)
    page.world.hands.shut(door)
    await person.reads("receipt")
    receipt = next(iter(page.world.journal.state.deposits.values())).receipt
    await expect(person.tab.locator(".receipt b")).to_have_text(receipt)
    code = person.tab.locator(".receipt img")
    assert await code.evaluate("async (image) => { await image.decode(); return image.naturalWidth > 0 }")
    await person.presses("leave")
    await person.reads("home")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_intake(fingers: Visit, language: str) -> None:
    person = await fingers(language)
    page = person.page
    await page.hand_in("C-1")
    await page.act("leave")
    await page.act("language", lang=language)
    await person.signs_in()
    await person.presses("round", kind="intake")
    await person.reads("round_intake", intake=1)
    await person.presses("intake_open")
    await person.reads("take_out")
    door = await person.lit_door()
    page.world.hands.take(door)
    page.world.hands.shut(door)
    await person.reads("intake_confirm", door=door)
    await person.presses("intake_confirm", finding="complete")
    await person.reads("round_intake")
    await expect(person.tab.locator("h1")).to_have_text(
        person.texts.entries["screen.round_intake.title_none"]
    )
    assert page.world.journal.events(SubmissionTaken)[0].finding == "complete"
    await person.presses("sign_out")
    await person.reads("home")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_load(fingers: Visit, language: str) -> None:
    person = await fingers(language)
    page = person.page
    await page.world.announce("I-1", "C-1")
    await person.signs_in()
    await person.presses("load")
    await person.reads("load")
    label = page.world.token("I-1", case="C-1")
    await person.scans(label)
    await person.reads("put_in")
    door = await person.lit_door()
    page.world.hands.put(door)
    page.world.hands.shut(door)
    await person.reads("second_look")
    assert page.world.journal.events(ItemLoaded) == []
    await person.scans(label)
    await expect(person.tab.locator("#said")).to_have_text(person.texts.entries["said.loaded"])
    assert len(page.world.journal.events(ItemLoaded)) == 1


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pickup(fingers: Visit, language: str) -> None:
    person = await fingers(language)
    page = person.page
    codes = await page.load("I-1", "C-1", second_factor=True)
    await page.act("language", lang=language)
    await person.scans(codes["scan"])
    await person.reads("phone")
    await person.types("5678")
    await person.reads("take")
    await expect(person.tab.locator("#facts")).to_contain_text("张*")
    door = await person.lit_door()
    page.world.hands.take(door)
    page.world.hands.shut(door)
    await person.reads("collected")
    assert len(page.world.journal.events(ItemPickedUp)) == 1
    deposit = DepositId(page.kiosk.visit.deposit)
    assert page.world.journal.state.deposits[deposit].phase is Phase.COLLECTED


async def test_a_slip_is_shown_while_typing_and_is_no_attempt(fingers: Visit) -> None:
    person = await fingers("zh")
    posts: list[str] = []
    person.tab.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    code = await person.page.world.grant()
    slip = code[:-1] + str((int(code[-1]) + 1) % 10)
    await person.types(slip)
    await expect(person.tab.locator(".slip-text")).to_have_text(person.texts.entries["page.slip"])
    assert posts == []
    await person.tab.locator(".keys .word").last.click()
    await person.types(code[-1])
    await person.reads("offer")


async def test_a_keyboard_alone_is_enough(fingers: Visit) -> None:
    person = await fingers("zh")
    await person.tab.keyboard.type(await person.page.world.grant())
    await person.reads("offer")
    await person.tab.keyboard.press("Enter")
    await person.reads("place")
    door = await person.lit_door()
    person.page.world.hands.put(door)
    person.page.world.hands.shut(door)
    await person.reads("receipt")
    await person.tab.keyboard.press("Enter")
    await person.reads("home")


async def test_a_restarted_daemon_brings_the_visit_back(fingers: Visit) -> None:
    person = await fingers("zh")
    page = person.page
    await person.types(await page.world.grant())
    await person.reads("offer")
    await person.presses("open")
    await person.reads("place")
    door = await person.lit_door()
    await page.restart()
    await person.reads("place", door=door)
    page.world.hands.put(door)
    page.world.hands.shut(door)
    await person.reads("receipt")


async def test_a_quiet_page_asks_before_it_goes_home(fingers: Visit) -> None:
    person = await fingers("zh")
    await person.types(await person.page.world.grant())
    await person.reads("offer")
    await person.page.later(60_000)
    await expect(person.tab.locator("#ask h2")).to_be_visible()
    await person.tab.locator("#ask .primary").click()
    await expect(person.tab.locator("#ask h2")).to_be_hidden()
    await person.page.later(60_000)
    await person.page.later(20_000)
    await person.reads("home")


async def test_the_page_asks_nobody_but_its_own_daemon_and_stays_light(fingers: Visit) -> None:
    person = await fingers("en")
    sizes: list[int] = []
    hosts: set[str] = set()
    async with person.tab.expect_response("**/static/pictures.js"):
        person.tab.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        await person.tab.reload()
    files = [
        "",
        "static/kiosk.css",
        "static/parts.css",
        "static/kiosk.js",
        "static/draw.js",
        "static/keypad.js",
    ]
    files += ["static/pictures.js", "static/dom.js", "static/icon.svg", "api/view"]
    for name in files:
        answer = await person.page.http.get(f"/{name}")
        assert answer.status_code == 200
        sizes.append(len(answer.content))
    assert len(hosts) == 1
    assert sum(sizes) < 300 * 1024
