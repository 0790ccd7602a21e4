"""A helper's round, door after door, over HTTP."""

from typing import Any

import pytest

from kiosk_ui.backroom import Contact
from locker.domain.codes import BAG_KIND, check_digit
from locker.domain.deposit import Phase
from locker.domain.events import (
    CompartmentDoubted,
    FindingCorrected,
    ItemLoaded,
    ItemWithdrawn,
    OpeningRequested,
    RoundBegan,
    RoundEnded,
    RoundJoined,
    RoundSkipped,
    SubmissionTaken,
    TicketOpened,
)
from locker.domain.ids import CompartmentNumber
from locker.operations import rounds
from tests.kiosk_ui.page import Page, Start, View

CASES = ("C-1", "C-2", "C-3")
BAG = BAG_KIND + "1234567" + check_digit("1234567")


async def begun(page: Page, *cases: str) -> View:
    """Papers of these cases wait, and a helper has pressed Begin: the first door stands open."""
    for case in cases:
        await page.hand_in(case)
        await page.act("leave")
    await page.sign_in()
    await page.act("round", kind="intake")
    return await page.act("round_go")


async def take(page: Page, view: View, finding: str = "complete") -> View:
    """Take it out, one tap, shut the door."""
    page.world.hands.take(view["door"])
    view = await page.act("intake_confirm", finding=finding, deposit=_deposit(view))
    assert view["screen"] == "take_out"
    return await page.shut(view["door"])


def _deposit(view: View) -> str:
    return str(_act(view, "intake_confirm")["data"]["deposit"])


def _act(view: View, name: str) -> dict[str, Any]:
    return next(dict(each) for each in view["acts"] if each["act"] == name)


def facts(view: View) -> dict[str, str]:
    return {each["label"]: each["value"] for each in view["facts"]}


async def colleague(page: Page) -> View:
    await page.code(scanned=await page.world.enrol("h-2"))
    await page.act("pin", digits="135790")
    return await page.act("round", kind="intake")


@pytest.mark.rule("LKR-102")
async def test_one_tap_an_item_and_the_next_door_opens_when_the_last_is_shut(page: Page) -> None:
    view = await begun(page, *CASES)
    doors = []
    for done, finding in enumerate(("complete", "missing", "complete")):
        assert view["screen"] == "take_out"
        assert f"{done} / 3" in facts(view)["本轮进度"]
        doors.append(view["door"])
        view = await take(page, view, finding)
    assert view["screen"] == "round_done"
    grants = page.world.journal.events(OpeningRequested)[-3:]
    assert [each.door for each in grants] == doors
    assert len({each.grant for each in grants}) == 3
    assert [each.finding for each in page.world.journal.events(SubmissionTaken)] == [
        *("complete", "missing", "complete")
    ]
    view = await page.act("round_end")
    ended = page.world.journal.events(RoundEnded)[0]
    assert (view["screen"], ended.done, ended.skipped, ended.left) == ("round_slip", 3, 0, 0)
    slip = page.world.journal.events(RoundBegan)[0].slip
    assert {each.slip for each in page.world.journal.events(SubmissionTaken)} == {slip}
    assert view["slip"]["number"].replace(" ", "") == slip
    # What was handed over is not corrected here any more.
    assert "round_undo" not in {each["act"] for each in view["acts"]}
    assert [line["case"] for line in view["slip"]["lists"][0]["lines"]] == list(CASES)
    code = await page.http.get("/api/qr", params={"visit": view["visit"]})
    assert code.headers["content-type"].startswith("image/svg")


@pytest.mark.rule("LKR-102")
async def test_who_walks_away_gets_no_open_door(page: Page) -> None:
    view = await begun(page, "C-1", "C-2")
    page.world.hands.take(view["door"])
    await page.act("intake_confirm", finding="complete")
    await page.later(rounds.GO_ON_MS + 1)
    pulses = len(page.world.hands.pulses)
    view = await page.shut(view["door"])
    assert (view["screen"], len(page.world.hands.pulses)) == ("round_intake", pulses)
    assert len(page.world.journal.events(SubmissionTaken)) == 1
    assert (await page.act("round_go"))["screen"] == "take_out"


async def test_without_a_finding_nothing_opens_by_itself(page: Page) -> None:
    view = await begun(page, "C-1", "C-2")
    page.world.hands.take(view["door"])
    pulses = len(page.world.hands.pulses)
    view = await page.shut(view["door"])
    assert (view["screen"], len(page.world.hands.pulses)) == ("intake_confirm", pulses)
    view = await page.act("intake_confirm", finding="complete")
    assert (view["screen"], len(page.world.hands.pulses)) == ("take_out", pulses + 1)


