"""A technician's page over HTTP: it shows what is known, and what it does goes through the journal."""

import asyncio
from typing import Any

import pytest

from kiosk_ui import texts
from kiosk_ui.buttons import WHYS
from kiosk_ui.screens import TABS
from locker.domain.acceptance import Doing, Finding, Outcome, Verdict
from locker.domain.compartment import Status
from locker.domain.door import BoardLost, DoorReading, Position, Presence, PulseOutcome, PulseResult
from locker.domain.events import (
    CompartmentBlocked,
    CompartmentFaulted,
    CompartmentRestored,
    OpeningRequested,
    SelfTestEnded,
)
from locker.domain.ids import BoardId, CompartmentNumber
from locker.domain.opening import Phase
from locker.operations.open_door import Opened
from locker.operations.ports import Decided
from locker.operations.service import test_open as try_door
from tests.kiosk_ui.page import Page, View
from tests.locker.operations.tested import ROOT

DOOR = 5


def acts(view: View) -> set[str]:
    return {each["act"] for each in view["acts"]}


def fact(view: View, label: str) -> str:
    return str(next(each["value"] for each in view["facts"] if each["label"] == label))


def tile(view: View, door: int) -> dict[str, Any]:
    return next(each for each in view["service"]["tiles"] if each["door"] == door)


async def turn(page: Page) -> None:
    """Let the self-test do all that it can without time."""
    for _ in range(5):
        await asyncio.wait({page.testing}, timeout=0)
        await page.settle()


async def english(page: Page) -> View:
    await page.technician()
    return await page.act("language", lang="en")


async def fault(page: Page, door: int = DOOR) -> None:
    happened = CompartmentFaulted(CompartmentNumber(door), "did not open")
    await page.world.journal.commit("sensor", lambda _state: Decided(None, (happened,)))


@pytest.mark.parametrize(
    ("roles", "kinds"),
    [
        ({"technician"}, {"service", "sign_out"}),
        ({"helper"}, {"round", "load", "assist", "sign_out"}),
        ({"helper", "technician"}, {"round", "load", "assist", "service", "sign_out"}),
    ],
)
async def test_the_menu_is_what_the_badge_allows(page: Page, roles: set[str], kinds: set[str]) -> None:
    await page.code(scanned=await page.world.enrol("x-1", roles=frozenset(roles)))
    view = await page.act("pin", digits="135790")
    assert acts(view) == kinds
    if "technician" not in roles:
        answer = await page.http.post("/api/act", json={"act": "service", "tab": "doors"})
        assert (answer.status_code, answer.json()["reason"]) == (409, "not_here")


async def test_nobody_reaches_it_without_a_badge(page: Page) -> None:
    for act in ("service", "service_door", "test_open", "block", "unblock", "self_test"):
        data = {"why": "lock"} if act == "block" else {}
        answer = await page.http.post("/api/act", json={"act": act, **data})
        assert answer.status_code == 409, act


async def test_the_doors_say_how_they_stand(page: Page) -> None:
    await page.hand_in()
    await page.act("leave")
    view = await english(page)
    assert (view["screen"], view["stage"], len(view["service"]["tiles"])) == ("service", "service", 16)
    held = [each["door"] for each in view["service"]["tiles"] if each["look"] == "holding"]
    assert tile(view, held[0])["lines"] == ["in use", "shut · an item", "opened and shut"]
    page.world.hands.move(DOOR, Position.OPEN)
    view = await page.view()
    assert tile(view, DOOR)["lines"][1].startswith("open")
    assert tile(view, DOOR)["look"] == "to_check"


async def test_a_vacant_door_is_tried_and_the_page_follows_it(page: Page) -> None:
    await english(page)
    view = await page.act("service_door", door=DOOR)
    assert (view["screen"], view["door"]) == ("service_door", DOOR)
    assert {"test_open", "blocking"} <= acts(view)
    assert "unblock" not in acts(view)
    view = await page.act("test_open", door=DOOR)
    assert (fact(view, "Door"), fact(view, "Last opening")) == ("open", "opened, still open")
    assert "test_open" not in acts(view)
    view = await page.shut(DOOR)
    assert (fact(view, "Door"), fact(view, "Last opening")) == ("shut", "opened and shut")
    assert fact(view, "Status") == "vacant"
    assert page.world.journal.events(OpeningRequested)[0].staff == "t-1"


