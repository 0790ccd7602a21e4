"""A page whose browser hangs or paints nothing gives no sign of life; one that goes on is believed again."""

import os
import signal
from collections.abc import Callable
from typing import Final

import pytest
from playwright.async_api import Browser
from playwright.async_api import Page as Tab

from locker.platform import LockerClock, ScreenSession, Times
from locker.watching.screen import LOOK_S, QUIET_S, Screen
from tests.browser.conftest import Serve
from tests.kiosk_ui.page import Page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
CLOCK: Final = LockerClock(Times.real())
"""The page has its own time, which is the machine's."""
ALIVE_S: Final = 10
"""It says that it lives so often."""
PATIENCE_S: Final = 60


async def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it came to hold."""
    until_ms = CLOCK.mono_ms() + seconds * 1000
    while not holds() and CLOCK.mono_ms() < until_ms:
        await CLOCK.sleep_until(CLOCK.mono_ms() + 50)
    return holds()


async def opened(page: Page, url: str, browser: Browser) -> Tab:
    """A tab with the page, which lives."""
    tab = await browser.new_page()
    await tab.goto(url)
    assert await within(PATIENCE_S, lambda: page.signs_of_life > 0)
    return tab


async def processes(browser: Browser, kind: str) -> list[int]:
    """Of the test run's own browser."""
    session = await browser.new_browser_cdp_session()
    told = await session.send("SystemInfo.getProcessInfo")
    await session.detach()
    return [each["id"] for each in told["processInfo"] if each["type"] == kind]


def is_dead(screen: Screen) -> bool:
    sight = screen.sight()
    return sight is not None and sight.is_dead


@pytest.mark.parametrize("what", ["renderer", "GPU"])
async def test_a_page_that_hangs_or_paints_nothing_is_found_out(
    serve: Serve, browser: Browser, what: str
) -> None:
    """Stopped is what runs its script, or what draws for it; all else goes on, its open sockets too."""
    page, url = await serve()
    wishes: list[str] = []
    screen = Screen(ScreenSession(lambda: True, lambda: wishes.append("fresh")))
    page.on_life = screen.lives
    await opened(page, url, browser)
    stopped = await processes(browser, what)
    assert stopped
    for each in stopped:
        os.kill(each, signal.SIGSTOP)
    try:
        await within(1, lambda: False)  # what was on its way arrives
        heard = page.signs_of_life
        assert not await within(1.2 * ALIVE_S, lambda: page.signs_of_life > heard)
        for _ in range(QUIET_S // LOOK_S):
            screen.look()
        assert (is_dead(screen), wishes) == (True, ["fresh"])
    finally:
        for each in stopped:
            os.kill(each, signal.SIGCONT)
    assert await within(PATIENCE_S, lambda: not is_dead(screen))


async def test_the_page_of_an_earlier_start_lives_on_with_the_next(serve: Serve, browser: Browser) -> None:
    page, url = await serve()
    tab = await opened(page, url, browser)
    await tab.evaluate("window.earlier = true")
    await page.restart()
    page.signs_of_life = 0
    assert await within(PATIENCE_S, lambda: page.signs_of_life > 0)
    assert await tab.evaluate("window.earlier")


async def test_fingers_at_work_add_no_signs_of_life(serve: Serve, browser: Browser) -> None:
    page, url = await serve()
    began_ms = CLOCK.mono_ms()
    tab = await opened(page, url, browser)
    for _ in range(20):
        await tab.locator("#large").click()
    assert page.signs_of_life <= 1 + (CLOCK.mono_ms() - began_ms) / (ALIVE_S * 1000)
