"""A door opened from afar: whoever stands there is told, and it is never taken for their visit."""

from locker.domain.acts import ActOrder
from locker.domain.ids import ActId, CompartmentNumber
from locker.operations.acts import Acts, Taken
from locker.operations.self_tester import SelfTester
from tests.kiosk_ui.page import Page

OTHER = CompartmentNumber(16)


async def opens(page: Page, aseq: int = 1, door: CompartmentNumber = OTHER) -> Taken:
    m = page.world
    order = ActOrder(
        aseq, ActId(f"a{aseq}"), "open", door, "why", ("x", "y"), "ab" * 16, m.clock.wall_ms(), 120_000
    )
    taken = await Acts(m.world, SelfTester(m.world, tuple, {})).take(order, m.clock.mono_ms(), doubted=False)
    await m.settle()
    return taken


async def test_the_home_page_says_what_goes_on(page: Page) -> None:
    assert await opens(page) is Taken.ACCEPTED
    view = await page.view()
    assert (view["screen"], view["visit"]) == ("home", "")
    assert any("16" in text and "远程" in text for text in view["notices"])
    await page.shut(OTHER)
    assert (await page.view())["notices"] == []


async def test_a_visit_goes_on_as_its_own(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    assert await opens(page) is Taken.ACCEPTED
    view = await page.view()
    assert (view["screen"], view["door"]) == ("offer", None)
    assert any("16" in text for text in view["notices"])
    view = await page.act("open")
    assert view["screen"] == "place"
    assert view["door"] != OTHER
    assert await opens(page, 2, CompartmentNumber(view["door"])) is Taken.REFUSED
    await page.shut(OTHER)
    assert (await page.view())["screen"] == "place"