@pytest.mark.rule("LKR-103")
async def test_what_is_still_inside_is_not_taken_in(page: Page) -> None:
    view = await begun(page, "C-1", "C-2")
    await page.act("intake_confirm", finding="complete")
    view = await page.shut(view["door"])
    assert (view["screen"], view["refused"]["reason"]) == ("not_taken", "still_inside")
    assert page.world.journal.events(SubmissionTaken) == []


async def test_a_scan_of_the_right_papers_confirms_and_another_says_so(page: Page) -> None:
    view = await begun(page, "C-1", "C-2")
    page.world.hands.take(view["door"])
    view = await page.code(scanned="C-2")
    assert (view["screen"], view["refused"]["reason"]) == ("take_out", "wrong_label")
    view = await page.shut(view["door"])
    assert view["screen"] == "intake_confirm"
    view = await page.code(scanned="C-1")
    assert (view["screen"], len(page.world.journal.events(SubmissionTaken))) == ("take_out", 1)
    # A numbered label is put on what had none; the same one is no other's afterwards.
    page.world.hands.take(view["door"])
    await page.code(scanned=BAG)
    view = await page.shut(view["door"])
    assert view["screen"] == "round_done"
    assert [d.bag for d in page.world.journal.state.deposits.values()] == ["", BAG[1:-1]]


@pytest.mark.parametrize("why", ["stuck", "not_mine", "other"])
async def test_what_is_skipped_stays_and_stands_at_the_end(page: Page, why: str) -> None:
    view = await begun(page, "C-1", "C-2")
    first = view["door"]
    view = await page.act("skipping")
    assert view["screen"] == "skipping"
    view = await page.act("skip", why=why, deposit=_act(view, "skip")["data"]["deposit"])
    assert view["screen"] == "take_out"
    view = await page.shut(first)
    assert (view["screen"], view["door"] != first) == ("take_out", True)
    page.world.hands.take(view["door"])
    await page.act("intake_confirm", finding="complete")
    view = await page.shut(view["door"])
    assert (view["screen"], page.world.journal.events(RoundSkipped)[0].why) == ("round_done", why)
    phases = [each.phase for each in page.world.journal.state.deposits.values()]
    assert phases == [Phase.AWAITING_INTAKE, Phase.TAKEN_IN]
    view = await page.act("round_end")
    assert "C-1" in str(view["slip"]["lists"][1])
    ended = page.world.journal.events(RoundEnded)[0]
    assert (ended.done, ended.skipped, ended.left) == (1, 1, 0)


async def test_nothing_inside_is_looked_into_by_others(page: Page) -> None:
    view = await begun(page, "C-1", "C-2")
    first = view["door"]
    await page.act("skipping")
    deposit = _act(await page.view(), "skip")["data"]["deposit"]
    await page.act("skip", why="nothing_inside", deposit=deposit)
    view = await page.shut(first)
    assert (view["screen"], view["refused"]["reason"]) == ("not_taken", "still_inside")
    await page.act("again")
    page.world.hands.take(first)
    await page.act("skipping")
    await page.act("skip", why="nothing_inside", deposit=deposit)
    view = await page.shut(first)
    assert view["screen"] == "take_out"
    assert page.world.journal.events(CompartmentDoubted)[0].door == first
    assert "item_missing" in {each.kind for each in page.world.journal.events(TicketOpened)}


async def test_a_door_that_will_not_open_is_skipped_at_once(page: Page) -> None:
    page.world.hands.jammed.add(1)
    await page.hand_in("C-1")
    page.world.hands.jammed.clear()
    view = await begun(page, "C-2")
    page.world.hands.jammed.update(range(1, 17))
    await take(page, view)
    view = await page.later(6_000)
    assert view["screen"] == "stuck"
    page.world.hands.jammed.clear()
    view = await page.act("skipping")
    view = await page.act("skip", why="stuck", deposit=_act(view, "skip")["data"]["deposit"])
    assert view["screen"] == "round_done"
    assert "door_stuck" in {each.kind for each in page.world.journal.events(TicketOpened)}


