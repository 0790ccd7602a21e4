"""The hub's pages over some parts, on loopback for a real browser; somebody who may do everything there."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from playwright.async_api import Page

from sync.central.access.actor import Role
from sync.central.access.settings import Access
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts

NAME: Final = "operator"
AWAKE_S: Final = 15
WAIT_MS: Final = 15_000


@contextmanager
def served(parts: Parts, port: int, settings: Access = people.EASY) -> Iterator[str]:
    """The address. The pages run in a thread of their own: the browser's end is never in their way."""
    people.add(parts, NAME, set(Role) - {Role.INTEGRATOR})
    app = people.whole(parts, people.entrance(parts, settings))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    patience = time.monotonic() + AWAKE_S
    while not server.started and time.monotonic() < patience:
        time.sleep(0.01)  # noqa: TID251  # a thread's own waiting
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


async def sign_in(page: Page, address: str) -> None:
    await page.goto(f"{address}/console/login")
    await page.fill("#name", NAME)
    await page.fill("#password", people.PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_selector("header form button", timeout=WAIT_MS)
