"""Takes the README's pictures from the running product: ``python -m tests.browser.pictures``."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from hw_sim.people import Hands, Office, Phone, Visitor, doors_seen, until
from hw_sim.stack import LOCKER, OPERATOR, Ports, Stack

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
PIN = "246810"
NUMBER = "13812345678"
KIOSK = {"width": 1280, "height": 800}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
ARGUMENTS += ["--disable-component-update", "--no-first-run", "--disable-quic"]


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        stack = Stack(Path(scratch) / "state", Ports.chosen(preferred=True))
        try:
            stack.start()
            with _pages(stack) as (kiosk, cabinet, console):
                _play(stack, kiosk, cabinet, console)
        finally:
            stack.stop()


@contextmanager
def _pages(stack: Stack) -> Iterator[tuple[Page, Page, Page]]:
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        kiosk = browser.new_page(viewport=KIOSK)  # type: ignore[arg-type]  # a plain dict of its two fields
        cabinet = browser.new_page(viewport={"width": 1280, "height": 900})
        console = browser.new_page(viewport={"width": 1280, "height": 860})
        kiosk.goto(stack.kiosk_url)
        cabinet.goto(stack.panel_url)
        yield kiosk, cabinet, console
        browser.close()


def _play(stack: Stack, kiosk: Page, cabinet: Page, console: Page) -> None:
    office, phone, hands, visitor = Office(stack), Phone(stack), Hands(stack), Visitor(stack)
    until("every door is seen", lambda: doors_seen(stack))
    office.enrol("helper-1", "赵敏", PIN)
    for case in ("SP-2026-0117", "SP-2026-0118"):
        office.pre_review(case, "张伟", NUMBER)
    first = phone.awaits(NUMBER, "drop_off_code", "SP-2026-0117")["variables"]["typed"]
    second = phone.awaits(NUMBER, "drop_off_code", "SP-2026-0118")["variables"]["typed"]
    _shoot(kiosk, "kiosk-home")
    visitor.types(first)
    visitor.presses("open")
    hands.put_and_shut(int(visitor.sees("place")["door"]))
    visitor.sees("receipt")
    _shoot(kiosk, "kiosk-receipt")
    visitor.presses("leave")
    visitor.presses("language", lang="en")
    visitor.types(second)
    visitor.presses("open")
    door = int(visitor.sees("place")["door"])
    _shoot(kiosk, "kiosk-door-open")
    _shoot(cabinet, "cabinet")
    hands.put_and_shut(door)
    visitor.sees("receipt")
    console.goto(stack.hub_url)
    console.fill("#name", OPERATOR)
    console.fill("#password", stack.operator_password)
    console.keyboard.press("Enter")
    console.wait_for_selector("a[href='/console/cases']")
    console.goto(f"{stack.hub_url}/console/language?to=en&next=/console/lockers/{LOCKER}")
    _shoot(console, "console-locker")


def _shoot(page: Page, name: str) -> None:
    page.bring_to_front()
    page.wait_for_timeout(1_200)
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