@pytest.mark.parametrize("finding", ["missing", "undone"])
@pytest.mark.rule("LKR-104")
async def test_the_last_finding_is_corrected_and_both_stay_on_record(pages: Start, finding: str) -> None:
    page = await pages(item_sensors=False)
    for case in ("C-1", "C-2"):
        await page.hand_in(case)
        await page.act("confirm_in")
        await page.act("leave")
    view = await begun(page)
    first = view["door"]
    view = await take(page, view)
    view = await page.act("round_undo")
    assert (view["screen"], "C-1" in view["title"]) == ("correcting", True)
    deposit = _act(view, "correct")["data"]["deposit"]
    view = await page.act("correct", finding=finding, deposit=deposit)
    assert (view["screen"], view["refused"]) == ("take_out", None)
    fact = page.world.journal.events(FindingCorrected)[0]
    assert (fact.finding, len(page.world.journal.events(SubmissionTaken))) == (finding, 1)
    doubted = page.world.journal.state.compartments[CompartmentNumber(first)].doubt
    assert bool(doubted) is (finding == "undone")
    assert rounds.count(page.world.journal.state, "intake").done == (0 if finding == "undone" else 1)


async def test_any_finding_of_a_round_can_be_corrected_until_there_is_a_slip(page: Page) -> None:
    view = await begun(page, *CASES)
    for _ in CASES[:2]:
        view = await take(page, view)
    view = await page.act("round_undo")
    assert ("C-2" in view["title"], [row["title"] for row in view["rows"]]) == (True, ["C-2", "C-1"])
    assert [row["label"] for row in view["rows"]] == ["已选", "选这件"]
    earlier = view["rows"][1]["data"]
    view = await page.act("round_undo", **earlier)
    assert "C-1" in view["title"]
    view = await page.act("correct", finding="missing", **earlier)
    assert (view["screen"], view["refused"]) == ("take_out", None)
    (fact,) = page.world.journal.events(FindingCorrected)
    assert (fact.deposit, fact.finding) == (earlier["deposit"], "missing")
    # Nothing that is none of theirs: what waits still, what lies behind the open door.
    for other in (_deposit(view), "nobody"):
        await page.act("round_undo")
        view = await page.act("correct", finding="missing", deposit=other)
        assert view["refused"]["reason"] == "not_now"
    view = await take(page, view)
    assert view["screen"] == "round_done"
    await page.act("round_end")
    assert len(page.world.journal.events(FindingCorrected)) == 1


async def test_a_door_that_stood_open_over_a_restart_is_gone_on_with(page: Page) -> None:
    view = await begun(page, *CASES)
    door, pulses = view["door"], len(page.world.hands.pulses)
    page.world.hands.take(door)
    await page.restart()
    await page.code(scanned=await page.world.enrol())
    await page.act("pin", digits="135790")
    await page.act("round", kind="intake")
    view = await page.act("round_go")
    assert (view["screen"], view["door"], len(page.world.hands.pulses)) == ("take_out", door, pulses)
    view = await take(page, view)
    assert (view["screen"], view["door"] != door) == ("take_out", True)
    assert len(page.world.journal.events(SubmissionTaken)) == 1


@pytest.mark.parametrize(
    ("cases", "guided", "said"),
    [(2, True, "下一扇门"), (1, True, "核对本轮"), (2, False, "回到清单")],
)
async def test_what_comes_next_is_said_as_it_will_be(page: Page, cases: int, guided: bool, said: str) -> None:
    view = await begun(page, *CASES[:cases])
    if not guided:
        await page.shut(view["door"])
        await page.act("menu")
        view = await page.act("round", kind="intake")
        view = await page.act("intake_open", **view["rows"][0]["data"])
    assert said in view["next"]


@pytest.mark.rule("LKR-101")
async def test_a_colleague_goes_on_after_a_pause_and_each_has_their_slip(page: Page) -> None:
    view = await begun(page, *CASES)
    view = await take(page, view)
    page.world.hands.take(view["door"])
    await page.shut(view["door"])
    await page.act("menu")
    await page.act("sign_out")
    view = await page.restart()
    view = await colleague(page)
    assert (view["screen"], "1 / 3" in view["title"], len(view["rows"])) == ("round_intake", True, 2)
    assert "李*" in facts(view).values()
    view = await page.act("round_go")
    while view["screen"] == "take_out":
        view = await take(page, view)
    view = await page.act("round_end")
    began, joined = page.world.journal.events(RoundBegan, RoundJoined)
    assert joined.round == began.slip != joined.slip
    slips = [each.slip for each in page.world.journal.events(SubmissionTaken)]
    assert slips == [began.slip, joined.slip, joined.slip]
    assert view["slip"]["number"].replace(" ", "") == joined.slip
    assert [len(part["lines"]) for part in view["slip"]["lists"]] == [2, 1]


