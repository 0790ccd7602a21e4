"""From the start of `lockerd`'s process until somebody sees its first page: the real program, a real browser.

Three parts. What `lockerd` takes until it tells systemd that it is ready; what the page takes from there in a
browser that runs already; and what a browser takes that is started only then, as `locker-kiosk.service` does.
"""

import os
import shutil
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, ViewportSize
from playwright.async_api import Page as Tab

from tests.bench.figures import Sheet
from tests.bench.locker.installation import PATIENCE_S, Installation
from tests.processes.supervisor import in_environment

STARTS: Final = 5
PAST: Final = 20_000
"""Entries: about two weeks of a busy locker."""
READY_S_MAX: Final = 2.0
FIRST_PAGE_S_MAX: Final = 1.0
SCREEN: Final = ViewportSize(width=1280, height=800)
PAINTED: Final = """() => new Promise((done) => {
  const look = () => document.querySelector(".digits")?.offsetParent
    ? requestAnimationFrame(() => requestAnimationFrame(done)) : requestAnimationFrame(look);
  look();
})"""
"""The keypad is there, and a frame with it has been shown."""

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("kiosk") / "state")
    try:
        made.build()
        made.lengthen(PAST)
        yield made
    finally:
        made.close()


async def test_the_first_page_after_a_start(
    installation: Installation, browser: Browser, sheet: Sheet, tmp_path: Path
) -> None:
    ready, painted, opened, busy = list[float](), list[float](), list[float](), list[float]()
    for number in range(STARTS):
        tab = await browser.new_page(viewport=SCREEN)
        took_s = started(installation, tmp_path / f"{number}.sock")
        ready.append(took_s)
        spent = installation.process.cpu_times()
        busy.append(spent.user + spent.system)
        painted.append(await until_painted(tab, installation.stack.kiosk_url))
        opened.append(await in_a_new_browser(browser, installation.stack.kiosk_url))
        await tab.context.close()
        installation.stop_locker()
    whole = [start + page for start, page in zip(ready, painted, strict=True)]
    note = f"median of {STARTS}, {min(ready):.2f} to {max(ready):.2f}; {PAST:,} entries in the journal"
    sheet.at_most("lockerd start → ready", statistics.median(ready), "s", READY_S_MAX, note)
    sheet.tells(
        "  of that a core's time, median", statistics.median(busy), "s", "what is above it, others had"
    )
    note = f"median {statistics.median(painted):.2f}; keypad painted in a browser that waits"
    sheet.at_most("lockerd ready → first page, slowest", max(painted), "s", FIRST_PAGE_S_MAX, note)
    sheet.tells(
        "lockerd start → first page, slowest", max(whole), "s", f"median {statistics.median(whole):.2f}"
    )
    note = f"median {statistics.median(opened):.2f}; its process, its window, the page"
    sheet.tells("a browser's start → first page, slowest", max(opened), "s", note)


def started(installation: Installation, path: Path) -> float:
    """Seconds from the process's start until it says READY=1, as systemd hears it."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as ear:
        ear.bind(str(path))
        ear.settimeout(PATIENCE_S)
        with in_environment(NOTIFY_SOCKET=str(path)):
            began_s = installation.start_locker()
        while b"READY=1" not in ear.recv(4_096):
            pass
        return time.monotonic() - began_s


async def until_painted(tab: Tab, address: str) -> float:
    began_s = time.monotonic()
    await tab.goto(address, wait_until="commit")
    await tab.evaluate(PAINTED)
    return time.monotonic() - began_s


async def in_a_new_browser(like: Browser, address: str) -> float:
    """The same program, with a profile that is new, as after each start of the service."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    words = ["--no-sandbox"] if os.geteuid() == 0 else []
    began_s = time.monotonic()
    fresh = await like.browser_type.launch(
        executable_path=path, args=["--disable-gpu", "--no-first-run", *words]
    )
    try:
        await until_painted(await fresh.new_page(viewport=SCREEN), address)
        return time.monotonic() - began_s
    finally:
        await fresh.close()
