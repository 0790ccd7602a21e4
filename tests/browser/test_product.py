"""The whole product as a newcomer meets it: pages in a browser, real processes behind them, clicks only."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from playwright.async_api import Page as Tab

from hw_sim.people import Office, Phone, doors_seen, until
from hw_sim.stack import OPERATOR, Ports, Stack

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.asyncio(loop_scope="session")]

NUMBER = "13812345678"
PIN = "246810"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("product") / "state", Ports.chosen(preferred=False))
    try:
        running.start()
        until("every door is seen", lambda: doors_seen(running))
        yield running
    finally:
        running.stop()


class Newcomer:
    """Sees pages, clicks on them."""

    def __init__(self, kiosk: Tab, cabinet: Tab) -> None:
        self.kiosk = kiosk
        self.cabinet = cabinet

    async def sees(self, screen: str) -> None:
        await expect(self.kiosk.locator("body")).to_have_attribute("data-screen", screen, timeout=60_000)

    async def types(self, digits: str) -> None:
        for digit in digits:
            await self.kiosk.locator(".keys").get_by_text(digit, exact=True).click()

    async def presses(self, act: str) -> None:
        await self.kiosk.locator(f"[data-act={act}]").first.click()

    async def scans(self, digits: str) -> None:
        await self.kiosk.locator("#scan").fill(digits)
        await self.kiosk.locator("#scan-send").click()

    async def presses_door(self, door: int) -> None:
        await self.kiosk.locator(f"[data-key=service_door{door}]").click()
        await self.sees("service_door")

    async def reads(self, *words: str) -> None:
        for word in words:
            await expect(self.kiosk.locator("#facts")).to_contain_text(word, timeout=60_000)

    async def handles_the_envelope(self) -> None:
        """Into or out of the one compartment that stands open; then its door is pushed shut."""
        bay = self.cabinet.locator(".bay.open")
        await expect(bay).to_have_count(1)
        await bay.locator(".slot").click()
        # While the coil still draws, a door that is pushed shut springs open again.
        await expect(self.cabinet.locator(".bay.coil_on")).to_have_count(0)
        await bay.locator(".shut").click()


@pytest_asyncio.fixture(loop_scope="session")
async def newcomer(stack: Stack, browser: Browser) -> Newcomer:
    kiosk, cabinet = await browser.new_page(), await browser.new_page()
    await kiosk.goto(stack.kiosk_url)
    await cabinet.goto(stack.panel_url)
    return Newcomer(kiosk, cabinet)


async def test_an_envelope_goes_in_is_taken_in_and_a_licence_comes_out(
    stack: Stack, newcomer: Newcomer, browser: Browser, tmp_path: Path
) -> None:
    office, phone = Office(stack), Phone(stack)
    badge = office.enrol("helper-1", "赵敏", PIN)
    office.pre_review("NEW-1", "张伟", NUMBER)
    code = phone.awaits(NUMBER, "drop_off_code", "NEW-1")["variables"]["typed"].replace(" ", "")

    await newcomer.types(code)
    await newcomer.sees("offer")
    await newcomer.presses("open")
    await newcomer.sees("place")
    await newcomer.handles_the_envelope()
    await newcomer.sees("receipt")
    await newcomer.presses("leave")

    await newcomer.scans(badge)
    await newcomer.sees("pin")
    await newcomer.types(PIN)
    await newcomer.sees("menu")
    await newcomer.presses("round")
    await newcomer.sees("round_intake")
    await newcomer.presses("intake_open")
    await newcomer.sees("take_out")
    await newcomer.handles_the_envelope()
    await newcomer.sees("intake_confirm")
    await newcomer.presses("intake_confirm")
    await newcomer.sees("round_intake")  # a press on a page that has gone counts for nothing

    label = office.outgoing("NEW-1", "张伟", NUMBER)["label_token"]
    await newcomer.presses("menu")
    await newcomer.presses("load")
    await newcomer.scans(label)
    await newcomer.sees("put_in")
    await newcomer.handles_the_envelope()
    await newcomer.sees("second_look")
    await newcomer.scans(label)
    await newcomer.presses("menu")
    await newcomer.presses("sign_out")
    await newcomer.sees("home")

    pickup = phone.awaits(NUMBER, "pickup_code", "NEW-1")["variables"]["typed"].replace(" ", "")
    await newcomer.types(pickup)
    await expect(newcomer.kiosk.locator("body")).to_have_attribute("data-screen", "take", timeout=60_000)
    await newcomer.handles_the_envelope()
    await newcomer.sees("collected")

    console = await browser.new_page()
    await console.goto(stack.hub_url)
    await console.fill("#name", OPERATOR)
    await console.fill("#password", stack.operator_password)
    await console.keyboard.press("Enter")
    await expect(console.locator("a[href='/console/cases']")).to_be_visible()
    await console.goto(f"{stack.hub_url}/console/cases/NEW-1")
    await expect(console.locator("body")).to_contain_text("NEW-1")
    await console.screenshot(path=tmp_path / "trail.png")


async def test_a_technician_blocks_a_door_and_tries_another_without_any_network(
    stack: Stack, newcomer: Newcomer
) -> None:
    office = Office(stack)
    badge = office.enrol("technician-1", "周明", PIN, "technician")

    def told() -> bool:
        locker = office.locker()
        return bool(locker["dn_stored_to"] == locker["dn_head"])

    until("the locker knows its technician", told)
    stack.kill_broker()
    await newcomer.scans(badge)
    await newcomer.sees("pin")
    await newcomer.types(PIN)
    await newcomer.sees("menu")
    await newcomer.presses("service")
    await newcomer.sees("service")
    await expect(newcomer.kiosk.locator(".door-tile.vacant")).to_have_count(16)

    await newcomer.presses_door(4)
    await newcomer.presses("blocking")
    await newcomer.sees("blocking")
    await newcomer.kiosk.get_by_text("门板或铰链").click()
    await newcomer.sees("service_door")
    await newcomer.reads("停用 · 门板或铰链有问题")
    await newcomer.presses("service")

    await newcomer.presses_door(7)
    await newcomer.presses("test_open")
    await newcomer.reads("已打开，未关", "开着")
    bay = newcomer.cabinet.locator(".bay.open")
    await expect(bay).to_have_count(1)
    await expect(newcomer.cabinet.locator(".bay.coil_on")).to_have_count(0)
    await bay.locator(".shut").click()
    await newcomer.reads("开过并已关好", "关着", "空闲")

    await newcomer.presses("service")
    await newcomer.kiosk.get_by_text("锁控板", exact=True).click()
    await expect(newcomer.kiosk.locator("tr.good")).not_to_have_count(0)
    await expect(newcomer.kiosk.locator("tr.bad")).to_have_count(0)
    await newcomer.kiosk.get_by_text("版本", exact=True).click()
    await expect(newcomer.kiosk.locator(".service")).to_contain_text("未连接")
    compartments = stack.status()["compartments"]
    assert (compartments["4"]["status"], compartments["7"]["status"]) == ("out_of_service", "vacant")
