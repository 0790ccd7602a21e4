"""Applicants' visits over HTTP: what the page says is what the journal knows."""

import json

import pytest

from locker.domain.compartment import Reach, Size
from locker.domain.deposit import Phase
from locker.domain.door import PulseOutcome, PulseResult
from locker.domain.events import (
    AgentEntrusted,
    CompartmentDoubted,
    DirectiveApplied,
    ItemPickedUp,
    ItemRefused,
    PapersDue,
    PickupCodeMade,
    ReceiptIssued,
    SlotBooked,
)
from locker.domain.ids import AuthorisationId, BookingId, EntrustmentId, ItemId
from tests.kiosk_ui.page import Page, Start


async def test_a_drop_off_goes_from_code_to_receipt(page: Page) -> None:
    code = await page.world.grant("2026-0042-117")
    view = await page.code(typed=code)
    assert (view["screen"], view["door"]) == ("offer", None)
    assert {fact["value"] for fact in view["facts"] if fact["value"]} == {
        "2026****-117",
        "Food licence",
        "张*",
    }
    (until,) = (fact["time_ms"] for fact in view["facts"] if not fact["value"])
    assert until > page.world.clock.wall_ms()
    assert [each["kind"] for each in view["papers"]] == ["papers", "deferred"]
    view = await page.act("open")
    assert view["screen"] == "place"
    assert view["door"] == page.world.hands.pulses[0][0]
    page.world.hands.put(view["door"])
    view = await page.shut(view["door"])
    assert view["screen"] == "receipt"
    assert view["receipt"]["number"] == page.world.journal.events(ReceiptIssued)[0].number
    assert (await page.act("leave"))["screen"] == "home"


async def test_a_kept_door_and_days_for_other_papers_are_shown(page: Page) -> None:
    code, now_ms = await page.world.grant(), page.world.clock.wall_ms()
    right = AuthorisationId("auth-C-1")
    await page.world.say(SlotBooked(BookingId("b"), right, Size.S, now_ms, now_ms + 3_600_000))
    await page.world.say(PapersDue(right, now_ms + 5_000_000_000))
    await page.world.say(PapersDue(AuthorisationId("nobody"), now_ms))
    view = await page.code(typed=code)
    times = [fact["time_ms"] - now_ms for fact in view["facts"] if fact.get("time_ms")]
    assert (times[0], times[2]) == (3_600_000, 5_000_000_000)
    view = await page.act("open")
    page.world.hands.put(view["door"])
    view = await page.shut(view["door"])
    assert [fact["time_ms"] - now_ms for fact in view["facts"] if "time_ms" in fact] == [5_000_000_000]
    applied = page.world.journal.events(DirectiveApplied)
    assert [each.outcome for each in applied][-2:] == ["applied", "void: no such right lives"]


