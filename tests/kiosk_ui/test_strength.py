"""The page holds: storms of taps, restarts, reloads, a cut stream; nobody gets out, nothing stays on it.

One browser, one server; each test takes a fresh locker behind it.
"""

import json
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.async_api import Browser, expect
from playwright.async_api import Page as Tab

from hw_sim.free_port import free_port
from tests.kiosk_ui.page import SETTINGS, Page
from tests.kiosk_ui.served import served
from tests.locker.operations.world import MemoryWorld

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
WAIT_MS: Final = 15_000
STORM: Final = """async ([count, gap_ms]) => {
  for (let n = 0; n < count; n++) {
    const all = [...document.querySelectorAll("button:not(:disabled)")].filter((each) => each.offsetParent);
    all[(n * 7919) % all.length]?.click();
    await new Promise((done) => setTimeout(done, gap_ms));
  }
}"""
"""Taps all over the page, in an order that is always the same."""
LATER: Final = "(ms) => { const now = performance.now; performance.now = () => now.call(performance) + ms; }"


class Stand:
    """A tab in front of a kiosk."""

    def __init__(self, tab: Tab, page: Page, address: str) -> None:
        self.tab, self.page, self.address = tab, page, address
        self.complaints: list[str] = []
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def sees(self, screen: str) -> None:
        await expect(self.tab.locator("body")).to_have_attribute("data-screen", screen, timeout=WAIT_MS)

    async def opens(self) -> int:
        """Drops off as far as the open door."""
        await self.tab.keyboard.type(await self.page.world.grant("JX2026-004217"))
        await self.sees("offer")
        await self.tab.keyboard.press("Enter")
        await self.sees("place")
        return int((await self.page.view())["door"])


@pytest_asyncio.fixture(loop_scope="session")
async def stand(browser: Browser) -> AsyncIterator[Stand]:
    page = Page(await MemoryWorld.start(), SETTINGS, live=True)
    async with served(page, free_port()) as address:
        tab = await browser.new_page(viewport={"width": 1280, "height": 800})
        here = Stand(tab, page, address)
        await tab.goto(address)
        await expect(tab.locator(".digits")).to_be_visible(timeout=WAIT_MS)
        yield here
        assert here.complaints == []
        await tab.context.close()


async def test_fifty_taps_a_second_open_one_door_at_most(stand: Stand) -> None:
    await stand.tab.keyboard.type(await stand.page.world.grant())
    await stand.sees("offer")
    await stand.tab.evaluate(
        """async () => { for (let n = 0; n < 50; n++) {
          document.querySelector("[data-act=open]")?.click();
          await new Promise((done) => setTimeout(done, 20));
        } }"""
    )
    await stand.sees("place")
    assert len(stand.page.world.hands.pulses) == 1
    await stand.tab.evaluate(STORM, [50, 20])
    assert len(stand.page.world.hands.pulses) == 1
    assert (await stand.page.view())["screen"] in {
        "place",
        "not_empty",
        "help_what",
        "help_phone",
        "help_sent",
    }


async def test_a_reload_comes_back_to_the_true_state_and_keeps_the_aids(stand: Stand) -> None:
    await stand.tab.keyboard.type(await stand.page.world.grant("JX2026-004217"))
    await stand.sees("offer")
    await stand.tab.reload()
    await stand.sees("offer")
    await stand.tab.keyboard.press("Enter")
    await stand.sees("place")
    door = int((await stand.page.view())["door"])
    await stand.tab.click("#contrast")
    await stand.tab.click("[data-act=help]")
    await stand.sees("help_what")
    await stand.tab.reload()
    await stand.sees("help_what")
    await stand.tab.click("[data-act=sheet_back]")
    await stand.sees("place")
    assert await stand.tab.locator(".cabinet .mine text").text_content() == str(door)
    assert await stand.tab.get_attribute("html", "data-contrast") == "yes"
    stand.page.world.hands.put(door)
    stand.page.world.hands.shut(door)
    await stand.sees("receipt")
    await stand.tab.reload()
    await stand.sees("receipt")
    await stand.tab.click("[data-act=leave]")
    await stand.sees("home")
    assert await stand.tab.get_attribute("html", "data-contrast") == "no"


async def test_a_press_on_the_page_of_an_earlier_start_does_nothing(stand: Stand) -> None:
    await stand.opens()
    boot = stand.page.app.state.boot
    await stand.page.restart()
    answer = await stand.page.http.post("/api/act", json={"act": "not_empty"}, headers={"x-kiosk-boot": boot})
    assert (answer.status_code, answer.json()["reason"]) == (409, "other_boot")
    # The first press may find the page still on the earlier start; it brings the new one.
    for _ in range(2):
        await stand.tab.locator("[data-act=not_empty]").click(timeout=5_000)
        if await stand.tab.evaluate("document.body.dataset.screen") != "place":
            break
        await expect(stand.tab.locator("#offline")).to_be_hidden()
    await stand.sees("not_empty")


