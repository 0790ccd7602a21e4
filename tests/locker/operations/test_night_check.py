"""The check of the night: what is wrong is named, a visit is no fault, and nothing is ever pulsed."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from firmware_bridge.scanner import ScannerReport
from locker.commands.check import answers
from locker.domain.compartment import Status
from locker.domain.door import Position
from locker.domain.ids import CompartmentNumber
from locker.domain.surroundings import Sensed, SupplyLost, Watched
from locker.operations.follow_surroundings import SurroundingsFollower
from locker.operations.night_check import Found
from tests.locker.operations.tested import Site

HERE = ScannerReport("/dev/scanner", "/dev/ttyACM0", "", 3, {})
Act = Callable[[], Awaitable[object]]


class Night:
    """A locker, its check, and what happens between the two looks."""

    def __init__(self, site: Site) -> None:
        self.site, self.scanner = site, HERE
        self.meanwhile: Act = site.m.settle
        self._check = answers(site.m.world, lambda: (site.line,), lambda: self.scanner)["check"]

    async def found(self) -> list[Found]:
        clock = self.site.m.clock
        jump = clock.sleep_until

        async def sleep_until(mono_ms: int) -> None:
            self.site.ask()
            await self.meanwhile()
            await jump(mono_ms)

        clock.sleep_until = sleep_until  # type: ignore[method-assign]  # a minute in which something happens
        told = await self._check({"do": "check", "uid": 0, "watch_s": 60})
        clock.sleep_until = jump  # type: ignore[method-assign]  # as it was
        assert self.site.m.hands.pulses == []
        return [Found(**each) for each in told["findings"]]


@pytest.fixture
async def night() -> Night:
    return Night(await Site.start())


async def test_a_sound_cabinet_has_nothing_to_tell(night: Night) -> None:
    assert await night.found() == []
    assert night.site.m.clock.mono_ms() >= 60_000


@pytest.mark.parametrize(
    ("position", "finding"), [(Position.OPEN, "reads_open"), (Position.UNKNOWN, "not_seen")]
)
async def test_a_door_that_is_not_seen_shut(night: Night, position: Position, finding: str) -> None:
    night.site.m.hands.move(3, position)
    await night.site.m.settle()
    assert Found("door 3", finding) in await night.found()


async def test_a_door_that_somebody_shuts_meanwhile_is_a_visit(night: Night) -> None:
    night.site.m.hands.move(3, Position.OPEN)
    await night.site.m.settle()
    night.meanwhile = lambda: night.site.m.shut(3)
    assert [found for found in await night.found() if found.about == "door 3"] == []


async def test_what_stands_to_be_checked_is_known_already(night: Night) -> None:
    night.site.m.hands.move(5, Position.OPEN)
    await night.site.m.settle()
    night.site.m.hands.put(5)
    await night.site.m.shut(5)
    assert night.site.m.journal.state.compartments[CompartmentNumber(5)].status is Status.TO_CHECK
    assert await night.found() == []


async def test_a_board_that_does_not_answer(night: Night) -> None:
    night.site.line = replace(
        night.site.line, boards=(replace(night.site.line.boards[0], standing="lost", why="no reply"),)
    )
    assert await night.found() == [Found("board A/1", "board_down", "no reply")]


async def test_a_line_that_loses_questions(night: Night) -> None:
    async def lose() -> None:
        night.site.ask(asked=100, missed=3)

    night.meanwhile = lose
    assert await night.found() == [Found("line A", "losses")]


async def test_contacts_and_scanner(night: Night) -> None:
    follower = SurroundingsFollower(night.site.m.world)
    for what in (Watched.TAMPER, Watched.MAINS, Watched.BATTERY):
        await follower.settle(Sensed(what, on=True, why="open"))
    await follower.settle(SupplyLost("a relay of A/1 stays on"))
    night.scanner = replace(HERE, device="", why="unplugged")
    assert await night.found() == [
        Found("contact", "tamper_open"),
        Found("contact", "mains_lost"),
        Found("contact", "battery_low"),
        Found("contact", "supply_cut", "a relay of A/1 stays on"),
        Found("scanner", "scanner_lost", "unplugged"),
    ]


@pytest.mark.parametrize("watch_s", [0, 601, True, "60", None])
async def test_how_long_is_a_number_of_seconds(night: Night, watch_s: object) -> None:
    answer = await night._check({"do": "check", "uid": 0, "watch_s": watch_s})
    assert answer["problem"] == "watch_s is a whole number from 1 to 600"
