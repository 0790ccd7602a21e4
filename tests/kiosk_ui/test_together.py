"""Several people at one kiosk: a stocktake, a second badge, a service window, a helper beside somebody."""

import pytest

from locker.domain import events as ev
from locker.domain.compartment import Status
from locker.domain.history import Break
from locker.domain.ids import CompartmentNumber
from locker.domain.surroundings import Sensed, Watched
from locker.operations.follow_surroundings import SurroundingsFollower
from locker.operations.new_epoch import begin
from locker.operations.ports import Decided
from tests.kiosk_ui.page import Page, Start, View

PIN = "135790"


async def doubted(page: Page, *doors: int) -> None:
    facts = tuple(ev.CompartmentDoubted(CompartmentNumber(door), "found open") for door in doors)
    await page.world.journal.commit("sensor", lambda _state: Decided(None, facts))


async def stocktaking(page: Page, scope: str = "doubts") -> View:
    await page.sign_in()
    await page.act("round", kind="check")
    await page.act("stocktake")
    return await page.act("stock_begin", scope=scope)


async def joins(page: Page, staff: str = "h-2") -> View:
    badge = await page.world.enrol(staff)
    await page.code(scanned=badge)
    return await page.act("second_pin", digits=PIN)


def labels(view: View) -> list[str]:
    return [act["data"].get("found", act["act"]) for act in view["acts"]]


# --- the stocktake ---


async def test_the_answer_to_one_door_opens_the_next(pages: Start) -> None:
    page = await pages(item_sensors=False)
    await doubted(page, 3, 9)
    view = await stocktaking(page)
    assert (view["screen"], [row["door"] for row in view["rows"]]) == ("stock_list", [3, 9])
    view = await page.act("stock_go")
    assert (view["screen"], view["door"], view["facts"][0]["value"]) == ("inspect", 3, "无")
    view = await page.shut(3)
    assert (view["screen"], labels(view)[:3]) == ("stock_confirm", ["empty", "unknown_item", "removed"])
    view = await page.act("stock_say", found="empty", door=3)
    assert (view["screen"], view["door"], bool(view["said"])) == ("inspect", 9, True)
    await page.shut(9)
    view = await page.act("stock_say", found="unknown_item", door=9)
    assert view["screen"] == "stock_done"
    assert [fact["value"] for fact in view["facts"]] == ["1", "1", "0"]
    (ended,) = page.world.journal.events(ev.StocktakeEnded)
    assert (ended.empty_count, ended.unknown_item_count, ended.left_count) == (1, 1, 0)


async def test_an_occupied_door_asks_for_another_badge_and_goes_on(pages: Start) -> None:
    page = await pages(item_sensors=False)
    await page.hand_in()
    await page.act("confirm_in")
    await page.act("leave")
    (deposit,) = page.world.journal.state.deposits.values()
    await doubted(page, deposit.door)
    await stocktaking(page)
    pulses = len(page.world.hands.pulses)
    view = await page.act("stock_go")
    assert (view["screen"], view["refused"]["reason"]) == ("second", "second_needed")
    view = await page.code(scanned=await page.world.enrol())
    assert (view["screen"], view["refused"]["reason"]) == ("second", "same_person")
    await page.code(scanned=await page.world.enrol("h-2"))
    view = await page.act("second_pin", digits="000000")
    assert (view["screen"], view["refused"]["reason"]) == ("second_pin", "sign_in_failed")
    assert len(page.world.hands.pulses) == pulses
    view = await page.act("second_pin", digits=PIN)
    assert (view["screen"], view["said"]) == ("stock_list", "李* 已登录，两人在场")
    view = await page.act("stock_go")
    assert (view["screen"], view["facts"][0]["value"][:3]) == ("inspect", "C-1")
    view = await page.shut(deposit.door)
    assert labels(view)[:4] == ["expected", "unknown_item", "missing", "unsure"]
    assert (await page.act("stock_say", found="expected"))["screen"] == "stock_done"
    check = page.world.journal.events(ev.CompartmentChecked)[0]
    assert (check.staff, check.second, check.found) == ("h-1", "h-2", "expected")


