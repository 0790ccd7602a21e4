"""The kiosk served on loopback for a real browser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvicorn

from tests.kiosk_ui.page import Page

PATIENCE_S: Final = 60


class Server(uvicorn.Server):
    """Says when it listens; leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # no sockets here
        del sockets
        await super().startup()
        self.listening.set()


@asynccontextmanager
async def served(page: Page, port: int) -> AsyncIterator[str]:
    """The address at which a browser finds this kiosk."""
    config = uvicorn.Config(page.asgi, port=port, log_config=None, lifespan="off", interface="asgi3")
    server = Server(config)
    task = asyncio.create_task(server._serve())
    await asyncio.wait_for(server.listening.wait(), PATIENCE_S)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await page.close()
        server.should_exit = True
        await asyncio.wait_for(task, PATIENCE_S)