@pytest.mark.parametrize("phase", [Phase.STUCK, Phase.NOT_SENT, Phase.REFUSED, Phase.LEFT_OPEN])
async def test_open_is_never_said_of_a_door_that_was_not_seen_so(page: Page, phase: Phase) -> None:
    await english(page)
    await page.act("service_door", door=DOOR)
    outcomes = {Phase.NOT_SENT: PulseOutcome.NOT_SENT, Phase.REFUSED: PulseOutcome.REFUSED}
    if phase in outcomes:
        page.world.hands.next_result = PulseResult(outcomes[phase], "cool_down")
    if phase is Phase.STUCK:
        page.world.hands.jammed.add(DOOR)
    await page.act("test_open")
    view = await page.later(6_000 if phase is not Phase.LEFT_OPEN else 130_000)
    opening = page.world.journal.state.opening_of(CompartmentNumber(DOOR))
    assert opening is not None
    assert opening.phase is phase
    assert fact(view, "Door") == ("open" if phase is Phase.LEFT_OPEN else "shut")
    assert view["screen"] == "service_door", "the technician is still there"


async def test_a_door_that_cannot_be_seen_is_not_called_shut(page: Page) -> None:
    await english(page)
    await page.act("service_door", door=DOOR)
    page.world.follower.report(BoardLost(BoardId("A/1"), (CompartmentNumber(DOOR),), 0))
    view = await page.view()
    assert fact(view, "Door") == "not seen"
    assert "test_open" not in acts(view)


async def test_a_door_is_blocked_with_a_reason_and_freed(page: Page) -> None:
    await english(page)
    await page.act("service_door", door=DOOR)
    view = await page.act("blocking")
    assert [each["data"]["why"] for each in view["acts"] if each["act"] == "block"] == list(WHYS)
    view = await page.act("block", why="leaf")
    assert (view["screen"], view["said"]) == ("service_door", "Blocked: nobody gets this door.")
    assert fact(view, "Status") == "blocked · door or hinge"
    assert acts(view) >= {"unblock", "test_open"}
    assert "blocking" not in acts(view)
    view = await page.act("unblock")
    assert fact(view, "Status") == "vacant"
    assert page.world.journal.events(CompartmentBlocked)[0].staff == "t-1"
    assert page.world.journal.events(CompartmentRestored)[0].staff == "t-1"


async def test_what_belongs_to_somebody_has_no_buttons_even_behind_a_fault(page: Page) -> None:
    door = (await page.hand_in())["door"]
    await page.act("leave")
    await english(page)
    view = await page.act("service_door", door=door)
    assert not acts(view) & {"test_open", "blocking", "unblock"}
    await fault(page, door)
    view = await page.view()
    assert acts(view) & {"test_open", "blocking", "unblock"} == {"unblock"}
    assert fact(view, "Status") == "faulty · did not open · something lies in it, or may"


async def test_a_refusal_stays_on_the_page(page: Page) -> None:
    await english(page)
    await page.act("service_door", door=DOOR)
    await page.act("blocking")
    page.world.clock.wall_offset_ms += 30 * 86_400_000
    view = await page.act("block", why="lock")
    assert (view["screen"], view["refused"]["reason"]) == ("service_door", "not_allowed")
    assert view["banner"]
    assert page.world.journal.state.compartments[CompartmentNumber(DOOR)].status is Status.VACANT


async def test_a_door_that_stands_open_does_not_come_back(page: Page) -> None:
    await english(page)
    await page.act("service_door", door=DOOR)
    await page.act("blocking")
    await page.act("block", why="lock")
    await page.act("test_open")
    view = await page.act("unblock")
    assert (view["screen"], view["refused"]["reason"]) == ("service_door", "door_open")


async def test_without_a_journal_no_door_opens_and_the_page_says_so(page: Page) -> None:
    await english(page)
    await page.act("service_door", door=DOOR)
    page.world.journal.failing = True
    view = await page.act("test_open")
    assert (view["screen"], view["refused"]["reason"]) == ("staff_problem", "journal_failing")
    assert page.world.hands.pulses == []


async def test_every_door_is_reached_page_by_page_and_one_by_one(page: Page) -> None:
    await page.technician()
    await page.act("service_door", door=16)
    view = await page.view()
    following = next(each for each in view["acts"] if each["act"] == "service_door")
    assert following["data"] == {"door": 1}
    assert (await page.act("service_door", **following["data"]))["door"] == 1
    view = await page.act("service", tab="doors", page=9)
    assert (view["screen"], view["service"]["page"], view["service"]["pages"]) == ("service", 0, 1)
    view = await page.act("service_door", door=99)
    assert (view["screen"], view["refused"]["reason"]) == ("service", "not_now")


async def test_the_boards_say_how_they_do(page: Page) -> None:
    page.machine.lost.add("A/1")
    await english(page)
    view = await page.act("service", tab="boards")
    rows = view["service"]["rows"]
    assert [row["look"] for row in rows] == ["bad", "good"]
    assert rows[0]["cells"][2] == "lost: no answer"
    assert rows[1]["cells"] == [
        *("B/1", "xor8a-24 · silver", "answers", "21.4 ms"),
        *("0.2 % (3/1200)", "41.2 % used, 19200 baud"),
    ]


