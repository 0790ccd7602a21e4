"""What people see: the cabinet's doors move in the browser, the phone shows what came."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from hw_sim.free_port import free_port
from tests.hw_sim.asking import opened
from tests.hw_sim.conftest import Start
from tests.hw_sim.wired import MIXED, frame

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.asyncio(loop_scope="session")]


async def test_a_door_swings_open_and_hands_work(browser: Browser, cabinet_url: str, tmp_path: Path) -> None:
    page = await browser.new_page(viewport={"width": 1360, "height": 900})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(cabinet_url)
    bay = page.locator(".bay").nth(2)
    await expect(page.locator(".bay")).to_have_count(16)

    with opened(tmp_path / "line-A") as line:
        line.ask(frame("01 05 02 02 00 03"), 8)
    await expect(bay).to_contain_class("open")
    await expect(page.locator("#story li").first).to_contain_text("门弹开")
    await expect(page.locator("#wire")).to_contain_text("01 05 02 02 00 03")

    await bay.locator(".slot").click()
    await expect(bay).to_contain_class("item")
    await bay.locator(".shut").click()
    await expect(bay).not_to_contain_class("open")

    await bay.locator(".more").click()
    await page.get_by_text("Jam the latch").click()
    await expect(bay).to_contain_class("jammed")
    board = page.locator("details", has_text="inputs-32")
    await board.locator("summary").click()
    await board.get_by_role("button", name="Silent").click()
    await expect(board.get_by_role("button", name="Silent")).to_have_attribute("aria-pressed", "true")
    faults = await page.request.get(f"{cabinet_url}faults")
    assert (await faults.json())["A"]["dead"] == [2]
    assert complaints == []


async def test_a_cabinet_of_many_kinds_is_shown_and_broken_by_hand(
    browser: Browser, start: Start, tmp_path: Path
) -> None:
    start("cabinet", "--dir", str(tmp_path), "--panel-port", "0", "--file", str(MIXED))
    facts = json.loads((tmp_path / "ready.json").read_text())
    page = await browser.new_page(viewport={"width": 1360, "height": 900})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(facts["panel"])
    await expect(page.locator("#lines button")).to_have_text(
        ["A 9600 pty", "B 19200 raw-tcp", "C 9600 modbus-tcp"]
    )

    await page.locator("#lines button").nth(2).click()
    await expect(page.locator("#port")).to_have_text(facts["lines"]["C"])
    await expect(page.locator("#faults details")).to_have_count(1)
    await page.get_by_role("button", name="Echoing adapter").click()
    await expect(page.get_by_role("button", name="Echoing adapter")).to_have_attribute("aria-pressed", "true")

    bay = page.locator(".bay").nth(1)
    await bay.locator(".more").click()
    await page.get_by_text("Relay contact welds").click()
    await expect(bay).to_contain_class("relay")
    faults = await (await page.request.get(f"{facts['panel']}faults")).json()
    assert (faults["C"]["echo"], faults["A"]["echo"], faults["A"]["welded"]) == (True, False, ["1/2"])
    await page.get_by_role("button", name="Mend all").click()
    await expect(bay).not_to_contain_class("relay")
    assert complaints == []


async def test_a_message_arrives_as_text_and_as_a_picture(browser: Browser, start: Start) -> None:
    port = free_port()
    start("phone", "--port", str(port))
    page = await browser.new_page()
    await page.goto(f"http://127.0.0.1:{port}/")
    await expect(page.locator(".bubbles")).to_contain_text("No message yet")

    variables = {"typed": "12345678903", "scan": "1" * 42, "case": "<b>SZ-1</b>"}
    body = {"to": "13812345678", "template": "pickup_code", "variables": variables, "idempotency_key": "1"}
    await page.request.post(f"http://127.0.0.1:{port}/sms", data=body)
    await expect(page.locator(".code")).to_contain_text("123 4567 8903")
    await expect(page.locator(".bubble")).to_contain_text("<b>SZ-1</b>")
    await page.locator(".scan").click()
    await expect(page.locator("dialog")).to_be_visible()
    await page.get_by_text("关闭 Close").click()
    await expect(page.locator("dialog")).to_be_hidden()
