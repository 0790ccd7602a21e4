"""A helper takes in forty bags: touches and seconds an item, on a guided round and row by row.

Touches are counted by going the round; the machine's own time is measured, hands and eyes are added.
"""

import time
from dataclasses import dataclass, replace
from typing import Any, Final

from locker.domain.compartment import Size
from locker.domain.door import DoorReading, Position, Presence
from locker.domain.events import CompartmentsConfigured, SubmissionTaken
from locker.domain.rounds import RoundKind
from locker.operations.ports import Decided
from tests.bench.figures import Sheet
from tests.kiosk_ui.page import SETTINGS, Page, View
from tests.locker.operations.world import MemoryWorld, cabinet

ITEMS: Final = 40
DOORS: Final = 64
TOUCHES_MAX: Final = 1.1
"""One an item, and the few that begin and end a round."""
# As in `bench_page`; at the door: take it out, look at the papers, shut the door.
TOUCH_S: Final = 0.5
READ_S: Final = 2.0
AT_THE_DOOR_S: Final = 6.0


@dataclass
class Hands:
    page: Page
    touches: int = 0
    reads: int = 0
    machine_s: float = 0.0

    async def press(self, act: str, **data: Any) -> View:
        self.touches += 1
        return await self._timed(self.page.act(act, **data))

    async def scan(self, text: str) -> View:
        self.touches += 1
        return await self._timed(self.page.code(scanned=text))

    async def shut(self, door: int) -> View:
        self.reads += 1
        return await self._timed(self.page.shut(door))

    async def _timed(self, step: Any) -> View:
        begun = time.perf_counter()
        view: View = await step
        self.machine_s += time.perf_counter() - begun
        return view

    @property
    def took_s(self) -> float:
        return self.touches * TOUCH_S + self.reads * READ_S + ITEMS * AT_THE_DOOR_S + self.machine_s


async def test_a_round_of_forty(sheet: Sheet) -> None:
    for way, walk in (
        ("guided, a tap an item", taps),
        ("guided, a scan an item", scans),
        ("row by row", rows),
    ):
        page = await full()
        hands = Hands(page)
        await walk(hands, await hands.press("round", kind=RoundKind.INTAKE.value))
        assert len(page.world.journal.events(SubmissionTaken)) == ITEMS
        each = hands.touches / ITEMS
        note = f"{ITEMS} items, {hands.touches} touches in all"
        if way == "row by row":
            sheet.tells(f"intake round, {way}, touches an item", each, "touches", note)
        else:
            sheet.at_most(f"intake round, {way}, touches an item", each, "touches", TOUCHES_MAX, note)
        note = f"{TOUCH_S} s a touch, {READ_S} s a page, {AT_THE_DOOR_S} s at the door"
        sheet.tells(f"intake round, {way}, time an item", hands.took_s / ITEMS, "s", note)
        await page.close()


async def full() -> Page:
    """A large cabinet with forty bags in it, and a helper who has signed in."""
    page = Page(await MemoryWorld.start(), SETTINGS)
    specs = tuple(replace(spec, size=Size.S) for spec in cabinet(DOORS))
    await _configured(page, CompartmentsConfigured(specs))
    for number in range(ITEMS):
        await page.hand_in(f"C-{number}")
        await page.act("leave")
    await page.sign_in()
    return page


async def _configured(page: Page, fact: CompartmentsConfigured) -> None:
    await page.world.journal.commit("daemon", lambda _state: Decided(None, (fact,)))
    shut = DoorReading(Position.CLOSED, Presence.ABSENT)
    numbers = [spec.number for spec in fact.compartments]
    page.world.hands.readings.update(dict.fromkeys(numbers, shut))
    page.world.hands.sensors = dict.fromkeys(numbers, True)
    page.world.report_all()
    await page.view()


async def taps(hands: Hands, view: View) -> None:
    view = await hands.press("round_go")
    while view["screen"] == "take_out":
        hands.page.world.hands.take(view["door"])
        await hands.press("intake_confirm", finding="complete")
        view = await hands.shut(view["door"])
    assert (await hands.press("round_end"))["screen"] == "round_slip"


async def scans(hands: Hands, view: View) -> None:
    view = await hands.press("round_go")
    while view["screen"] == "take_out":
        hands.page.world.hands.take(view["door"])
        deposit = hands.page.world.journal.state.deposits[hands.page.kiosk.visit.deposit]
        await hands.scan(deposit.case)
        view = await hands.shut(view["door"])
    assert (await hands.press("round_end"))["screen"] == "round_slip"


async def rows(hands: Hands, view: View) -> None:
    """As before there was a round: find the row, open it, shut the door, say what was found."""
    while view["screen"] == "round_intake" and view["rows"]:
        hands.reads += 1
        view = await hands.press("intake_open", **view["rows"][0]["data"])
        hands.page.world.hands.take(view["door"])
        view = await hands.shut(view["door"])
        view = await hands.press("intake_confirm", finding="complete")