async def test_a_lower_door_is_given_on_request(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    view = await page.act("open", lower=True)
    spec = page.world.journal.state.compartments[view["door"]].spec
    assert spec.reach is Reach.LOW


async def test_closed_and_empty_asks_again_and_believes_the_person_after_two(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    view = await page.act("open")
    view = await page.shut(view["door"])
    assert (view["screen"], [a["act"] for a in view["acts"]]) == ("empty", ["again", "leave"])
    view = await page.act("again")
    assert view["screen"] == "place"
    view = await page.shut(view["door"])
    assert [a["act"] for a in view["acts"]] == ["again", "confirm_in", "leave"]
    assert (await page.act("confirm_in"))["screen"] == "receipt"


async def test_without_a_sensor_the_person_says_so(pages: Start) -> None:
    page = await pages(item_sensors=False)
    await page.code(typed=await page.world.grant())
    view = await page.act("open")
    view = await page.shut(view["door"])
    assert view["screen"] == "confirm_in"
    assert (await page.act("confirm_in"))["screen"] == "receipt"


async def test_leaving_without_a_word_leaves_a_doubt(pages: Start) -> None:
    page = await pages(item_sensors=False)
    await page.code(typed=await page.world.grant())
    view = await page.act("open")
    await page.shut(view["door"])
    assert (await page.act("leave"))["screen"] == "home"
    assert page.world.journal.events(CompartmentDoubted)


async def test_cancelling_an_empty_compartment_gives_it_back(page: Page) -> None:
    code = await page.world.grant()
    await page.code(typed=code)
    view = await page.act("open")
    await page.shut(view["door"])
    assert (await page.act("leave"))["screen"] == "home"
    assert page.world.journal.state.compartments[view["door"]].deposit == ""
    assert (await page.code(typed=code))["screen"] == "offer"


async def test_papers_can_be_looked_at_and_taken_back(page: Page) -> None:
    code = await page.world.grant()
    await page.code(typed=code)
    view = await page.act("open")
    door = view["door"]
    page.world.hands.put(door)
    await page.shut(door)
    view = await page.code(typed=code)
    assert view["screen"] == "offer_again"
    view = await page.act("open")
    assert (view["screen"], view["door"]) == ("look", door)
    assert (await page.shut(door))["screen"] == "receipt"
    await page.act("leave")
    await page.code(typed=code)
    await page.act("open")
    page.world.hands.take(door)
    assert (await page.shut(door))["screen"] == "taken_back"


async def test_without_a_sensor_taking_back_is_the_person_s_word(pages: Start) -> None:
    page = await pages(item_sensors=False)
    code = await page.world.grant()
    await page.code(typed=code)
    door = (await page.act("open"))["door"]
    await page.shut(door)
    await page.act("confirm_in")
    await page.code(typed=code)
    await page.act("open")
    assert (await page.shut(door))["screen"] == "looked"
    assert (await page.act("still_inside"))["screen"] == "receipt"
    await page.act("leave")
    await page.code(typed=code)
    await page.act("open")
    await page.shut(door)
    assert (await page.act("take_back"))["screen"] == "taken_back"


@pytest.mark.parametrize("form", ["typed", "scan"])
async def test_a_pickup_opens_at_once_and_ends_with_thanks(page: Page, form: str) -> None:
    codes = await page.load()
    body = {"typed": codes["typed"]} if form == "typed" else {"scanned": codes["scan"]}
    view = await page.code(**body)
    assert view["screen"] == "take"
    assert "张*" in {fact["value"] for fact in view["facts"]}
    page.world.hands.take(view["door"])
    assert (await page.shut(view["door"]))["screen"] == "collected"
    assert len(page.world.journal.events(ItemPickedUp)) == 1


async def test_the_second_factor_is_asked_and_counted(page: Page) -> None:
    codes = await page.load(second_factor=True)
    view = await page.code(scanned=codes["scan"])
    assert (view["screen"], view["entry"]["length"]) == ("phone", 4)
    view = await page.act("phone4", digits="0000")
    assert (view["screen"], view["refused"]["reason"]) == ("phone", "phone_wrong")
    assert (await page.act("phone4", digits="5678"))["screen"] == "take"
    await page.shut(1)


async def test_the_second_factor_may_come_with_the_code(page: Page) -> None:
    codes = await page.load(second_factor=True)
    assert (await page.code(scanned=codes["scan"], phone4="5678"))["screen"] == "take"


async def test_what_is_still_inside_can_be_taken_or_refused(page: Page) -> None:
    codes = await page.load()
    view = await page.code(scanned=codes["scan"])
    door = view["door"]
    assert (await page.shut(door))["screen"] == "still_inside"
    assert (await page.act("again"))["screen"] == "take"
    assert (await page.act("refusing"))["screen"] == "refusing"
    assert (await page.act("refuse", reason="damaged"))["screen"] == "put_back"
    view = await page.shut(door)
    assert view["screen"] == "refused_item"
    assert page.world.journal.events(ItemRefused)[0].reason == "damaged"


async def test_a_change_of_mind_while_refusing(page: Page) -> None:
    codes = await page.load()
    door = (await page.code(scanned=codes["scan"]))["door"]
    await page.act("refusing")
    assert (await page.act("back"))["screen"] == "take"
    await page.act("refuse", reason="not_mine")
    assert (await page.act("back"))["screen"] == "take"
    page.world.hands.take(door)
    assert (await page.shut(door))["screen"] == "collected"


async def test_without_a_sensor_the_recipient_says_what_became_of_it(pages: Start) -> None:
    page = await pages(item_sensors=False)
    codes = await page.load()
    door = (await page.code(scanned=codes["scan"]))["door"]
    assert (await page.shut(door))["screen"] == "confirm_taken"
    assert (await page.act("again"))["screen"] == "take"
    await page.act("refuse", reason="incomplete")
    assert (await page.shut(door))["screen"] == "put_back_confirm"
    assert (await page.act("back"))["screen"] == "confirm_taken"
    assert (await page.act("taken"))["screen"] == "collected"


async def test_a_refusal_behind_a_shut_door_counts_at_once(page: Page) -> None:
    codes = await page.load()
    door = (await page.code(scanned=codes["scan"]))["door"]
    await page.shut(door)
    assert (await page.act("refuse", reason="not_mine"))["screen"] == "refused_item"


async def test_a_stuck_door_is_tried_again_and_then_another_opens(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    page.world.hands.jammed.update(range(1, 17))
    view = await page.act("open")
    first = view["door"]
    assert view["screen"] == "opening"
    view = await page.later(6_000)
    assert (view["screen"], view["ready_in_ms"]) == ("stuck", 0)
    page.world.hands.jammed = {first}
    view = await page.act("again")
    assert view["screen"] == "opening"
    view = await page.later(6_000)
    assert view["screen"] == "place"
    assert view["door"] != first
    page.world.hands.put(view["door"])
    assert (await page.shut(view["door"]))["screen"] == "receipt"


async def test_an_item_stays_where_it_is_when_its_door_gives_up(page: Page) -> None:
    codes = await page.load()
    page.world.hands.jammed.update(range(1, 17))
    await page.code(scanned=codes["scan"])
    for _ in range(2):
        assert (await page.later(6_000))["screen"] == "stuck"
        await page.act("again")
    view = await page.later(6_000)
    assert (view["screen"], [a["act"] for a in view["acts"]]) == ("give_up", ["leave"])
    deposit = next(iter(page.world.journal.state.deposits.values()))
    assert deposit.phase is Phase.AWAITING_PICKUP


async def test_not_empty_is_marked_and_another_door_offered(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    view = await page.act("open")
    first = view["door"]
    assert (await page.act("not_empty"))["screen"] == "not_empty"
    view = await page.shut(first)
    assert (view["screen"], view["said"] != "") == ("offer", True)
    view = await page.act("open")
    assert view["door"] != first


async def test_a_pulse_that_never_left_is_not_blamed_on_the_door(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    page.world.hands.next_result = PulseResult(PulseOutcome.NOT_SENT, "cool_down")
    view = await page.act("open")
    assert view["screen"] == "stuck"
    assert "稍等" in view["title"]
    assert (await page.act("again"))["screen"] == "place"


async def test_a_code_that_came_too_late_is_called_expired_and_opens_nothing(page: Page) -> None:
    code = await page.world.grant()
    page.world.clock.wall_offset_ms += 73 * 3_600_000
    view = await page.code(typed=code)
    assert (view["screen"], view["refused"]["reason"]) == ("problem", "code_expired")
    assert ("12345" in view["lead"], bool(view["reference"]), page.world.hands.pulses) == (True, True, [])


async def test_an_agent_collects_with_a_code_and_a_phone_of_their_own(page: Page) -> None:
    await page.load("I-1", "C-1")
    world = page.world
    until_ms, digest = world.clock.wall_ms() + 86_400_000, world.secrets.digest("phone4", "4321:C-1")
    agent, item = EntrustmentId("agent-1"), ItemId("I-1")
    await world.say(AgentEntrusted(agent, item, 0, until_ms, digest, "李*", "139******21"))
    theirs = [made for made in world.journal.events(PickupCodeMade) if made.entrustment == agent]
    codes = json.loads(theirs[-1].sealed.removeprefix("sealed:"))
    view = await page.code(scanned=codes["scan"])
    assert view["screen"] == "phone"
    assert (await page.act("phone4", digits="5678"))["refused"]["reason"] == "phone_wrong"
    view = await page.act("phone4", digits="4321")
    assert view["screen"] == "take"
    world.hands.take(view["door"])
    assert (await page.shut(view["door"]))["screen"] == "collected"
