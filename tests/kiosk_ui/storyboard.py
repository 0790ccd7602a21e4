"""Writes docs/kiosk.md from the tables of screens and words: ``python -m tests.kiosk_ui.storyboard``.

With ``words`` after it, the pictures are left as they are.
"""

import asyncio
import io
import shutil
import sys
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import async_playwright

from hw_sim.free_port import free_port
from kiosk_ui import texts
from kiosk_ui.course import WAYS
from kiosk_ui.names import Screen
from kiosk_ui.offers import ACTS, TAKES_CODES
from kiosk_ui.stages import STAGES
from tests.kiosk_ui.album import LANDSCAPE, PORTRAIT, Stop, album, screen
from tests.kiosk_ui.pictures import ARGUMENTS

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = DOCS / "kiosk.md"
HEIGHT: Final = 300
"""Of each picture, in pixels: the four of a screen stand side by side."""
GAP: Final = 6
FOUR: Final = (("zh", LANDSCAPE), ("en", LANDSCAPE), ("zh", PORTRAIT), ("en", PORTRAIT))
STAGE_SAID: Final = {
    "keypad": "the keypad",
    "cabinet": "the cabinet, their door lit",
    "papers": "the list of papers",
    "receipt": "the receipt and its code",
    "slip": "what was taken, and the code of the slip",
    "done": "a sign: done",
    "scan": "a sign: scan",
    "alert": "a sign: something is wrong",
    "tiles": "large buttons",
    "rows": "a row for each door",
    "service": "the machine's figures",
}
BEFORE: Final = (DOCS.parent / "tests" / "kiosk_ui" / "storyboard_head.md").read_text(encoding="utf-8")


def page() -> str:
    """docs/kiosk.md as it should be."""
    words = texts.load_all()
    parts = [BEFORE.rstrip(), "", "## The ways", ""]
    for way, steps in WAYS.items():
        told = " → ".join(words["en"].entries[f"course.{step}"] for step in steps)
        parts.append(f"- `{way}`: {told}")
    parts += [
        "",
        "## The screens",
        "",
        "Each in Chinese and English, on the wide screen and on the upright one.",
        "",
    ]
    for each in Screen:
        parts += _screen(each, words)
    return "\n".join(parts).rstrip() + "\n"


def _screen(each: Screen, words: dict[str, texts.Texts]) -> list[str]:
    zh, en = (words[language].entries for language in ("zh", "en"))
    key = f"screen.{each.value}"
    acts = ", ".join(act.value.replace("_", " ") for act in ACTS[each]) or "none"
    follows = en.get(f"next.{each.value}", "")
    lines = [
        f"### `{each.value}`",
        "",
        f"**{zh[f'{key}.title']}** · **{en[f'{key}.title']}**  ",
        f"{zh[f'{key}.lead']} · {en[f'{key}.lead']}",
        "",
        f"Picture: {STAGE_SAID[STAGES.get(each, 'cabinet')]}. Acts: {acts}."
        + (f" Next: {follows}." if follows else "")
        + (" A code is heard." if each in TAKES_CODES else ""),
        "",
    ]
    return [*lines, f"![{each.value}](pictures/kiosk-{each.value}.webp)", ""]


async def draw(stops: list[Stop], folder: Path) -> int:
    """One picture a screen; their bytes in all."""
    first = {stop.screen: stop for stop in reversed(stops)}
    shots: dict[str, list[bytes]] = {name: [] for name in first}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        async with screen(browser, free_port()) as shown:
            for language, size in FOUR:
                await shown.sized(size)
                for name, stop in first.items():
                    await shown.show(stop, language)
                    shots[name].append(await shown.tab.screenshot())
        await browser.close()
    return sum(_written(folder / f"kiosk-{name}.webp", four) for name, four in shots.items())


def _written(path: Path, four: list[bytes]) -> int:
    images = [Image.open(io.BytesIO(each)).convert("RGB") for each in four]
    small = [
        each.resize((each.width * HEIGHT // each.height, HEIGHT), Image.Resampling.LANCZOS) for each in images
    ]
    sheet = Image.new("RGB", (sum(each.width + GAP for each in small) - GAP, HEIGHT), "#888")
    left = 0
    for each in small:
        sheet.paste(each, (left, 0))
        left += each.width + GAP
    sheet.save(path, "WEBP", quality=70, method=6)
    return path.stat().st_size


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    if sys.argv[1:] == ["words"]:
        return
    size = asyncio.run(_all())
    print(f"{PAGE} and its pictures, {size / 1024:.0f} KB")


async def _all() -> int:
    return await draw(await album(), DOCS / "pictures")


if __name__ == "__main__":
    main()
