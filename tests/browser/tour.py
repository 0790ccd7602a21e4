"""A tour of every page of the kiosk: drives one locker from screen to screen and says where it is."""

from collections.abc import Callable
from dataclasses import replace

from kiosk_ui.backroom import Contact
from locker.domain.asked import HelpCategory, Neighbour
from locker.domain.codes import check_digit
from locker.domain.deposit import Proof
from locker.domain.door import BoardFound, BoardLost, DoorReading, Position, Presence
from locker.domain.events import (
    CompartmentsConfigured,
    DepositCancelled,
    NeighboursTold,
    SubmissionTaken,
)
from locker.domain.ids import BoardId, CompartmentNumber, StaffId
from locker.domain.tokens import TokenPurpose
from locker.operations import ask
from locker.operations.ports import Decided
from tests.browser import tour_rounds
from tests.browser import tour_together as together
from tests.browser.tour_together import Stops, doubt
from tests.kiosk_ui.page import Page
from tests.locker.operations.world import cabinet


async def drop_off(page: Page) -> Stops:
    yield "home", await page.view()
    view = await page.code(typed="12345678901")
    yield "home_slip", view
    code = await page.world.grant("JX2026-004217")
    yield "offer", await page.code(typed=code)
    page.world.hands.jammed.update(range(1, 17))
    view = await page.act("open")
    first = view["door"]
    yield "opening", view
    yield "stuck", await page.later(6_000)
    page.world.hands.jammed = {first}
    yield "opening_again", await page.act("again")
    view = await page.later(6_000)
    yield "place_other", view
    view = await page.shut(view["door"])
    yield "empty", view
    await page.act("again")
    view = await page.shut(view["door"])
    yield "empty_twice", view
    await page.act("again")
    yield "place_urgent", await page.later(21_000)
    page.world.hands.put(view["door"])
    yield "receipt", await page.shut(view["door"])
    yield "receipt_ask", await page.later(61_000)
    await page.act("stay")
    await page.act("leave")


async def look_again(page: Page) -> Stops:
    code = await page.world.grant("JX2026-004220")
    await page.code(typed=code)
    view = await page.act("open")
    yield "place", view
    page.world.hands.put(view["door"])
    await page.shut(view["door"])
    yield "offer_again", await page.code(typed=code)
    yield "look", await page.act("open")
    page.world.hands.take(view["door"])
    yield "taken_back", await page.shut(view["door"])
    await page.act("leave")
    await page.code(typed=code)
    view = await page.act("open")
    yield "not_empty", await page.act("not_empty")
    yield "offer_another", await page.shut(view["door"])
    await page.act("leave")


async def without_sensors(page: Page) -> Stops:
    code = await page.world.grant("JX2026-004218")
    await page.code(typed=code)
    view = await page.act("open")
    door = view["door"]
    yield "confirm_in", await page.shut(door)
    await page.act("confirm_in")
    await page.act("leave")
    await page.code(typed=code)
    await page.act("open")
    yield "looked", await page.shut(door)
    yield "receipt_kept", await page.act("still_inside")
    await page.act("leave")
    codes = await page.load("I-9", "JX2026-000009")
    view = await page.code(scanned=codes["scan"])
    door = view["door"]
    yield "confirm_taken", await page.shut(door)
    await page.act("again")
    await page.act("refuse", reason="damaged")
    yield "put_back_confirm", await page.shut(door)
    await page.act("back")
    await page.act("taken")
    await page.act("leave")


async def pick_up(page: Page) -> Stops:
    codes = await page.load("I-1", "JX2026-000001", second_factor=True)
    yield "phone", await page.code(scanned=codes["scan"])
    yield "phone_wrong", await page.act("phone4", digits="0000")
    view = await page.act("phone4", digits="5678")
    door = view["door"]
    yield "take", view
    yield "still_inside", await page.shut(door)
    await page.act("again")
    yield "refusing", await page.act("refusing")
    yield "put_back", await page.act("refuse", reason="damaged")
    yield "refused_item", await page.shut(door)
    await page.act("leave")
    codes = await page.load("I-2", "JX2026-000002")
    view = await page.code(typed=codes["typed"])
    page.world.hands.take(view["door"])
    yield "collected", await page.shut(view["door"])
    await page.act("leave")
    codes = await page.load("I-3", "JX2026-000003")
    page.world.hands.jammed.update(range(1, 17))
    await page.code(typed=codes["typed"])
    for _ in range(2):
        await page.later(6_000)
        await page.act("again")
    yield "give_up", await page.later(6_000)
    await page.act("leave")
    page.world.hands.jammed.clear()