async def test_the_sensors_show_what_the_wire_says_beside_what_is_believed(page: Page) -> None:
    await english(page)
    view = await page.act("service", tab="sensors")
    assert tile(view, DOOR)["lines"] == ["A/1/5 = 1 → shut", "B/1/5 = 0 → empty"]
    # Only the wire has changed; nothing is believed of it yet.
    page.world.hands.readings[CompartmentNumber(DOOR)] = DoorReading(Position.OPEN, Presence.PRESENT)
    view = await page.later(1_000)
    assert tile(view, DOOR)["lines"] == ["A/1/5 = 0 → shut", "B/1/5 = 1 → empty"]


async def test_figures_move_by_themselves_while_somebody_looks_and_not_after(page: Page) -> None:
    await page.technician()
    views = page.kiosk.views()
    await anext(views)
    for _ in range(3):
        page.world.clock.advance(1_000)
        await page.settle()
        assert (await anext(views))["screen"] == "service"
    await page.act("sign_out")
    await anext(views)
    page.world.clock.advance(5_000)
    await page.settle()
    waiting = asyncio.ensure_future(anext(views))
    _done, still = await asyncio.wait({waiting}, timeout=0)
    assert still
    waiting.cancel()
    await asyncio.wait({waiting})


async def test_looking_on_is_no_sign_of_life(page: Page) -> None:
    await page.technician()
    view = await page.later(61_000)
    assert view["ask"]
    assert (await page.later(21_000))["screen"] == "home"


async def test_versions_and_contact(page: Page) -> None:
    await english(page)
    view = await page.act("service", tab="versions")
    pairs = {each["label"]: each for each in view["service"]["pairs"]}
    assert pairs["Software"]["value"] == "doclocker 1.2.3"
    assert pairs["Board kinds"]["value"] == "xor8a-24"
    assert pairs["Centre"]["value"] == "connected, 2 entries to be sent"
    assert pairs["Last connected"]["time_ms"] == 1_790_000_000_000
    assert pairs["Journal"]["value"].startswith(f"{page.world.journal.state.seq} · ")


async def test_a_trial_by_somebody_else_is_nobodys_page(page: Page) -> None:
    """At the control socket a door is tried while a visitor's code is looked up."""
    code = await page.world.grant()
    await page.code(typed=code)
    assert page.kiosk.visit.step.value == "offer"
    opened = await try_door(page.world.world, ROOT, CompartmentNumber(DOOR))
    assert isinstance(opened, Opened)
    view = await page.view()
    assert (view["screen"], view["door"]) == ("offer", None)


async def test_the_self_test_goes_from_door_to_door_as_they_are_shut(page: Page) -> None:
    for door in range(4, 17):
        await fault(page, door)
    await english(page)
    view = await page.act("service", tab="self_test")
    assert view["service"]["said"] == "No test has run since the start."
    assert {"self_test"} == acts(view) & {"self_test", "self_test_stop"}
    view = await page.act("self_test")
    assert {"self_test_stop"} == acts(view) & {"self_test", "self_test_stop"}
    said: set[str] = set()
    while page.machine.tester.running:
        page.world.clock.advance(100)
        await turn(page)
        view = await page.view()
        said.add(view["service"]["said"])
        for door, reading in page.world.hands.readings.items():
            if reading.position is Position.OPEN and f"Please push door {door} shut" in said:
                await page.shut(door)
    view = await page.later(1_000)
    assert view["service"]["said"] == "Passed: 3 good, 13 skipped"
    assert {f"Please push door {door} shut" for door in (1, 2, 3)} <= said
    assert tile(view, 1)["look"] == "passed"
    assert [line.split()[0] for line in tile(view, 1)["lines"][1].split(" · ")] == ["open", "shut"]
    assert tile(view, 4)["lines"] == ["skipped", "not vacant (faulty)"]
    assert len(page.world.journal.events(SelfTestEnded)) == 1


async def test_a_self_test_can_be_stopped(page: Page) -> None:
    await english(page)
    await page.act("service", tab="self_test")
    await page.act("self_test")
    await page.act("self_test_stop")
    await turn(page)
    view = await page.later(1_000)
    assert view["service"]["said"].endswith("stopped")
    assert page.world.hands.pulses == []


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_everything_that_can_be_found_has_its_words(language: str) -> None:
    words = texts.load(language)
    wanted = {f"found.{each}" for each in Finding if each} | {f"doing.{each}" for each in Doing}
    wanted |= {f"verdict.{each}" for each in Verdict} | {f"result.{each}" for each in Outcome}
    wanted |= {f"status.{each}" for each in Status} | {f"outcome.{each}" for each in Phase}
    wanted |= {f"position.{each}" for each in Position} | {f"inside.{each}" for each in Presence}
    wanted |= {f"act.tab_{tab}" for tab in TABS} | {f"screen.service.title_{tab}" for tab in TABS}
    wanted |= {f"act.why_{why}" for why in WHYS} | {f"why.{why}" for why in WHYS}
    assert {key for key in wanted if not words.has(key)} == set()