async def test_a_stream_that_is_cut_is_said_covers_the_visit_in_time_and_comes_back(stand: Stand) -> None:
    await stand.opens()
    await stand.tab.context.set_offline(True)
    stand.page.kiosk.close()
    await expect(stand.tab.locator("#offline")).to_be_visible(timeout=WAIT_MS)
    assert await stand.tab.locator("#title").is_visible()
    await stand.tab.evaluate(LATER, 91_000)
    await expect(stand.tab.locator("#title")).to_be_hidden()
    assert await stand.tab.locator("#offline").is_visible()
    await stand.page.restart()
    await stand.tab.context.set_offline(False)
    await expect(stand.tab.locator("#offline")).to_be_hidden(timeout=WAIT_MS)
    await expect(stand.tab.locator("#title")).to_be_visible()
    await stand.sees("place")


async def test_a_code_typed_while_another_is_checked_waits_or_goes(stand: Stand) -> None:
    first, second = await stand.page.world.grant("C-1"), await stand.page.world.grant("C-2")
    async with stand.page.kiosk._one_at_a_time:
        await stand.tab.keyboard.type(first)
        await expect(stand.tab.locator(".digits.busy")).to_have_count(1)
        await stand.tab.keyboard.type(second)
    await stand.sees("offer")
    await expect(stand.tab.locator("#facts")).to_contain_text("C-1")
    assert stand.page.world.hands.pulses == []


async def test_any_digit_can_be_put_right(stand: Stand) -> None:
    code = await stand.page.world.grant()
    slip = code[:4] + str((int(code[4]) + 1) % 10) + code[5:]
    await stand.tab.keyboard.type(slip)
    await expect(stand.tab.locator(".digits.slip")).to_have_count(1)
    await stand.tab.locator(".digits button").nth(4).click()
    await stand.tab.locator(f".keys [data-key='{code[4]}']").click()
    await stand.sees("offer")


async def test_half_a_code_left_behind_goes_by_itself(stand: Stand) -> None:
    await stand.tab.keyboard.type("12345")
    await expect(stand.tab.locator(".digits .filled")).to_have_count(5)
    await stand.tab.evaluate(LATER, 31_000)
    await expect(stand.tab.locator(".digits .filled")).to_have_count(0)


async def test_nothing_personal_is_left_after_leaving(stand: Stand) -> None:
    door = await stand.opens()
    stand.page.world.hands.put(door)
    stand.page.world.hands.shut(door)
    await stand.sees("receipt")
    await expect(stand.tab.locator("#facts")).to_contain_text("张*")
    receipt = next(iter(stand.page.world.journal.state.deposits.values())).receipt
    await stand.tab.click("[data-act=leave]")
    await stand.sees("home")
    left = await stand.tab.evaluate(
        "document.documentElement.outerHTML + JSON.stringify({...sessionStorage})"
    )
    for word in ("张", "JX20", "Food licence", "application form", receipt):
        assert word not in left


async def test_there_is_no_way_out_of_the_page(stand: Stand) -> None:
    stopped = await stand.tab.evaluate(
        """() => Object.fromEntries([
          new MouseEvent("contextmenu"), new DragEvent("dragstart"), new DragEvent("drop"),
          new Event("selectstart"), new KeyboardEvent("keydown", { key: "F12" }),
          new WheelEvent("wheel", { ctrlKey: true }),
          new KeyboardEvent("keydown", { key: "+", ctrlKey: true }),
          new KeyboardEvent("keydown", { key: "ArrowLeft", altKey: true }),
        ].map((made, place) => {
          const event = new made.constructor(made.type, { ...pick(made), bubbles: true, cancelable: true });
          return [`${made.type}${place}`, !document.getElementById("title").dispatchEvent(event)];
          function pick({ key, ctrlKey, altKey }) { return { key, ctrlKey, altKey }; }
        }))"""
    )
    assert set(stopped.values()) == {True}, stopped
    assert await stand.tab.locator("a, iframe, object, embed").count() == 0
    hosts: list[str] = []
    stand.tab.on("request", lambda request: hosts.append(request.url))
    blocked = await stand.tab.evaluate(
        """async () => {
          const tries = [
            () => fetch("http://127.0.0.1:9/"),
            () => { document.createElement("script").textContent = "window.out = 1"; },
            () => { document.body.insertAdjacentHTML("beforeend", "<p>x"); },
          ];
          const fails = async (each) => { try { await each(); return false; } catch { return true; } };
          return Promise.all(tries.map(fails));
        }"""
    )
    assert blocked == [True, True, True]
    assert {url for url in hosts if not url.startswith(stand.address)} <= {"http://127.0.0.1:9/"}


async def test_the_keyboard_alone_goes_everywhere_and_is_seen(stand: Stand) -> None:
    await stand.opens()
    seen: list[str] = []
    for _ in range(8):
        await stand.tab.keyboard.press("Tab")
        seen.append(
            await stand.tab.evaluate(
                """() => { const at = document.activeElement, look = getComputedStyle(at);
                  const name = at.id || at.dataset.act || at.tagName;
                  return `${name} ${look.outlineStyle} ${parseFloat(look.outlineWidth) >= 3}`; }"""
            )
        )
    order = [each.split()[0] for each in seen]
    assert order[:6] == ["not_empty", "help", "speak", "large", "contrast", "language"]
    assert all(each.endswith("solid true") for each in seen[:6])
    await stand.page.later(61_000)


