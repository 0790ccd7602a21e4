"""Takes the console's pictures for docs/console.md: ``python -m tests.sync.central.roles.pictures``."""

import asyncio
import io
import shutil
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Page, async_playwright

from hw_sim.free_port import free_port
from tests.sync.central.roles.city import City, lived
from tests.sync.central.served import served, sign_in

FOLDER: Final = Path(__file__).parents[4] / "docs" / "pictures"
VIEW: Final = {"width": 1280, "height": 800}
COLOURS: Final = 256
BYTES_MAX: Final = 80 * 1024
SHOWN: Final = (
    ("fleet", "zh", ""),
    ("fleet", "en", ""),
    ("locker", "zh", "/lockers/hall-1"),
    ("acts", "en", "/acts"),
    ("case", "zh", "case"),
    ("case", "en", "case"),
    ("supplement", "zh", "supplement"),
    ("slip", "en", "slip"),
    ("complaint", "zh", "complaint"),
    ("custody", "zh", "/custody"),
    ("label", "zh", "label"),
    ("access", "zh", "/access"),
)
"""A picture, its language, and a path or the name of one."""


async def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        city = await lived(Path(scratch) / "central.sqlite")
        with served(city.parts, free_port()) as address:
            await _shoot(city, address)
        city.parts.store.close()


async def _shoot(city: City, address: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport=VIEW)  # type: ignore[arg-type]  # a plain dict of its two fields
        await sign_in(page, address)
        for name, language, where in SHOWN:
            path = city.paths.get(where, where)
            await page.goto(f"{address}/console/language?to={language}&next=/console/own")
            await page.goto(f"{address}/console{path}")
            await _keep(page, f"console-{name}-{language}")
        await browser.close()


async def _keep(page: Page, name: str) -> None:
    """With few colours: it is a page, not a photograph."""
    await page.wait_for_load_state("networkidle" if "fleet" not in name else "load")
    shot = Image.open(io.BytesIO(await page.screenshot()))
    path = FOLDER / f"{name}.png"
    shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > BYTES_MAX:
        raise SystemExit(f"{path.name}: {path.stat().st_size} bytes, {BYTES_MAX} are enough")


if __name__ == "__main__":
    asyncio.run(main())