async def test_loading_is_a_scan_to_open_and_a_scan_to_count(page: Page) -> None:
    for number in (1, 2):
        await page.world.announce(f"I-{number}", f"C-{number}")
    first, second = (page.world.token(f"I-{n}", case=f"C-{n}") for n in (1, 2))
    await page.sign_in()
    assert (await page.act("load"))["screen"] == "load"
    view = await page.code(scanned=first)
    assert view["screen"] == "put_in"
    page.world.hands.put(view["door"])
    view = await page.code(scanned=second)
    assert (view["screen"], view["refused"]["reason"]) == ("put_in", "wrong_label")
    await page.shut(view["door"])
    assert (await page.code(scanned=second))["refused"]["reason"] == "wrong_label"
    view = await page.code(scanned=first)
    assert (view["screen"], len(page.world.journal.events(ItemLoaded))) == ("load", 1)
    view = await page.code(scanned=second)
    page.world.hands.put(view["door"])
    await page.shut(view["door"])
    view = await page.act("name_seen")
    assert (view["screen"], len(page.world.journal.events(ItemLoaded))) == ("load", 2)
    view = await page.act("round_end")
    assert (view["screen"], page.world.journal.events(RoundEnded)[0].done) == ("round_slip", 2)


async def test_what_was_loaded_last_is_taken_out_again(page: Page) -> None:
    await page.world.announce("I-1")
    label = page.world.token("I-1")
    await page.sign_in()
    await page.act("load")
    view = await page.code(scanned=label)
    page.world.hands.put(view["door"])
    await page.shut(view["door"])
    await page.code(scanned=label)
    view = await page.act("round_undo")
    assert view["screen"] == "take_out"
    page.world.hands.take(view["door"])
    assert (await page.shut(view["door"]))["screen"] == "withdraw_confirm"
    view = await page.act("withdraw_confirm")
    assert (view["screen"], len(page.world.journal.events(ItemWithdrawn))) == ("load", 1)
    assert rounds.count(page.world.journal.state, "load").done == 0
    assert all(code.ended for code in page.world.journal.state.codes.values())


async def test_overdue_items_are_withdrawn_one_after_the_other(page: Page) -> None:
    for number in (1, 2):
        await page.load(f"I-{number}", f"C-{number}")
    await page.overdue()
    await page.sign_in()
    await page.act("round", kind="withdraw")
    view = await page.act("round_go")
    page.world.hands.take(view["door"])
    view = await page.code(scanned=page.world.token("I-1", case="C-1"))
    assert (view["screen"], view["refused"]) == ("take_out", None)
    view = await page.shut(view["door"])
    page.world.hands.take(view["door"])
    await page.act("withdraw_confirm")
    view = await page.shut(view["door"])
    assert (view["screen"], len(page.world.journal.events(ItemWithdrawn))) == ("round_done", 2)


async def test_a_press_made_at_the_door_before_is_not_taken_at_this_one(page: Page) -> None:
    view = await begun(page, "C-1", "C-2")
    stale = _deposit(view)
    await take(page, view)
    view = await page.act("intake_confirm", finding="complete", deposit=stale)
    assert (view["screen"], view["refused"]["reason"]) == ("take_out", "not_now")


@pytest.mark.rule("LKR-100")
async def test_a_round_that_rested_overnight_is_another_one(page: Page) -> None:
    view = await begun(page, "C-1", "C-2")
    view = await take(page, view)
    page.world.hands.take(view["door"])
    await page.shut(view["door"])
    await page.act("intake_confirm", finding="complete")
    await page.act("sign_out")
    await page.hand_in("C-3")
    await page.act("leave")
    page.world.clock.wall_offset_ms += rounds.RESTS_MS + 1
    view = await begun(page)
    assert view["screen"] == "take_out"
    began = page.world.journal.events(RoundBegan)
    assert (len(began), page.world.journal.events(RoundEnded)[0].round) == (2, began[0].slip)


async def test_without_a_link_it_says_what_could_not_be_checked(page: Page) -> None:
    await page.hand_in("C-1")
    await page.act("leave")
    await page.sign_in()
    assert (await page.act("round", kind="intake"))["notices"] == []
    page.machine.contact = Contact(online=False)
    await page.later(30_000)
    assert "无法核对" in (await page.view())["notices"][0]
    view = await take(page, await page.act("round_go"))
    assert view["screen"] == "round_done"
    assert "连不上中心" in (await page.act("round_end"))["notices"][0]
    await page.act("menu")
    assert "无法核对" in (await page.act("load"))["notices"][0]
