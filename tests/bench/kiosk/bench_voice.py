"""Whether a step is really spoken: Chromium, speech-dispatcher and espeak-ng, as on the Pi.

ALSA plays into a file here instead of a loudspeaker, faster than anybody listens. What is heard is measured
against espeak-ng's own rendering of the same words: another language, or letters spelt out, last far longer.
"""

import asyncio
import math
import os
import shutil
import struct
import subprocess
import wave
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psutil
import pytest
from playwright.async_api import Page as Tab
from playwright.async_api import async_playwright

from hw_sim.free_port import free_port
from tests.bench.figures import Sheet
from tests.kiosk_ui.page import SETTINGS, Page
from tests.kiosk_ui.served import served
from tests.locker.operations.world import MemoryWorld

ENGINE: Final = "/usr/lib/speech-dispatcher-modules/sd_espeak-ng"
RATE: Final = 22_050
VOICES_S_MAX: Final = 60.0
"""Until a voice is there: espeak-ng hands over 13,000 of them."""
OFF_MAX: Final = 0.25
"""Of the length that the words have: sentences' ends are rendered a little differently."""
LOUD: Final = 500
"""Of 32,767: what nobody would call silence."""
SAID: Final = {
    "zh": ("cmn", 1.3, "五号箱门已打开。放入材料，然后关好箱门。"),
    "en": ("en-gb", 0.95, "Door five is open. Put your papers in, then push the door shut."),
}
"""Espeak's voice, the page's pace, and the words."""
TRIED_S: Final = 8
"""Longer than the page waits for the end of a word that nobody hears."""
DAY: Final = {"from": 0, "until": 0}
SHOW: Final = "async (view) => (await import('/static/kiosk.js')).show(view)"
CHIMED: Final = "Number(document.documentElement.dataset.chimed ?? 0)"
UNTIL_A_VOICE: Final = """(longest_ms) => new Promise((done) => {
  const began = performance.now(), gone = () => performance.now() - began;
  const there = () => document.documentElement.dataset.voice || gone() > longest_ms;
  const look = () => there() ? done(gone()) : setTimeout(look, 100);
  look();
})"""
UNTIL_VOICES: Final = """(longest_ms) => new Promise((done) => {
  const count = () => speechSynthesis.getVoices().length;
  const look = () => count() ? done(count()) : setTimeout(look, 100);
  setTimeout(() => done(0), longest_ms);
  look();
})"""
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--enable-speech-dispatcher",
    "--autoplay-policy=no-user-gesture-required",
]
TO_FILE: Final = """pcm.!default {{
  type plug
  slave.pcm {{ type file file "{heard}" format "raw" slave.pcm "null" }}
}}
ctl.!default {{ type null }}
"""
SPEECHD: Final = """AudioOutputMethod "{method}"
AddModule "espeak-ng" "sd_espeak-ng" "espeak-ng.conf"
DefaultModule espeak-ng
"""

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Room:
    """A home of its own for the browser and its speech; whatever is played there is written down."""

    def __init__(self, folder: Path, method: str) -> None:
        self.heard = folder / "heard.raw"
        (folder / ".asoundrc").write_text(TO_FILE.format(heard=self.heard))
        speech = folder / ".config" / "speech-dispatcher"
        shutil.copytree("/etc/speech-dispatcher", speech)
        (speech / "speechd.conf").write_text(SPEECHD.format(method=method))
        self._folder = folder
        others = {name: value for name, value in os.environ.items() if not name.startswith("PULSE")}
        self.environment: Mapping[str, str] = others | {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}

    def since(self, at: int) -> Sequence[int]:
        data = self.heard.read_bytes()[at:] if self.heard.exists() else b""
        return [each for (each,) in struct.iter_unpack("<h", data[: len(data) // 2 * 2])]

    @property
    def size(self) -> int:
        return self.heard.stat().st_size // 2 * 2 if self.heard.exists() else 0

    def close(self) -> None:
        """Chromium leaves its speech-dispatcher running: it is found by the socket in this room."""
        for each in psutil.process_iter(["cmdline"]):
            if any(str(self._folder) in word for word in each.info["cmdline"] or ()):
                each.kill()  # without a loudspeaker it heeds nothing less


@pytest.fixture
def room(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Room]:
    if not Path(ENGINE).exists() or not shutil.which("espeak-ng"):
        pytest.skip("speech-dispatcher and espeak-ng are not here: .ci/setup --dev brings them")
    made = Room(tmp_path, request.param)
    yield made
    made.close()


@asynccontextmanager
async def kiosk(room: Room, port: int) -> AsyncIterator[tuple[Tab, Page]]:
    """A browser of this room in front of a locker."""
    page = Page(await MemoryWorld.start(), SETTINGS)
    async with async_playwright() as playwright, served(page, port) as address:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            env=dict(room.environment),
            args=ARGUMENTS,
            ignore_default_args=["--mute-audio"],
        )
        tab = await browser.new_page()
        await tab.goto(address)
        yield tab, page
        await browser.close()


@pytest.mark.parametrize("room", ["alsa"], indirect=True)
async def test_steps_are_spoken_in_either_language(room: Room, sheet: Sheet, tmp_path: Path) -> None:
    async with kiosk(room, free_port()) as (tab, page):
        took_ms = await tab.evaluate(UNTIL_A_VOICE, VOICES_S_MAX * 1_000)
        sheet.at_most(
            "page → a voice that is heard", took_ms / 1_000, "s", VOICES_S_MAX, "until then two notes"
        )
        for place, (language, (voice, pace, words)) in enumerate(SAID.items()):
            long_s, loud = await spoken(tab, page, room, language, words, rev=20_000 + place)
            wanted_s = rendered_s(tmp_path, voice, pace, words)
            note = f"{long_s:.1f} s heard, {wanted_s:.1f} s as espeak-ng says it"
            sheet.at_most(f"spoken, {language}: length off by", abs(long_s / wanted_s - 1), "", OFF_MAX, note)
            assert loud > LOUD, f"{language}: as good as silence"
        assert await tab.evaluate(CHIMED) == 0


@pytest.mark.parametrize("room", ["pulse"], indirect=True)
async def test_an_engine_without_a_loudspeaker_leaves_the_chime(room: Room, sheet: Sheet) -> None:
    """As speech-dispatcher is on a machine without a sound server, unless it is told otherwise."""
    async with kiosk(room, free_port()) as (tab, page):
        voices = await tab.evaluate(UNTIL_VOICES, VOICES_S_MAX * 1_000)
        assert voices > 0
        assert await tab.evaluate(UNTIL_A_VOICE, TRIED_S * 1_000) >= TRIED_S * 1_000
        view = {
            **await page.view(),
            "visit": "v",
            "stage": "scan",
            "title": "one",
            "rev": 20_000,
            "night": DAY,
        }
        await tab.evaluate(SHOW, view)
        sheet.tells("voices of an engine that is never heard", voices, "", "the page chimes")
        assert await tab.evaluate(CHIMED) == 1
    assert room.size == 0


async def spoken(
    tab: Tab, page: Page, room: Room, language: str, words: str, rev: int
) -> tuple[float, float]:
    """Seconds of sound at a page with these words, and how loud they are."""
    before, at = room.size, -1
    changes = {"visit": "v", "stage": "scan", "title": words, "lead": "", "lang": language, "rev": rev}
    await tab.evaluate(SHOW, {**await page.view(), **changes, "night": DAY})
    while at != room.size or at == before:
        at = room.size
        await asyncio.sleep(1.0)  # noqa: TID251  # real processes play in real time
    sound = room.since(before)
    return len(sound) / RATE, math.sqrt(sum(each * each for each in sound) / len(sound))


def rendered_s(folder: Path, voice: str, pace: float, words: str) -> float:
    """How long espeak-ng takes for the words at this pace."""
    path = folder / "rendered.wav"
    # As Chromium and speech-dispatcher turn a pace into words a minute.
    minute = round(175 * pace)
    subprocess.run(["espeak-ng", "-v", voice, "-s", str(minute), "-w", str(path), words], check=True)
    with wave.open(str(path)) as sound:
        return float(sound.getnframes() / sound.getframerate())
