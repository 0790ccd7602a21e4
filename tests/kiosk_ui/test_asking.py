"""Help, a lost code, five grades: what people ask for is durable, and for the centre alone."""

import json
import logging
from dataclasses import replace

import pytest

from kiosk_ui.backroom import Contact
from kiosk_ui.forms import NEXT, Form, Move, Sheet, moved
from locker.domain.asked import HelpCategory, Neighbour
from locker.domain.errors import IllegalTransition
from locker.domain.events import CodeAskedFor, HelpAsked, NeighboursTold, VisitRated
from locker.domain.tokens import TokenPurpose
from locker.operations import ask
from tests.kiosk_ui.page import Page, Start, View

PHONE = "13800000078"


def buttons(view: View, part: str = "acts") -> list[str]:
    return [button["act"] for button in view[part]]


async def lost(page: Page, case: str = "1", phone: str = PHONE) -> View:
    await page.act("lost")
    await page.act("lost_case", digits=case)
    return await page.act("lost_phone", digits=phone)


# --- a lost code ------------------------------------------------------------


@pytest.mark.rule("LKR-80")
async def test_a_lost_code_has_one_answer_and_goes_sealed_to_the_centre(
    page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await page.load(case="2026-0042-117")
    assert buttons(await page.view(), "corner") == ["lost", "help"]
    view = await page.act("lost")
    assert (view["screen"], view["stage"], view["entry"]["min"]) == ("lost_case", "keypad", 4)
    assert (await page.act("lost_case", digits="20260042117"))["entry"]["length"] == 11
    known = await page.act("lost_phone", digits=PHONE)
    await page.act("sheet_back")
    unknown = await lost(page, case="99999")
    assert (known["screen"], known["title"], known["lead"]) == (
        unknown["screen"],
        unknown["title"],
        unknown["lead"],
    )
    asked = page.world.journal.events(CodeAskedFor)
    assert json.loads(asked[0].sealed.removeprefix("sealed:")) == {
        "case": "20260042117",
        "like": "2026-0042-117",
        "phone": PHONE,
    }
    assert json.loads(asked[1].sealed.removeprefix("sealed:"))["like"] == ""
    for entry in page.world.journal.entries:
        assert PHONE not in entry.public
    assert PHONE not in caplog.text
    assert PHONE not in str(page.kiosk.visit)


@pytest.mark.rule("LKR-80")
async def test_three_lost_codes_an_hour_also_after_a_restart(page: Page) -> None:
    for _ in range(3):
        assert (await lost(page, "12345"))["screen"] == "lost_sent"
        await page.act("sheet_back")
    await page.restart()
    view = await lost(page, "12345")
    assert (view["screen"], "60" in view["lead"], "12345" in view["lead"]) == ("lost_too_often", True, True)
    await page.act("sheet_back")
    await page.later(3_600_000)
    assert (await lost(page, "12345"))["screen"] == "lost_sent"
    assert len(page.world.journal.events(CodeAskedFor)) == 4


@pytest.mark.rule("LKR-80")
async def test_without_a_link_the_page_says_since_when_and_whom_to_call(page: Page) -> None:
    page.machine.contact = Contact(online=False)
    await page.later(30_000)
    assert any("不会丢失" in text for text in (await page.view())["notices"])
    await page.later(120_000)
    view = await page.act("lost")
    assert (view["screen"], "12345" in view["lead"]) == ("lost_offline", True)
    assert "2" in view["facts"][0]["value"]
    assert view["facts"][0]["time_ms"] == page.world.clock.wall_ms() - 120_000
    assert (await page.act("sheet_back"))["visit"] == ""
    page.machine.contact = Contact(online=True)
    assert (await page.later(30_000))["notices"] == []
    assert page.world.journal.events(CodeAskedFor) == []


async def test_a_link_that_goes_while_they_type_is_said(page: Page) -> None:
    await page.act("lost")
    await page.act("lost_case", digits="12345")
    page.machine.contact = Contact(online=False)
    assert (await page.act("lost_phone", digits=PHONE))["screen"] == "lost_offline"
    assert page.world.journal.events(CodeAskedFor) == []


async def test_a_number_that_is_none_is_said_and_can_be_typed_again(page: Page) -> None:
    await page.act("lost")
    view = await page.act("lost_case", digits="1?")
    assert (view["screen"], view["banner"] != "") == ("lost_case", True)
    view = await page.act("lost_case", digits="1234")
    assert (view["screen"], view["banner"]) == ("lost_phone", "")
    assert (await page.act("lost_phone", digits="138"))["screen"] == "lost_phone"
    assert (await page.act("sheet_back"))["screen"] == "lost_case"
    assert (await page.act("sheet_back"))["screen"] == "home"


async def test_scanning_works_over_a_form(page: Page) -> None:
    codes = await page.load()
    await page.act("lost")
    assert (await page.view())["hears"]
    assert (await page.code(scanned=codes["scan"]))["screen"] == "take"


async def test_a_form_that_nobody_types_on_goes_by_itself(page: Page) -> None:
    await page.act("lost")
    await page.act("lost_case", digits="12345")
    assert (await page.later(60_000))["ask"] is not None
    assert (await page.later(20_000))["screen"] == "home"
    assert page.kiosk.visit.form is None


# --- help ------------------------------------------------------------


@pytest.mark.rule("LKR-81")
async def test_help_at_an_open_door_knows_where_it_is_and_the_visit_goes_on(page: Page) -> None:
    await page.code(typed=await page.world.grant())
    view = await page.act("open")
    door = view["door"]
    assert buttons(view, "corner") == ["help"]
    assert len(buttons(await page.act("help"))) == len(HelpCategory) + 1
    await page.act("help_about", category="door")
    view = await page.act("help_phone", digits="057112345678")
    said = page.world.journal.events(HelpAsked)[0]
    assert (said.category, said.screen, said.door, said.authorisation) == ("door", "place", door, "auth-C-1")
    assert json.loads(said.sealed.removeprefix("sealed:")) == {"phone": "057112345678"}
    assert "057112345678" not in page.world.journal.entries[-1].public
    assert view["reference"].endswith(f"demo-1 · {page.world.journal.state.seq}")
    page.world.hands.put(door)
    assert (await page.shut(door))["screen"] == "help_sent"
    view = await page.act("sheet_back")
    assert (view["screen"], view["receipt"]["qr"]) == ("receipt", True)


async def test_help_on_a_problem_says_what_was_refused_and_needs_no_number(page: Page) -> None:
    await page.code(scanned="1" + "7" * 40)
    before = await page.view()
    await page.act("help")
    assert (await page.act("help_about", category="code"))["entry"]["kind"] == "help_phone"
    assert (await page.act("help_phone"))["screen"] == "help_sent"
    said = page.world.journal.events(HelpAsked)[0]
    assert (said.screen, said.refusal, said.sealed) == ("problem", "code_not_accepted", "")
    after = await page.act("sheet_back")
    assert (after["screen"], after["title"]) == ("problem", before["title"])


async def test_every_page_of_an_applicant_has_help_and_no_page_of_staff_has(page: Page) -> None:
    assert "help" in buttons(await page.view(), "corner")
    await page.sign_in()
    assert (await page.view())["corner"] == []


async def test_a_journal_that_fails_says_so_instead(page: Page) -> None:
    await page.act("help")
    await page.act("help_about", category="other")
    page.world.journal.failing = True
    view = await page.act("help_phone", digits="1234567")
    assert (view["screen"], view["refused"]["reason"], view["corner"]) == ("problem", "journal_failing", [])


# --- five grades ------------------------------------------------------------


@pytest.mark.rule("LKR-82")
async def test_a_visit_is_rated_by_one_tap_once_and_keeps_nobody(page: Page) -> None:
    view = await page.hand_in()
    assert [each["data"]["grade"] for each in view["rating"]["grades"]] == [5, 4, 3, 2, 1]
    view = await page.act("rate", grade=2)
    assert (view["screen"], view["rating"]["chosen"], view["rating"]["grades"]) == ("receipt", 2, [])
    assert "回电" in view["rating"]["thanks"]
    again = await page.http.post("/api/act", json={"act": "rate", "grade": 5})
    assert again.status_code == 409
    rated = page.world.journal.events(VisitRated)
    assert [(each.deposit, each.grade) for each in rated] == [(page.kiosk.visit.deposit, 2)]
    assert (await page.act("leave"))["rating"] is None


async def test_a_grade_there_is_not_is_refused_and_a_failing_journal_asks_for_none(page: Page) -> None:
    await page.hand_in()
    await page.act("rate", grade=6)
    assert page.world.journal.events(VisitRated) == []
    page.world.journal.failing = True
    assert (await page.act("rate", grade=5))["screen"] == "receipt"
    assert (await page.view())["rating"] is None


# --- where else ------------------------------------------------------------

NEAR = (
    Neighbour("demo-2", "东湖社区", 350, 0),
    Neighbour("demo-3", "高新园区", 1_240, 7),
    Neighbour("demo-4", "火车站", 5_600, 3),
)


@pytest.mark.rule("LKR-83")
async def test_a_full_locker_names_the_nearest_with_room(page: Page) -> None:
    await page.world.say(NeighboursTold(NEAR))
    state = page.world.journal.state
    for door in state.compartments:
        state = replace(
            state, compartments={**state.compartments, door: replace(state.compartments[door], fault="x")}
        )
    page.world.journal._state = state
    await page.code(typed=await page.world.grant())
    view = await page.act("open")
    assert view["refused"]["reason"] == "no_room"
    assert [each["name"] for each in view["neighbours"]] == ["高新园区", "火车站"]
    assert "1.2" in view["neighbours"][0]["far"]
    assert "7" in view["neighbours"][0]["room"]
    assert view["facts"][0]["time_ms"] == page.world.clock.wall_ms()


async def test_a_token_of_another_locker_says_which_one_and_how_far(page: Page) -> None:
    await page.world.say(NeighboursTold(NEAR))
    token = page.world.token("auth-C-9", TokenPurpose.DROP_OFF, case="C-9", where="demo-2")
    view = await page.code(scanned=token)
    assert view["refused"]["reason"] == "code_not_accepted"
    assert "东湖社区" in view["lead"]
    assert "350" in view["lead"]


async def test_a_code_that_was_used_is_called_so_where_it_was_scanned(page: Page) -> None:
    codes = await page.load()
    view = await page.code(scanned=codes["scan"])
    page.world.hands.take(view["door"])
    await page.shut(view["door"])
    await page.act("leave")
    view = await page.code(scanned=codes["scan"])
    assert (view["refused"]["reason"], "失效" in view["title"]) == ("code_not_accepted", True)


# --- the table, and privacy ------------------------------------------------------------


@pytest.mark.parametrize("sheet", Sheet)
def test_every_sheet_leads_back_and_knows_no_other_move(sheet: Sheet) -> None:
    seen, at = set(), Form(sheet)
    while (after := moved(at, Move.BACK)) is not None:
        assert after not in seen
        seen.add(after)
        at = Form(after)
    for move in Move:
        if (sheet, move) not in NEXT:
            with pytest.raises(IllegalTransition):
                moved(Form(sheet), move)


async def test_nothing_of_a_person_is_shown_while_nobody_answers(pages: Start) -> None:
    page = await pages()
    view = await page.hand_in("2026-0042-117")
    assert view["facts"]
    view = await page.later(60_000)
    assert (view["facts"], view["papers"], view["receipt"]) == ([], [], None)
    assert view["title"] == view["ask"]["title"]
    assert (await page.act("stay"))["receipt"]["qr"]
    view = await page.act("leave")
    assert "0042" not in json.dumps(view)
    assert "张" not in json.dumps(view, ensure_ascii=False)
    view = await page.code(scanned=await page.world.enrol())
    assert "李*" in view["title"]
    assert "李" not in json.dumps(await page.later(60_000), ensure_ascii=False)


async def test_an_end_that_needs_no_proof_says_nothing_of_the_person(page: Page) -> None:
    codes = await page.load("I-1", "JX2026-004217")
    view = await page.code(scanned=codes["scan"])
    assert view["facts"]
    page.world.hands.take(view["door"])
    view = await page.shut(view["door"])
    assert (view["screen"], view["facts"]) == ("collected", [])


@pytest.mark.parametrize("typed", ["JX2026-004217", "jx2026004217", "2026004217"])
async def test_a_case_number_is_typed_with_its_letters_or_without(page: Page, typed: str) -> None:
    await page.world.grant("JX2026-004217")
    await page.world.grant("QT2026-004217")
    view = await page.act("lost")
    assert view["entry"]["letters"] is True
    await page.act("lost_case", digits=typed)
    assert (await page.act("lost_phone", digits="13800000078"))["screen"] == "lost_sent"
    (asked,) = page.world.journal.events(CodeAskedFor)
    said = json.loads(asked.sealed.removeprefix("sealed:"))
    meant = {said["case"], *said["like"].splitlines()} & {"JX2026-004217", "QT2026-004217"}
    both = {"JX2026-004217", "QT2026-004217"}
    assert meant == (both if typed.isdigit() else {"JX2026-004217"}), "letters say which of the two"


async def test_help_is_asked_for_so_often_and_then_by_telephone(page: Page) -> None:
    per_hour = page.world.journal.state.policy.help_per_hour
    for _ in range(per_hour):
        await page.act("help")
        await page.act("help_about", category="other")
        assert (await page.act("help_phone"))["screen"] == "help_sent"
        await page.act("sheet_back")
        await page.later(1_000)
    view = await page.act("help")
    assert (view["screen"], "12345" in view["lead"]) == ("help_too_often", True)
    assert (await page.act("sheet_back"))["screen"] == "home"
    await page.restart()
    assert (await page.act("help"))["screen"] == "help_too_often", "a restart makes nobody younger"
    await page.act("sheet_back")
    await page.later(3_600_000)
    assert (await page.act("help"))["screen"] == "help_what"
    assert len(page.world.journal.events(HelpAsked)) == per_hour


async def test_help_that_others_used_up_meanwhile_is_refused_at_the_end(page: Page) -> None:
    await page.act("help")
    await page.act("help_about", category="other")
    for _ in range(page.world.journal.state.policy.help_per_hour):
        await ask.help_(page.world.world, ask.Call(HelpCategory.OTHER))
    assert (await page.act("help_phone"))["screen"] == "help_too_often"