ENGINE: Final = """(() => {
  const said = [];
  const voice = (name, lang, localService = true) => ({ name, lang, localService });
  const voices = [voice("Cantonese", "yue"), voice("Hong Kong", "zh-HK"), voice("Mandarin+Robot", "cmn"),
    voice("Mandarin", "cmn"), voice("of a server", "en-GB", false), voice("English", "en-US")];
  const engine = Object.assign(new EventTarget(), {
    said, way: "__WAY__", getVoices: () => voices, cancel() {},
    speak(one) {
      if (engine.way === "mute") { setTimeout(() => one.onstart?.()); return; }
      if (engine.way === "breaks") { setTimeout(() => one.onerror?.({ error: "audio-busy" })); return; }
      said.push([one.voice.name, one.text]);
      setTimeout(() => { one.onstart?.(); one.onend?.(); });
    },
  });
  Object.defineProperty(window, "speechSynthesis", { value: engine, configurable: true });
  window.SpeechSynthesisUtterance = function (text) { this.text = text; };
})();"""
"""An engine as espeak's is to the page: many voices, none of which is called "zh"."""
CHIMES: Final = "Number(document.documentElement.dataset.chimed ?? 0)"


class Ear:
    """Puts pages before whoever listens."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._rev = 10_000

    async def begins(self, way: str = "") -> None:
        if way:
            await self._stand.tab.add_init_script(ENGINE.replace("__WAY__", way))
            await self._stand.tab.reload()
        await self._stand.tab.evaluate(
            "async () => { window.put = (await import('/static/kiosk.js')).show; }"
        )
        if way:
            await self._stand.tab.evaluate("speechSynthesis.dispatchEvent(new Event('voiceschanged'))")

    async def chimes_at(self, title: str, night: bool = False, lang: str = "zh") -> int:
        """How often two notes sound at a page of a visit."""
        self._rev += 1
        hours = {"from": 0, "until": 24 if night else 0}
        changes = {"visit": "v", "screen": "place", "stage": "scan", "title": title, "lead": "", "lang": lang}
        view = {**await self._stand.page.view(), **changes, "night": hours, "rev": self._rev}
        before = await self._stand.tab.evaluate(CHIMES)
        await self._stand.tab.evaluate("(view) => put(view)", view)
        await self._stand.tab.evaluate("new Promise((done) => setTimeout(done, 20))")
        return int(await self._stand.tab.evaluate(CHIMES)) - int(before)


async def test_without_a_voice_steps_are_chimed_by_day_and_on_demand_at_night(stand: Stand) -> None:
    ear = Ear(stand)
    await ear.begins()
    assert await ear.chimes_at("one") == 1
    assert await ear.chimes_at("two", night=True) == 0
    await stand.tab.click("#speak")
    assert await ear.chimes_at("three", night=True) == 1


async def test_steps_are_spoken_by_a_voice_of_this_machine_that_speaks_the_language(stand: Stand) -> None:
    ear = Ear(stand)
    await ear.begins("speaks")
    assert [await ear.chimes_at("一"), await ear.chimes_at("two", lang="en")] == [0, 0]
    said = await stand.tab.evaluate("speechSynthesis.said.slice(-2)")
    assert said == [["Mandarin", "一"], ["English", "two"]]


async def test_an_engine_that_is_never_heard_is_as_good_as_none(stand: Stand) -> None:
    ear = Ear(stand)
    await ear.begins("mute")
    assert await ear.chimes_at("one") == 1
    await ear.begins("speaks")
    assert await ear.chimes_at("two") == 0
    await stand.tab.evaluate("speechSynthesis.way = 'breaks'")
    assert await ear.chimes_at("three") == 1


PATHS: Final = ["/api/act", "/api/code", "/", "/api/view", "/static/kiosk.js", "/api/qr", "/x"]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def quiet() -> AsyncIterator[Page]:
    """One kiosk for all that is thrown at it."""
    page = Page(await MemoryWorld.start(), SETTINGS)
    yield page
    await page.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), body=ODD, data=st.data())
async def test_whatever_is_posted_answers_and_opens_nothing(
    quiet: Page, path: str, body: object, data: st.DataObject
) -> None:
    method = data.draw(st.sampled_from(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]))
    if data.draw(st.booleans()) and isinstance(body, dict):
        body["act"] = data.draw(
            st.sampled_from(["open", "again", "pin", "round", "language", "lost_case", "rate"])
        )
    answer = await quiet.http.request(
        method, path, content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert 400 <= answer.status_code < 500 or (answer.status_code == 200 and path.startswith("/api/"))
    assert quiet.world.hands.pulses == []