async def problems(page: Page) -> Stops:
    wrong = "1234567890" + check_digit("1234567890")
    yield "problem_code", await page.code(typed=wrong)
    for _ in range(4):
        await page.later(120_000)
        view = await page.code(typed=wrong)
    view = await page.code(typed=wrong)
    yield "problem_wait", view
    yield "home_wait", await page.act("leave")
    await page.later(900_000)
    code = await page.world.grant("JX2026-004219")
    await page.code(typed=code)
    view = await page.act("open")
    door = CompartmentNumber(view["door"])
    page.world.follower.report(BoardLost(BoardId("A/2"), tuple(page.world.hands.readings), 0))
    yield "unseen", await page.view()
    page.world.follower.report(BoardFound(BoardId("A/2"), 0))
    page.world.report_all()
    await page.view()
    await page.later(130_000)
    yield "home_door_open", await page.view()
    await page.code(typed=code)
    yield "problem_door_open", await page.act("open")
    await page.shut(door)
    page.world.journal.failing = True
    yield "out_of_service", await page.act("leave")
    page.world.journal.failing = False


async def interrupted(page: Page) -> Stops:
    codes = await page.load("I-4", "JX2026-000004")
    view = await page.code(scanned=codes["scan"])
    shut = DoorReading(Position.CLOSED, Presence.PRESENT)
    page.world.hands.readings[CompartmentNumber(view["door"])] = shut
    yield "interrupted", await page.restart()
    await page.act("leave")


async def behind_its_back(page: Page) -> Stops:
    """The record of a visit ends while its person stands there: staff, or the centre, were faster."""
    code = await page.world.grant("JX2026-004231")
    await page.code(typed=code)
    view = await page.act("open")
    view = await page.shut(view["door"])
    deposit = page.kiosk.visit.deposit
    cancelled = DepositCancelled(deposit, Proof.SENSED)
    await page.world.journal.commit("daemon", lambda _state: Decided(None, (cancelled,)))
    yield "cancelled", await page.view()
    await page.act("leave")
    await page.hand_in("JX2026-004232")
    taken = SubmissionTaken(page.kiosk.visit.deposit, StaffId("h-1"), Proof.DECLARED, "complete")
    await page.world.journal.commit("daemon", lambda _state: Decided(None, (taken,)))
    yield "ended", await page.view()
    await page.act("leave")


async def staff(page: Page) -> Stops:
    for n in range(3):
        await page.hand_in(f"JX2026-00{n}")
        await page.act("leave")
    badge = await page.world.enrol()
    yield "pin", await page.code(scanned=badge)
    yield "pin_wrong", await page.act("pin", digits="111111")
    await doubt(page, 12)
    yield "menu", await page.act("pin", digits="135790")
    view = await page.act("round", kind="intake")
    yield "round_intake", view
    view = await page.act("intake_open", **view["rows"][0]["data"])
    door = view["door"]
    yield "take_out", view
    yield "not_taken", await page.shut(door)
    await page.act("again")
    page.world.hands.take(door)
    yield "intake_confirm", await page.shut(door)
    yield "round_intake_next", await page.act("intake_confirm", finding="missing")
    await page.act("sign_out")


async def loading(page: Page) -> Stops:
    await page.sign_in()
    yield "load", await page.act("load")
    await page.act("menu")
    label = page.world.token("I-5", case="JX2026-000005")
    yield "label_unannounced", await page.code(scanned=label)
    await page.world.announce("I-6", "JX2026-000006")
    label = page.world.token("I-6", case="JX2026-000006")
    yield "label", await page.code(scanned=label)
    view = await page.act("load_open")
    door = view["door"]
    yield "put_in", view
    yield "load_empty", await page.shut(door)
    await page.act("again")
    page.world.hands.put(door)
    yield "second_look", await page.shut(door)
    yield "second_look_wrong", await page.code(scanned=page.world.token("I-7", case="JX2026-000007"))
    yield "load_done", await page.code(scanned=label)
    yield "staff_problem", await page.code(scanned=label)
    await page.act("sign_out")


