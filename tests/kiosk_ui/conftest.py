"""A kiosk for each test."""

from collections.abc import AsyncIterator

import pytest

from kiosk_ui.view import Settings
from tests.kiosk_ui.page import SETTINGS, Page, Start
from tests.locker.operations.world import MemoryWorld


@pytest.fixture
async def pages() -> AsyncIterator[Start]:
    """Call it for a page over a fresh locker: ``await pages(item_sensors=False)``."""
    made: list[Page] = []

    async def start(*, item_sensors: bool = True, settings: Settings = SETTINGS) -> Page:
        page = Page(await MemoryWorld.start(item_sensors=item_sensors), settings)
        made.append(page)
        return page

    yield start
    for page in made:
        await page.close()


@pytest.fixture
async def page(pages: Start) -> Page:
    """A page over a locker with item sensors."""
    return await pages()
