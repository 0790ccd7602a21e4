"""Every page, in both languages and on both screens: all of it is seen, fingers find it, and axe has no word.

One browser, one tab: the views are those of a tour of real visits, put straight into the page.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from hw_sim.free_port import free_port
from kiosk_ui.names import Screen
from kiosk_ui.texts import LANGUAGES
from tests.kiosk_ui import album
from tests.kiosk_ui.album import SIZES, Stop

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

TARGET_MM: Final = 15
PIXELS_A_MM: Final = {1280: 5.92, 1080: 5.78}
"""10 inches across 1280 × 800, 15 inches across 1080 × 1920."""
WCAG: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

PARTS: Final = ("papers", "rating", "neighbours", "notices", "ask", "banner", "corner")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stops() -> list[Stop]:
    return await album.album()


@pytest_asyncio.fixture(loop_scope="session")
async def shown(browser: Browser) -> AsyncIterator[album.Screen]:
    async with album.screen(browser, free_port()) as screen:
        yield screen
        assert screen.complaints == []


async def misfits(shown: album.Screen, stops: list[Stop], size: tuple[int, int]) -> dict[str, list[str]]:
    await shown.sized(size)
    return await shown.misfits(stops, TARGET_MM * PIXELS_A_MM[size[0]] - 1)


@pytest.mark.parametrize("size", SIZES)
async def test_every_page_fits_and_fingers_find_it(
    shown: album.Screen, stops: list[Stop], size: tuple[int, int]
) -> None:
    assert await misfits(shown, stops, size) == {}


@pytest.mark.parametrize("size", SIZES)
async def test_words_twice_as_large_lose_nothing(
    shown: album.Screen, stops: list[Stop], size: tuple[int, int]
) -> None:
    before = await shown.tab.evaluate("getComputedStyle(document.querySelector('h1')).fontSize")
    shown.aids = ("large",)
    await shown.show(stops[0], "zh")
    after = await shown.tab.evaluate("getComputedStyle(document.querySelector('h1')).fontSize")
    assert float(after[:-2]) >= 2 * float(before[:-2])
    assert await misfits(shown, one_of_each(stops), size) == {}


def one_of_each(stops: list[Stop]) -> list[Stop]:
    """The first stop of every screen."""
    return list({stop.screen: stop for stop in reversed(stops)}.values())


def one_of_a_kind(stops: list[Stop], parts: tuple[str, ...] = PARTS) -> list[Stop]:
    """One for each way in which a page is put together; others differ from it in their words only."""
    kinds: dict[tuple[str, object], Stop] = {}
    for stop in reversed(stops):
        view = stop.views["zh"]
        kinds["stage", view["stage"]] = stop
        for part in parts:
            kinds.setdefault((part, bool(view[part])), stop)
    return list({id(stop): stop for stop in kinds.values()}.values())


async def test_axe_has_nothing_to_say_in_either_language(shown: album.Screen, stops: list[Stop]) -> None:
    """The soak asks it of every page."""
    assert await axe_finds(shown, one_of_a_kind(stops)) == {}


async def axe_finds(shown: album.Screen, stops: list[Stop]) -> dict[str, list[str]]:
    await shown.tab.evaluate(Axe().axe_script)
    found: dict[str, list[str]] = {}
    for stop in stops:
        for language in LANGUAGES:
            await shown.show(stop, language)
            # Colours are the same in each.
            if said := await complaints(shown, colours=language == "zh"):
                found[f"{stop.part} {stop.name} {language}"] = said
    return found


@pytest.mark.parametrize("look", ["contrast", "night"])
async def test_words_stand_out_by_night_and_in_high_contrast(
    shown: album.Screen, stops: list[Stop], look: str
) -> None:
    await shown.tab.evaluate(Axe().axe_script)
    found: dict[str, Any] = {}
    night = {"from": 0, "until": 24} if look == "night" else {"from": 0, "until": 0}
    shown.aids = ("contrast",) if look == "contrast" else ()
    for stop in one_of_a_kind(stops, ()):
        await shown.show(stop, "zh", night=night)
        assert await shown.tab.evaluate("(name) => document.documentElement.dataset[name]", look) == "yes"
        if said := await complaints(shown, colours=True, rest=False):
            found[stop.name] = said
    assert found == {}


async def complaints(shown: album.Screen, *, colours: bool, rest: bool = True) -> list[str]:
    """What axe finds on the page as it stands: the rule and the element."""
    only = {"type": "tag", "values": WCAG} if rest else {"type": "rule", "values": ["color-contrast"]}
    rules = {} if colours else {"color-contrast": {"enabled": False}}
    options = {"runOnly": only, "rules": rules, "resultTypes": ["violations"], "preload": False}
    result = await shown.tab.evaluate("(options) => axe.run(document, options)", options)
    return [f"{each['id']}: {node['html'][:160]}" for each in result["violations"] for node in each["nodes"]]


async def test_the_tour_leaves_no_screen_out(stops: list[Stop]) -> None:
    assert {screen.value for screen in Screen} == {stop.screen for stop in stops}


async def test_nothing_moves_for_those_who_want_it_still(shown: album.Screen, stops: list[Stop]) -> None:
    (stop,) = [stop for stop in stops if stop.name == "place_urgent"]
    await shown.show(stop, "zh")
    moving = """() => [...document.querySelectorAll("*")].filter((each) => {
      const look = getComputedStyle(each);
      return look.animationName !== "none" || !["0s", ""].includes(look.transitionDuration);
    }).length"""
    assert await shown.tab.evaluate(moving) == 0
    await shown.tab.emulate_media(reduced_motion="no-preference")
    assert await shown.tab.evaluate(moving) > 0


@pytest.mark.parametrize("size", SIZES)
async def test_letters_are_typed_with_fingers_too(
    shown: album.Screen, stops: list[Stop], size: tuple[int, int]
) -> None:
    await shown.sized(size)
    (stop,) = [stop for stop in stops if stop.name == "lost_case"]
    await shown.show(stop, "zh")
    for word, key in ((2, "J"), (0, "X")):
        await shown.tab.locator(".keys .word").nth(word).click()
        await shown.tab.locator(f".keys [data-key={key}]").click()
        target_px = TARGET_MM * PIXELS_A_MM[size[0]] - 1
        assert await shown.tab.evaluate("(target) => tooSmall(target)", target_px) == []
    assert (await shown.tab.locator(".digits").inner_text()).split() == ["J", "X"]
