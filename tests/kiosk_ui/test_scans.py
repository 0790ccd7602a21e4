"""What a serial scanner read is as good as what the page was shown, wherever a code is heard."""

import asyncio
import logging

import pytest

from kiosk_ui import scans
from locker.domain.events import MainsLost
from locker.domain.tokens import TokenPurpose
from locker.operations.ports import Decided
from tests.kiosk_ui.page import Page


async def test_a_scan_begins_a_visit(page: Page) -> None:
    await scans.show(page.kiosk, page.world.token("auth-C-9", TokenPurpose.DROP_OFF, case="C-9"))
    assert (await page.view())["screen"] == "offer"


async def test_an_unknown_scan_is_refused_as_any_other(page: Page) -> None:
    await scans.show(page.kiosk, "1" + "7" * 40)
    view = await page.view()
    assert (view["screen"], view["refused"]["reason"]) == ("problem", "code_not_accepted")


async def test_in_the_middle_of_a_visit_nobody_held_it_there(
    page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await page.code(typed=await page.world.grant())
    before = await page.act("open")
    other = page.world.token("auth-C-9", TokenPurpose.DROP_OFF, case="C-9")
    await scans.show(page.kiosk, other)
    after = await page.view()
    assert (after["screen"], after["visit"]) == ("place", before["visit"])
    assert "a scan came while the screen was place" in caplog.text
    assert other not in caplog.text


async def test_a_scanner_is_told_when_a_code_is_heard(page: Page) -> None:
    told = scans.hearing(page.kiosk)

    async def wanted() -> bool:
        return await asyncio.wait_for(anext(told), 5)

    assert await wanted()
    await page.code(typed=await page.world.grant())
    assert await wanted()
    view = await page.act("open")
    assert not await wanted()
    page.world.hands.put(view["door"])
    await page.shut(view["door"])
    assert await wanted()
    page.kiosk.close()
    assert [each async for each in told] == []


async def test_while_the_mains_are_gone_the_page_says_so_before_and_after_a_code(page: Page) -> None:
    await page.world.journal.commit("sensor", lambda _: Decided(None, (MainsLost(),)))
    home = await page.view()
    assert len(home["notices"]) == 1
    await scans.show(page.kiosk, page.world.token("auth-C-9", TokenPurpose.DROP_OFF, case="C-9"))
    view = await page.act("open")
    assert (view["screen"], view["refused"]["reason"]) == ("problem", "power_failing")
    assert page.world.hands.pulses == []
