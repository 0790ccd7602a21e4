"""The kiosk served on loopback for a real browser, over a locker whose doors and time the test holds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio
import uvicorn

from tests.kiosk_ui.page import Page
from tests.locker.operations.world import MemoryWorld

Serve = Callable[..., Awaitable[tuple[Page, str]]]


class Server(uvicorn.Server):
    """Says when it listens; leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # no sockets here
        del sockets
        await super().startup()
        self.listening.set()


@pytest_asyncio.fixture(loop_scope="module")
async def serve(free_port: Callable[[], int]) -> AsyncIterator[Serve]:
    """Call it for a page over a fresh locker and the address it is served at."""
    running: list[tuple[Page, Server, asyncio.Task[None]]] = []

    async def start(*, item_sensors: bool = True, live: bool = False) -> tuple[Page, str]:
        page = Page(await MemoryWorld.start(item_sensors=item_sensors), live=live)
        port = free_port()
        config = uvicorn.Config(page.asgi, port=port, log_config=None, lifespan="off", interface="asgi3")
        server = Server(config)
        task = asyncio.create_task(server._serve())
        running.append((page, server, task))
        await asyncio.wait_for(server.listening.wait(), 60)
        return page, f"http://127.0.0.1:{port}/"

    yield start
    for page, server, task in running:
        await page.close()
        server.should_exit = True
        await asyncio.wait_for(task, 60)