async def test_it_is_paused_skipped_resumed_by_a_colleague_and_broken_off(page: Page) -> None:
    await doubted(page, 3, 9, 12)
    await stocktaking(page)
    page.world.hands.jammed.add(3)
    await page.act("stock_open", door=3)
    view = await page.later(6_000)
    assert view["screen"] == "stuck"
    assert {"stock_skip", "stocktake"} <= {act["act"] for act in view["acts"]}
    view = await page.act("stock_skip")
    assert (view["screen"], view["door"]) == ("inspect", 9)
    await page.shut(9)
    view = await page.act("stocktake")
    assert [(row["door"], row["note"]) for row in view["rows"]] == [(9, ""), (12, ""), (3, "先跳过")]
    await page.act("sign_out")
    await page.code(scanned=await page.world.enrol("h-2"))
    await page.act("pin", digits=PIN)
    await page.act("round", kind="check")
    view = await page.act("stocktake")
    assert len(view["rows"]) == 3, "what one left for later the other may try"
    view = await page.act("stock_end")
    assert (view["screen"], view["facts"][-1]["value"]) == ("stock_done", "3")
    assert (await page.act("stocktake"))["screen"] == "stocktake"


async def test_a_single_look_after_a_stocktake_is_none_of_it(pages: Start) -> None:
    page = await pages(item_sensors=False)
    await doubted(page, 3, 9)
    await stocktaking(page)
    page.world.hands.jammed.add(3)
    await page.act("stock_go")
    await page.later(6_000)
    page.world.hands.jammed.clear()
    await page.act("menu")
    await page.act("round", kind="check")
    await page.act("check_open", door=9)
    assert (await page.shut(9))["screen"] == "check_confirm"


async def test_an_answer_for_another_door_is_not_taken(page: Page) -> None:
    await doubted(page, 3, 9)
    await stocktaking(page)
    await page.act("stock_go")
    await page.shut(3)
    view = await page.act("stock_say", found="empty", door=9)
    assert (view["screen"], view["refused"]["reason"]) == ("stock_confirm", "not_now")
    assert page.world.journal.events(ev.CompartmentChecked) == []


async def test_what_a_sensor_sees_is_not_offered_otherwise(page: Page) -> None:
    await doubted(page, 3)
    page.world.hands.put(3)
    await stocktaking(page)
    await page.act("stock_go")
    assert labels(await page.shut(3))[0] == "unknown_item"
    assert "empty" not in labels(await page.view())


async def test_two_on_site_take_the_centres_place(page: Page) -> None:
    codes = await page.load()
    journal = page.world.journal
    await begin(page.world.world, journal, Break.LOST_ROWS, journal.state.epoch)
    assert (await page.code(typed=codes["typed"]))["refused"]["reason"] == "history_awaited"
    await page.act("leave")
    view = await stocktaking(page, "all")
    assert len(view["rows"]) == 16
    assert (await page.act("stock_go"))["screen"] == "second"
    await joins(page)
    view = await page.act("stock_go")
    while view["screen"] == "inspect":
        door = view["door"]
        view = await page.shut(door)
        holds = bool(journal.state.compartments[CompartmentNumber(door)].deposit)
        view = await page.act("stock_say", found="expected" if holds else "empty", door=door)
    assert (view["screen"], view["acts"][0]["act"]) == ("stock_done", "vouch")
    assert (await page.act("vouch"))["said"]
    await page.act("sign_out")
    assert (await page.code(typed=codes["typed"]))["screen"] == "phone"
    assert (await page.act("phone4", digits="5678"))["screen"] == "take"


# --- the second person ---


async def test_nothing_but_a_badge_counts_where_a_second_person_is_asked_for(page: Page) -> None:
    codes = await page.load()
    await doubted(page, 3)
    await stocktaking(page)
    await page.act("second")
    view = await page.code(scanned=codes["scan"])
    assert (view["screen"], view["refused"]["reason"]) == ("second", "not_now")
    assert (await page.code(scanned="123"))["refused"]["reason"] == "code_not_accepted"
    assert (await page.act("second_back"))["screen"] == "stock_list"


async def test_both_are_gone_when_the_first_signs_out(page: Page) -> None:
    await doubted(page, 3)
    await stocktaking(page)
    await page.act("second")
    view = await joins(page)
    assert {"second_leave"} <= {act["act"] for act in view["acts"]}
    await page.act("second_leave")
    assert page.world.journal.state.pair.second == ""
    await page.act("second")
    await joins(page)
    await page.act("sign_out")
    assert page.world.journal.state.pair.second == ""


# --- the service window ---


async def turn(page: Page, *, on: bool) -> None:
    await SurroundingsFollower(page.world.world).settle(Sensed(Watched.SERVICE_KEY, on))


