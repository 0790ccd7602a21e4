"""Helpers' work over HTTP: rounds, loading, doubts."""

import pytest

from locker.domain.compartment import Status
from locker.domain.deposit import Phase
from locker.domain.events import (
    CompartmentChecked,
    CompartmentDoubted,
    ItemLoaded,
    ItemWithdrawn,
    PickupCodeMade,
    StaffSignedOut,
    StaffSignInFailed,
    SubmissionTaken,
)
from locker.domain.ids import CompartmentNumber
from locker.operations.ports import Decided
from tests.kiosk_ui.page import Page, Start


async def test_a_badge_and_its_pin_lead_to_the_menu(page: Page) -> None:
    badge = await page.world.enrol()
    view = await page.code(scanned=badge)
    assert (view["screen"], view["entry"]["length"]) == ("pin", 6)
    view = await page.act("pin", digits="000000")
    assert (view["screen"], view["refused"]["reason"]) == ("pin", "sign_in_failed")
    assert len(page.world.journal.events(StaffSignInFailed)) == 1
    assert (await page.act("pin", digits="135790"))["screen"] == "menu"
    assert (await page.act("sign_out"))["screen"] == "home"
    assert len(page.world.journal.events(StaffSignedOut)) == 1


@pytest.mark.parametrize("finding", ["complete", "missing", "wrong", "empty"])
async def test_a_round_of_intake(page: Page, finding: str) -> None:
    for case in ("C-1", "C-2"):
        await page.hand_in(case)
        await page.act("leave")
    await page.sign_in()
    view = await page.act("round", kind="intake")
    assert [row["title"] for row in view["rows"]] == ["C-1", "C-2"]
    view = await page.act("intake_open", **view["rows"][0]["data"])
    assert view["screen"] == "take_out"
    assert (await page.shut(view["door"]))["screen"] == "not_taken"
    view = await page.act("again")
    page.world.hands.take(view["door"])
    view = await page.shut(view["door"])
    assert view["screen"] == "intake_confirm"
    view = await page.act("intake_confirm", finding=finding)
    assert (view["screen"], [row["title"] for row in view["rows"]]) == ("round_intake", ["C-2"])
    assert page.world.journal.events(SubmissionTaken)[0].finding == finding


async def test_a_confirmation_for_another_deposit_is_not_taken(page: Page) -> None:
    await page.hand_in()
    await page.act("leave")
    await page.sign_in()
    view = await page.act("round", kind="intake")
    view = await page.act("intake_open", **view["rows"][0]["data"])
    page.world.hands.take(view["door"])
    await page.shut(view["door"])
    view = await page.act("intake_confirm", finding="complete", deposit="another")
    assert (view["screen"], view["refused"]["reason"]) == ("intake_confirm", "not_now")


async def test_loading_takes_two_looks_at_the_label(page: Page) -> None:
    await page.world.announce("I-1")
    label = page.world.token("I-1")
    await page.sign_in()
    view = await page.code(scanned=label)
    assert view["screen"] == "label"
    view = await page.act("load_open")
    assert view["screen"] == "put_in"
    assert (await page.shut(view["door"]))["screen"] == "load_empty"
    view = await page.act("again")
    page.world.hands.put(view["door"])
    assert (await page.shut(view["door"]))["screen"] == "second_look"
    view = await page.code(scanned=page.world.token("I-2"))
    assert (view["screen"], view["refused"]["reason"]) == ("second_look", "wrong_label")
    assert page.world.journal.events(PickupCodeMade) == []
    view = await page.code(scanned=label)
    assert (view["screen"], bool(view["said"])) == ("load", True)
    assert len(page.world.journal.events(ItemLoaded)) == 1
    view = await page.code(scanned=label)
    assert (view["screen"], view["refused"]["reason"]) == ("staff_problem", "already_loaded")