async def cut_off(page: Page) -> Stops:
    """A label is scanned once more after a kill during its loading; no sensor shows what lies there."""
    await page.sign_in()
    await page.world.announce("I-9", "JX2026-000009")
    label = page.world.token("I-9", case="JX2026-000009")
    await page.code(scanned=label)
    page.world.hands.jammed.update(range(1, 17))
    await page.act("load_open")
    await page.restart()
    page.world.hands.jammed.clear()
    await page.sign_in()
    await page.code(scanned=label)
    yield "look_first", await page.act("load_open")
    await page.act("sign_out")


async def disk_full(page: Page) -> Stops:
    page.world.world = replace(page.world.world, takes_in=lambda: False)
    await page.restart()
    await page.code(typed=await page.world.grant("JX2026-004223"))
    yield "problem_disk_full", await page.act("open")
    await page.act("leave")


async def rounds(page: Page) -> Stops:
    await page.load("I-8", "JX2026-000008")
    await doubt(page, 12)
    await page.sign_in()
    yield "round_withdraw_none", await page.act("round", kind="withdraw")
    await page.act("menu")
    await page.overdue()
    await page.world.enrol()
    view = await page.act("round", kind="withdraw")
    yield "round_withdraw", view
    view = await page.act("withdraw_open", **view["rows"][0]["data"])
    page.world.hands.take(view["door"])
    yield "withdraw_confirm", await page.shut(view["door"])
    await page.act("withdraw_confirm")
    await page.act("menu")
    view = await page.act("round", kind="check")
    yield "round_check", view
    view = await page.act("check_open", **view["rows"][0]["data"])
    yield "inspect", view
    yield "check_confirm", await page.shut(view["door"])
    yield "round_check_none", await page.act("check_confirm", empty=True)
    await page.act("sign_out")


async def service(page: Page) -> Stops:
    await page.hand_in("JX2026-000010")
    await page.act("leave")
    for roles in ({"technician"}, {"helper", "technician"}):
        await page.code(scanned=await page.world.enrol("t-1", roles=frozenset(roles)))
        yield f"menu_{len(roles)}", await page.act("pin", digits="135790")
        await page.act("sign_out")
    await doubt(page, 9)
    await page.technician()
    await page.act("service_door", door=3)
    yield "service_blocking", await page.act("blocking")
    yield "service_blocked", await page.act("block", why="dirty")
    await page.act("test_open")
    yield "service_refused", await page.act("unblock")
    await page.shut(3)
    yield "service_door", await page.act("service_door", door=6)
    yield "service_open", await page.act("test_open")
    await page.shut(6)
    page.world.hands.jammed.add(7)
    await page.act("service_door", door=7)
    await page.act("test_open")
    yield "service_stuck", await page.later(6_000)
    page.world.hands.jammed.clear()
    page.machine.lost.add("A/1")
    page.machine.why = "inputs drive channels [1, 2, 3]; set registers 0x1000+n to 0"
    for tab in ("doors", "boards", "sensors", "versions", "self_test"):
        yield f"service_{tab}", await page.act("service", tab=tab)
    await page.act("self_test")
    for _ in range(80):
        await page.later(100)
    yield "service_testing", await page.view()
    page.world.hands.shut(1)
    for _ in range(40):
        await page.later(100)
    await page.act("self_test_stop")
    yield "service_tested", await page.later(1_000)
    await page.act("sign_out")