async def test_a_service_window_is_opened_worked_in_and_closed(page: Page) -> None:
    await page.technician()
    view = await page.act("window")
    assert view["screen"] == "window"
    assert (await page.act("window_open"))["screen"] == "second"
    await page.world.enrol("h-2")
    view = await joins(page)
    view = await page.act("window_open")
    assert view["refused"]["reason"] == "key_needed"
    await turn(page, on=True)
    view = await page.act("window_open")
    assert [act["act"] for act in view["acts"]] == ["window_close", "service"], (
        "nobody leaves it standing open"
    )
    view = await page.act("service", tab="sensors")
    assert {"menu", "sign_out"} & {act["act"] for act in view["acts"]} == set()
    await page.act("window")
    page.world.hands.move(7, page.world.hands.readings[CompartmentNumber(7)].position.OPEN)
    await page.shut(7)
    view = await page.later(600_000)
    assert (view["screen"], view["ask"]) == ("window", None), "whoever works inside is not asked"
    assert "7" in [fact["value"] for fact in view["facts"]]
    assert page.world.journal.events(ev.DoorForced) == []
    await page.act("window_close")
    assert page.world.journal.state.compartments[CompartmentNumber(7)].status is Status.TO_CHECK
    assert (await page.act("service"))["screen"] == "service"


async def test_the_key_ends_the_window_and_the_page_says_so(page: Page) -> None:
    await page.technician()
    await page.act("window")
    await page.act("second")
    await joins(page)
    await turn(page, on=True)
    await page.act("window_open")
    await page.later(600_000)
    await turn(page, on=False)
    view = await page.view()
    assert (view["screen"], view["ask"]) == ("window", None)
    assert "window_open" in [act["act"] for act in view["acts"]]
    await page.later(81_000)
    assert (await page.later(21_000))["screen"] == "home"


# --- beside an applicant ---


async def assisting(page: Page) -> View:
    await page.sign_in()
    return await page.act("assist")


async def test_a_helper_stands_beside_a_drop_off_and_is_named(page: Page) -> None:
    view = await assisting(page)
    assert (view["screen"], view["staff"], "李*" in view["notices"][0]) == ("assist", False, True)
    view = await page.code(typed=await page.world.grant())
    assert (view["screen"], "李*" in view["notices"][0]) == ("offer", True)
    view = await page.act("open")
    page.world.hands.put(view["door"])
    view = await page.shut(view["door"])
    assert view["screen"] == "receipt"
    (deposit,) = page.world.journal.state.deposits
    assert page.world.journal.events(ev.VisitAssisted) == [ev.VisitAssisted(deposit, "h-1")]  # type: ignore[arg-type]  # its number
    await page.act("leave")
    assert page.world.journal.events(ev.StaffSignedOut) == [ev.StaffSignedOut("h-1")]  # type: ignore[arg-type]  # its number
    assert page.kiosk.visit.together.helper == ""


async def test_a_helper_beside_somebody_opens_nothing_by_their_own_right(page: Page) -> None:
    await page.hand_in()
    await page.act("leave")
    await page.world.announce("I-1")
    await assisting(page)
    for scan in (await page.world.enrol("h-2"), page.world.token("I-1")):
        view = await page.code(scanned=scan)
        assert (view["screen"], view["refused"]["reason"]) == ("problem", "code_not_accepted")
    refused = await page.http.post("/api/act", json={"act": "round", "kind": "intake"})
    assert refused.status_code == 409
    assert [e.staff for e in page.world.journal.events(ev.OpeningRequested)] == [""]


async def test_it_ends_with_the_visit_whoever_comes_next(page: Page) -> None:
    codes = await page.load()
    await page.hand_in()
    await page.act("leave")
    await assisting(page)
    view = await page.code(scanned=codes["scan"])
    page.world.hands.take(view["door"])
    assert (await page.shut(view["door"]))["screen"] == "collected"
    view = await page.code(typed=await page.world.grant("C-9"))
    assert (view["screen"], view["notices"]) == ("offer", [])
    assert page.world.journal.events(ev.StaffSignedOut)[-1].staff == "h-1"
    await page.act("open")
    assert len(page.world.journal.events(ev.VisitAssisted)) == 1


@pytest.mark.parametrize("screen", ["assist", "offer"])
async def test_an_untouched_visit_signs_the_helper_out(page: Page, screen: str) -> None:
    view = await assisting(page)
    if screen == "offer":
        view = await page.code(typed=await page.world.grant())
    assert view["screen"] == screen
    await page.later(61_000)
    assert (await page.later(21_000))["screen"] == "home"
    assert [e.staff for e in page.world.journal.events(ev.StaffSignedOut)] == ["h-1"]
