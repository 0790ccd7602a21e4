"""The kiosk served on loopback for a real browser, over a locker whose doors and time the test holds."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest_asyncio

from hw_sim.free_port import free_port
from tests.kiosk_ui.page import Page
from tests.kiosk_ui.served import served
from tests.locker.operations.world import MemoryWorld

Serve = Callable[..., Awaitable[tuple[Page, str]]]


@pytest_asyncio.fixture(loop_scope="session")
async def serve() -> AsyncIterator[Serve]:
    """Call it for a page over a fresh locker and the address it is served at."""
    async with AsyncExitStack() as running:

        async def start(*, item_sensors: bool = True, live: bool = False) -> tuple[Page, str]:
            page = Page(await MemoryWorld.start(item_sensors=item_sensors), live=live)
            return page, await running.enter_async_context(served(page, free_port()))

        yield start