async def test_a_half_finished_load_is_given_back(page: Page) -> None:
    await page.sign_in()
    await page.code(scanned=page.world.token("I-1"))
    view = await page.act("load_open")
    await page.shut(view["door"])
    await page.act("menu")
    assert page.world.journal.state.compartments[CompartmentNumber(view["door"])].status is Status.VACANT


async def test_a_label_nobody_announced_is_said_to_be_unchecked(page: Page) -> None:
    await page.sign_in()
    view = await page.code(scanned=page.world.token("I-1"))
    assert (view["screen"], view["said"], bool(view["banner"])) == ("label", "", True)


async def test_only_labels_are_scanned_while_signed_in(page: Page) -> None:
    codes = await page.load()
    await page.sign_in()
    view = await page.code(scanned=codes["scan"])
    assert (view["screen"], view["refused"]["reason"]) == ("menu", "not_now")
    assert (await page.code(scanned="1234"))["refused"]["reason"] == "code_not_accepted"
    assert (await page.code(typed=codes["typed"]))["refused"]["reason"] == "not_now"


async def test_what_is_overdue_is_withdrawn(page: Page) -> None:
    await page.load()
    await page.overdue()
    await page.sign_in()
    view = await page.act("round", kind="withdraw")
    view = await page.act("withdraw_open", **view["rows"][0]["data"])
    page.world.hands.take(view["door"])
    view = await page.shut(view["door"])
    assert view["screen"] == "withdraw_confirm"
    assert (await page.act("withdraw_confirm"))["rows"] == []
    assert len(page.world.journal.events(ItemWithdrawn)) == 1


@pytest.mark.parametrize("empty", [True, False])
async def test_a_doubt_is_settled_by_looking(pages: Start, empty: bool) -> None:
    page = await pages(item_sensors=False)
    fact = CompartmentDoubted(CompartmentNumber(9), "found open")
    await page.world.journal.commit("sensor", lambda _state: Decided(None, (fact,)))
    await page.sign_in()
    view = await page.act("round", kind="check")
    view = await page.act("check_open", **view["rows"][0]["data"])
    assert (view["screen"], view["door"]) == ("inspect", 9)
    assert (await page.shut(9))["screen"] == "check_confirm"
    view = await page.act("check_confirm", empty=empty)
    assert len(view["rows"]) == (0 if empty else 1)
    assert page.world.journal.events(CompartmentChecked)[0].found == ("empty" if empty else "unknown_item")


async def test_a_stuck_door_of_a_round_is_tried_again_and_then_left(page: Page) -> None:
    await page.hand_in()
    await page.act("leave")
    await page.sign_in()
    page.world.hands.jammed.update(range(1, 17))
    view = await page.act("round", kind="intake")
    await page.act("intake_open", **view["rows"][0]["data"])
    for _ in range(2):
        view = await page.later(6_000)
        assert (view["screen"], view["acts"][0]["act"]) == ("stuck", "again")
        await page.act("again")
    assert (await page.later(6_000))["screen"] == "give_up"
    assert (await page.act("menu"))["screen"] == "menu"
    deposit = next(iter(page.world.journal.state.deposits.values()))
    assert deposit.phase is Phase.AWAITING_INTAKE


async def test_a_found_thing_is_reported_while_loading(page: Page) -> None:
    await page.sign_in()
    await page.code(scanned=page.world.token("I-1"))
    view = await page.act("load_open")
    view = await page.act("not_empty")
    assert (view["screen"], bool(view["said"])) == ("put_in", True)
    assert page.world.journal.events(CompartmentDoubted)[0].door == view["door"]


async def test_a_rights_end_is_told(page: Page) -> None:
    await page.hand_in()
    await page.act("leave")
    await page.sign_in()
    page.world.clock.wall_offset_ms += 30 * 86_400_000
    view = await page.act("round", kind="intake")
    view = await page.act("intake_open", **view["rows"][0]["data"])
    assert (view["screen"], view["refused"]["reason"]) == ("staff_problem", "not_allowed")
