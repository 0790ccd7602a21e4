"""Time, restarts and broken parts: the page asks before it goes, comes back true, and frees the kiosk."""

import asyncio

from locker.domain.codes import check_digit
from locker.domain.door import BoardFound, BoardLost, DoorReading, Position, Presence
from locker.domain.events import ActRefused, CompartmentDoubted, SubmissionDeposited, SubmissionExposed
from locker.domain.ids import ActId, BoardId, CompartmentNumber
from locker.operations.ports import Decided
from tests.kiosk_ui.page import Page


async def test_a_quiet_session_is_asked_and_then_goes_home(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    assert (await page.later(59_000))["ask"] is None
    view = await page.later(1_000)
    assert (view["screen"], view["ask"]["ends_in_ms"]) == ("offer", 20_000)
    assert (await page.later(19_000))["screen"] == "offer"
    assert (await page.later(1_000))["screen"] == "home"


async def test_a_sign_of_life_answers_the_question(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    await page.later(61_000)
    assert (await page.act("stay"))["ask"] is None
    assert (await page.later(59_000))["ask"] is None


async def test_what_else_goes_on_at_the_locker_is_no_sign_of_life(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    await page.later(59_000)
    await page.world.grant("C-2")
    assert (await page.later(1_000))["ask"]["ends_in_ms"] == 20_000
    await page.world.grant("C-3")
    assert (await page.later(10_000))["ask"]["ends_in_ms"] == 10_000
    assert (await page.later(10_000))["screen"] == "home"


async def test_a_doubt_about_the_door_of_a_visit_is_no_sign_of_life(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    door = (await page.act("open"))["door"]
    await page.shut(door)
    await page.later(59_000)
    doubted = CompartmentDoubted(CompartmentNumber(door), "visit left without a word")
    await page.world.journal.commit("clock", lambda _: Decided(None, (doubted,)))
    assert (await page.later(1_000))["ask"]["ends_in_ms"] == 20_000


async def test_an_act_that_is_refused_at_the_door_of_a_visit_is_no_sign_of_life(page: Page) -> None:
    """Somebody at the centre wanted to open it while a receipt stood there, whose owner had gone."""
    await page.code(typed=await page.world.grant())
    door = (await page.act("open"))["door"]
    await page.shut(door)
    await page.later(59_000)
    refused = ActRefused(ActId("a1"), 1, "open", CompartmentNumber(door), "door_busy")
    await page.world.journal.commit("centre", lambda _: Decided(None, (refused,)))
    assert (await page.later(1_000))["ask"]["ends_in_ms"] == 20_000


async def test_the_question_can_be_answered_with_the_end_on_any_screen(page: Page) -> None:
    codes = await page.load()
    view = await page.code(scanned=codes["scan"])
    await page.act("refusing")
    await page.shut(view["door"])
    view = await page.later(61_000)
    assert (view["screen"], "leave" in {act["act"] for act in view["acts"]}) == ("refusing", False)
    assert (await page.act("leave"))["screen"] == "home"


async def test_no_session_ends_while_its_door_stands_open(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    await page.act("open")
    view = await page.later(100_000)
    assert (view["screen"], view["ask"], view["warn_in_ms"]) == ("place", None, 0)


async def test_a_door_left_open_frees_the_kiosk_and_is_followed_in_the_background(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    door = (await page.act("open"))["door"]
    view = await page.later(121_000)
    assert view["screen"] == "home"
    assert str(door) in view["notices"][0]
    assert len(page.world.journal.events(SubmissionExposed)) == 1
    other = await page.code(typed=await page.world.grant("C-2"))
    assert other["screen"] == "offer"
    page.world.hands.put(door)
    assert (await page.shut(door))["screen"] == "offer"
    assert len(page.world.journal.events(SubmissionDeposited)) == 1


async def test_an_unused_compartment_is_given_back_when_nobody_answers(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    door = (await page.act("open"))["door"]
    await page.shut(door)
    await page.later(60_000)
    assert (await page.later(20_000))["screen"] == "home"
    assert page.world.journal.state.compartments[door].deposit == ""


async def test_helpers_are_signed_out_by_silence(page: Page) -> None:
    await page.sign_in()
    await page.later(60_000)
    assert (await page.later(20_000))["screen"] == "home"
    assert page.kiosk.visit.staff == ""


async def test_the_language_is_the_visitor_s_and_the_next_one_starts_anew(page: Page) -> None:
    view = await page.act("language", lang="en")
    assert (view["lang"], view["screen"]) == ("en", "home")
    await page.code(typed=await page.world.grant())
    assert (await page.act("leave"))["lang"] == "zh"
    await page.act("language", lang="en")
    assert (await page.later(60_000))["lang"] == "zh"


async def test_a_restart_in_front_of_an_open_door_comes_back_to_it(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    door = (await page.act("open"))["door"]
    view = await page.restart()
    assert (view["screen"], view["door"]) == ("place", door)
    page.world.hands.put(door)
    view = await page.shut(door)
    assert (view["screen"], view["receipt"]["qr"]) == ("receipt", True)


async def test_a_restart_that_missed_the_door_asks_for_the_code_again(page: Page) -> None:
    code = await page.world.grant()
    await page.code(typed=code)
    door = CompartmentNumber((await page.act("open"))["door"])
    page.world.hands.readings[door] = DoorReading(Position.CLOSED, Presence.PRESENT)
    view = await page.restart()
    assert (view["screen"], [act["act"] for act in view["acts"]]) == ("interrupted", ["leave"])
    assert (await page.code(typed=code))["screen"] == "offer_again"


async def test_an_old_interruption_is_no_visit(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    door = CompartmentNumber((await page.act("open"))["door"])
    page.world.hands.readings[door] = DoorReading(Position.CLOSED, Presence.PRESENT)
    assert (await page.restart())["screen"] == "interrupted"
    await page.act("leave")
    page.world.clock.advance(600_000)
    assert (await page.restart())["screen"] == "home"


async def test_a_restart_signs_helpers_out(page: Page) -> None:
    await page.hand_in()
    await page.act("leave")
    await page.sign_in()
    view = await page.act("round", kind="intake")
    await page.act("intake_open", **view["rows"][0]["data"])
    assert (await page.restart())["screen"] == "home"


async def test_a_silent_board_is_said_and_ends_with_the_truth(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    door = (await page.act("open"))["door"]
    page.world.follower.report(BoardLost(BoardId("A/2"), tuple(page.world.hands.readings), 0))
    assert (await page.view())["screen"] == "unseen"
    page.world.follower.report(BoardFound(BoardId("A/2"), 0))
    page.world.hands.put(door)
    page.world.hands.readings[door] = DoorReading(Position.CLOSED, Presence.PRESENT)
    page.world.report_all()
    assert (await page.view())["screen"] == "receipt"


async def test_a_lost_board_refuses_with_a_page_of_its_own(page: Page) -> None:
    codes = await page.load()
    page.world.follower.report(BoardLost(BoardId("A/2"), tuple(page.world.hands.readings), 0))
    await page.view()
    view = await page.code(scanned=codes["scan"])
    assert (view["screen"], view["refused"]["reason"]) == ("problem", "board_lost")
    assert (await page.act("leave"))["notices"] != []


async def test_a_full_locker_says_so(page: Page) -> None:
    for n in range(13):
        view = await page.hand_in(f"C-{n}")
        if view["screen"] == "problem":
            break
        await page.act("leave")
    codes = await page.world.grant("C-99")
    for n in range(14, 17):
        await page.code(typed=await page.world.grant(f"C-{n}"))
        view = await page.act("open")
        if view["screen"] == "problem":
            break
        page.world.hands.put(view["door"])
        await page.shut(view["door"])
        await page.act("leave")
    assert view["refused"]["reason"] == "no_room"
    assert "12345" in view["lead"]
    assert (await page.code(typed=codes))["screen"] == "offer"


async def test_a_failing_journal_is_a_page_and_opens_nothing(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    page.world.journal.failing = True
    view = await page.act("open")
    assert (view["screen"], view["refused"]["reason"]) == ("problem", "journal_failing")
    assert page.world.hands.pulses == []
    view = await page.act("leave")
    assert (view["screen"], view["refused"]["reason"], view["acts"]) == ("problem", "journal_failing", [])
    page.world.journal.failing = False
    assert (await page.view())["screen"] == "home"


async def test_a_journal_that_fails_while_a_door_stands_open_is_a_page_at_once(page: Page) -> None:
    """What the page at the door says would stay there, and soon be false."""
    await page.code(typed=await page.world.grant())
    await page.act("open")
    assert (await page.view())["screen"] == "place"
    views = page.kiosk.views()
    await anext(views)
    page.world.journal.failing = True
    page.kiosk.entries_committed(page.world.journal.state, ())
    view = await anext(views)
    assert (view["screen"], view["refused"]["reason"], view["acts"]) == ("problem", "journal_failing", [])
    assert "12345" in view["lead"]
    await views.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_nobody_s_visit_lasts_for_ever_behind_a_journal_that_fails_at_an_open_door(page: Page) -> None:
    """That it was shut can be written down no more: the page does not wait for that."""
    await page.code(typed=await page.world.grant())
    await page.act("open")
    await page.later(30_000)
    page.world.journal.failing = True
    page.kiosk.entries_committed(page.world.journal.state, ())
    assert (await page.later(29_000))["ask"] is None
    assert (await page.later(1_000))["ask"]["ends_in_ms"] == 20_000
    view = await page.later(20_000)
    assert (view["screen"], view["refused"]["reason"], view["visit"]) == ("problem", "journal_failing", "")


async def test_a_helper_is_signed_out_behind_a_journal_that_fails_at_an_open_door(page: Page) -> None:
    await page.hand_in()
    await page.act("leave")
    await page.sign_in()
    view = await page.act("round", kind="intake")
    await page.act("intake_open", **view["rows"][0]["data"])
    page.world.journal.failing = True
    page.kiosk.entries_committed(page.world.journal.state, ())
    await page.later(60_000)
    view = await page.later(20_000)
    assert (view["screen"], view["staff"], view["visit"]) == ("problem", False, "")


async def test_what_was_promised_stays_on_the_page_when_the_journal_fails(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    await page.act("open")
    door = (await page.view())["door"]
    page.world.hands.put(door)
    await page.world.shut(door)
    assert (await page.view())["screen"] == "receipt"
    page.world.journal.failing = True
    assert (await page.view())["screen"] == "receipt"


async def test_wrong_codes_slow_the_keypad_and_never_the_scanner(page: Page) -> None:
    codes = await page.load()
    wrong = "1234567890" + check_digit("1234567890")
    for _ in range(3):
        view = await page.code(typed=wrong)
        assert view["refused"]["reason"] == "code_not_accepted"
    view = await page.code(typed=wrong)
    assert (view["refused"]["reason"], view["stage"]) == ("too_many_tries", "countdown")
    first = view["refused"]["wait_s"]
    assert first > 0
    assert (await page.later(1_000))["refused"]["wait_s"] == first - 1
    assert (await page.act("leave"))["entry"]["wait_s"] == first - 1
    assert (await page.code(scanned=codes["scan"]))["screen"] == "take"


async def test_while_guesses_rain_the_phone_is_asked_too(page: Page) -> None:
    guesses = page.world.world.guesses
    guesses.typed, guesses.last_mono_ms = 300, page.world.clock.mono_ms()
    await page.later(120_000)
    code = await page.world.grant()
    view = await page.code(typed=code)
    assert view["screen"] == "phone"
    assert (await page.act("phone4", digits="5678"))["screen"] == "offer"


async def test_two_presses_at_once_open_one_door(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    press = {"act": "open"}
    answers = await asyncio.gather(*(page.http.post("/api/act", json=press) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert len(page.world.hands.pulses) == 1