async def large_cabinet(page: Page) -> Stops:
    """As many doors as one locker may have: eight boards of 24."""
    specs = tuple(
        replace(spec, cabinet="ABCDEFGH"[(spec.number - 1) // 24], row=(spec.number - 1) % 24 // 4)
        for spec in cabinet(192)
    )
    fact = CompartmentsConfigured(specs)
    await page.world.journal.commit("daemon", lambda _state: Decided(None, (fact,)))
    shut = DoorReading(Position.CLOSED, Presence.ABSENT)
    page.world.hands.readings.update(dict.fromkeys((spec.number for spec in specs), shut))
    page.world.hands.sensors = {spec.number: True for spec in specs}
    page.world.report_all()
    await page.technician()
    yield "large_doors", await page.act("service", tab="doors", page=7)
    yield "large_boards", await page.act("service", tab="boards", page=1)
    yield "large_sensors", await page.act("service", tab="sensors", page=3)
    yield "large_door", await page.act("service_door", door=192)
    await page.act("sign_out")
    await page.code(typed=await page.world.grant("JX2026-004230"))
    yield "large_place", await page.act("open")


NEAR = (Neighbour("demo-3", "高新园区", 1_240, 7), Neighbour("demo-4", "火车站", 5_600, 3))


async def asking(page: Page) -> Stops:
    """Help, a code that is lost, and where else there is room."""
    yield "help", await page.act("help")
    yield "help_phone", await page.act("help_about", category="door")
    yield "help_sent", await page.act("help_phone", digits="057112345678")
    await page.act("sheet_back")
    await page.act("lost")
    yield "lost_case_wrong", await page.act("lost_case", digits="12")
    yield "lost_phone", await page.act("lost_case", digits="20260042117")
    yield "lost_sent", await page.act("lost_phone", digits="13800000078")
    for _ in range(2):
        await page.act("sheet_back")
        await page.act("lost")
        await page.act("lost_case", digits="12345")
        await page.act("lost_phone", digits="13800000078")
    await page.act("sheet_back")
    yield "lost_case", await page.act("lost")
    await page.act("lost_case", digits="12345")
    yield "lost_too_often", await page.act("lost_phone", digits="13800000078")
    await page.act("sheet_back")
    page.machine.contact = Contact(online=False)
    await page.later(150_000)
    yield "home_offline", await page.view()
    yield "lost_offline", await page.act("lost")
    page.machine.contact = Contact(online=True)
    await page.act("sheet_back")
    await page.world.say(NeighboursTold(NEAR))
    token = page.world.token("auth-C-9", TokenPurpose.DROP_OFF, case="C-9", where="demo-3")
    yield "problem_elsewhere", await page.code(scanned=token)
    await page.act("leave")
    yield "receipt_rated_before", await page.hand_in("JX2026-004221")
    yield "receipt_rated", await page.act("rate", grade=5)
    await page.act("leave")
    for _ in range(page.world.journal.state.policy.help_per_hour - 1):
        await ask.help_(page.world.world, ask.Call(HelpCategory.OTHER))
    yield "help_too_often", await page.act("help")
    await page.act("sheet_back")
    faults = {n: replace(each, fault="stuck") for n, each in page.world.journal.state.compartments.items()}
    page.world.journal._state = replace(page.world.journal.state, compartments=faults)
    await page.code(typed=await page.world.grant("JX2026-004222"))
    yield "problem_full", await page.act("open")
    await page.act("leave")


Part = Callable[[Page], Stops]
PARTS: dict[str, tuple[Part, bool]] = {
    "drop_off": (drop_off, True),
    "look_again": (look_again, True),
    "without_sensors": (without_sensors, False),
    "pick_up": (pick_up, True),
    "problems": (problems, True),
    "interrupted": (interrupted, True),
    "behind_its_back": (behind_its_back, True),
    "staff": (staff, True),
    "loading": (loading, True),
    "cut_off": (cut_off, False),
    "disk_full": (disk_full, True),
    "rounds": (rounds, True),
    "intake_round": (tour_rounds.intake, True),
    "load_round": (tour_rounds.loading, True),
    "stocktaking": (together.stocktaking, False),
    "without_memory": (together.without_memory, False),
    "assisted": (together.assisted, True),
    "service_window": (together.service_window, True),
    "service": (service, True),
    "large_cabinet": (large_cabinet, True),
    "asking": (asking, True),
}
"""Each part with whether its locker has item sensors."""
