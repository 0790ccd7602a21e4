"""The pages of several people at one kiosk: stocktake, second badge, service window, assisted service."""

from collections.abc import AsyncIterator

from locker.domain.door import Position
from locker.domain.events import CompartmentChecked, CompartmentDoubted
from locker.domain.history import Break
from locker.domain.ids import CompartmentNumber, StaffId
from locker.domain.surroundings import Sensed, Watched
from locker.operations.follow_surroundings import SurroundingsFollower
from locker.operations.new_epoch import begin
from locker.operations.ports import Decided
from tests.kiosk_ui.page import Page, View

Stops = AsyncIterator[tuple[str, View]]


async def doubt(page: Page, door: int) -> None:
    fact = CompartmentDoubted(CompartmentNumber(door), "reported not empty")
    await page.world.journal.commit("applicant", lambda _state: Decided(None, (fact,)))


async def stocktaking(page: Page) -> Stops:
    """Door by door, two people where something lies; one item is found that nobody knows of."""
    await page.load("I-11", "JX2026-000011")
    (deposit,) = page.world.journal.state.deposits.values()
    for door in (deposit.door, 12, 13):
        await doubt(page, door)
    await page.sign_in()
    await page.act("round", kind="check")
    yield "stocktake", await page.act("stocktake")
    yield "stock_list", await page.act("stock_begin", scope="doubts")
    yield "second_needed", await page.act("stock_go")
    await page.act("second_back")
    yield "second", await page.act("second")
    yield "second_same", await page.code(scanned=await page.world.enrol())
    yield "second_pin", await page.code(scanned=await page.world.enrol("h-2"))
    yield "stock_list_two", await page.act("second_pin", digits="135790")
    view = await page.act("stock_go")
    yield "stock_inspect", view
    yield "stock_confirm", await page.shut(view["door"])
    view = await page.act("stock_say", found="expected")
    page.world.hands.put(view["door"])
    yield "stock_confirm_item", await page.shut(view["door"])
    view = await page.act("stock_say", found="unknown_item")
    page.world.hands.jammed.add(view["door"])
    await page.shut(view["door"])
    await page.act("again")
    yield "stock_stuck", await page.later(6_000)
    page.world.hands.jammed.clear()
    yield "stock_list_skipped", await page.act("stock_skip")
    yield "stock_done", await page.act("stock_end")
    await page.act("sign_out")
    yield "pickup_looked_for", await looked_for(page)
    await page.act("leave")


async def looked_for(page: Page) -> View:
    """Staff found nothing where this code's item should lie."""
    codes = await page.load("I-12", "JX2026-000012")
    fact = CompartmentChecked(CompartmentNumber(page.world.hands.pulses[-1][0]), "missing", StaffId("h-1"))
    await page.world.journal.commit("staff/h-1", lambda _state: Decided(None, (fact,)))
    return await page.code(scanned=codes["scan"])


async def without_memory(page: Page) -> Stops:
    """The locker waits for the centre's memory, and two on site look everywhere instead."""
    journal = page.world.journal
    await begin(page.world.world, journal, Break.LOST_ROWS, journal.state.epoch)
    await page.sign_in()
    await page.act("round", kind="check")
    yield "stocktake_awaited", await page.act("stocktake")
    view = await page.act("stock_begin", scope="all")
    yield "stock_list_awaited", view
    await page.act("second")
    await page.code(scanned=await page.world.enrol("h-2"))
    await page.act("second_pin", digits="135790")
    view = await page.act("stock_go")
    while view["screen"] == "inspect":
        await page.shut(view["door"])
        view = await page.act("stock_say", found="empty", door=view["door"])
    yield "stock_done_awaited", view
    yield "vouched", await page.act("vouch")
    await page.act("sign_out")


async def assisted(page: Page) -> Stops:
    """A helper beside an applicant."""
    await page.sign_in()
    yield "assist", await page.act("assist")
    yield "offer_assisted", await page.code(typed=await page.world.grant("JX2026-004240"))
    view = await page.act("open")
    yield "place_assisted", view
    page.world.hands.put(view["door"])
    yield "receipt_assisted", await page.shut(view["door"])
    await page.act("leave")


async def service_window(page: Page) -> Stops:
    await page.technician()
    yield "window", await page.act("window")
    await page.act("second")
    await page.code(scanned=await page.world.enrol("h-2"))
    await page.act("second_pin", digits="135790")
    yield "window_no_key", await page.act("window_open")
    await SurroundingsFollower(page.world.world).settle(Sensed(Watched.SERVICE_KEY, on=True))
    await page.act("window_open")
    page.world.hands.move(7, Position.OPEN)
    await page.shut(7)
    yield "window_open", await page.later(300_000)
    yield "window_closed", await page.act("window_close")
    await page.act("service")
    await page.act("sign_out")
