"""Draws every page, in both languages and on both screens: ``python -m tests.kiosk_ui.pictures DIR``."""

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Final

from playwright.async_api import async_playwright

from hw_sim.free_port import free_port
from kiosk_ui.texts import LANGUAGES
from tests.kiosk_ui.album import SIZES, album, screen

ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


async def draw(folder: Path, only: str) -> int:
    """Writes ``part-page-language-width.png``; how many."""
    stops = [stop for stop in await album() if only in f"{stop.part}-{stop.name}"]
    async with async_playwright() as playwright:
        path = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        async with screen(browser, free_port()) as shown:
            for size in SIZES:
                await shown.sized(size)
                for stop in stops:
                    for language in LANGUAGES:
                        await shown.show(stop, language)
                        name = f"{stop.part}-{stop.name}-{language}-{size[0]}.png"
                        await shown.tab.screenshot(path=folder / name)
        await browser.close()
    return len(stops) * len(SIZES) * len(LANGUAGES)


def main() -> None:
    folder, only = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{asyncio.run(draw(folder, only))} pictures in {folder}")


if __name__ == "__main__":
    main()
