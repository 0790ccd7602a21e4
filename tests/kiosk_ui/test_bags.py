"""Numbered bags, where a city hands them out: scanned while they are handed in, seen again at intake."""

from dataclasses import replace

from locker.domain.codes import check_digit, parse_bag
from locker.domain.events import BagNoted
from tests.kiosk_ui.page import SETTINGS, Page, Start

NUMBER = "00017342"
LABEL = f"4{NUMBER}{check_digit(NUMBER)}"
BAGS = replace(SETTINGS, bags=True)


def test_a_label_with_a_slip_is_none() -> None:
    assert parse_bag(LABEL) == NUMBER
    for wrong in ("", "4", LABEL[:-1], LABEL[:3] + "9" + LABEL[4:], "1" + LABEL[1:], "4" * 40, LABEL + "x"):
        assert parse_bag(wrong) == ""


async def test_a_bag_is_noted_while_the_door_stands_open_and_shown_at_intake(pages: Start) -> None:
    page = await pages(settings=BAGS)
    await page.code(typed=await page.world.grant())
    view = await page.act("open")
    door = view["door"]
    assert (view["hears"], any("文件袋" in text for text in view["notices"])) == (True, True)
    view = await page.code(scanned=LABEL)
    assert (view["screen"], view["said"] != "", view["notices"]) == ("place", True, [])
    await page.code(scanned=LABEL)
    assert [each.bag for each in page.world.journal.events(BagNoted)] == [NUMBER]
    assert NUMBER in {fact["value"] for fact in view["facts"]}
    page.world.hands.put(door)
    await page.shut(door)
    await page.act("leave")
    await page.sign_in()
    view = await page.act("round", kind="intake")
    view = await page.act("intake_open", **view["rows"][0]["data"])
    assert NUMBER in {fact["value"] for fact in view["facts"]}


async def test_another_person_s_code_is_not_heard_meanwhile(pages: Start) -> None:
    page = await pages(settings=BAGS)
    token = page.world.token("auth-C-9")
    await page.code(typed=await page.world.grant())
    await page.act("open")
    answer = await page.http.post("/api/code", json={"scanned": token})
    assert answer.status_code == 409
    assert (await page.view())["screen"] == "place"


async def test_after_the_door_was_shut_a_bag_may_still_be_noted(page: Page) -> None:
    await page.hand_in()
    view = await page.code(scanned=LABEL)
    assert (view["screen"], view["receipt"]["qr"]) == ("receipt", True)
    assert NUMBER in {fact["value"] for fact in view["facts"]}
    await page.act("leave")
    view = await page.code(scanned=LABEL)
    assert view["refused"]["reason"] == "code_not_accepted"
