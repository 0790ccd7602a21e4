"""What entries say of steps of the wall clock."""

from pathlib import Path

import pytest

from locker.domain import events as ev
from locker.domain.entry import Stamp
from locker.journal.journal import Journal
from locker.journal.steps import Steps
from locker.operations.ports import Decided
from tests.locker.journal.histories import Life, SetClock, live, opened

BEGUN = Stamp(1, 1_000, 1_760_000_000_000, "ntp")
HOUR_MS = 3_600_000


def later(ms: int, by_ms: int = 0) -> Stamp:
    return Stamp(1, BEGUN.mono_ms + ms, BEGUN.wall_ms + ms + by_ms, "ntp")


@pytest.mark.parametrize(
    ("passed_ms", "by_ms", "said"),
    [
        (10, 2_000, False),
        (10, 2_001, True),
        (10, -2_001, True),
        (10 * HOUR_MS, 20_000, False),  # what drift makes of a long time
        (10 * HOUR_MS, -20_001, True),
    ],
)
def test_a_step_is_what_no_drift_explains(passed_ms: int, by_ms: int, said: bool) -> None:
    steps = Steps()
    assert steps.unsaid(BEGUN, ()) == ()
    expected = (ev.ClockStepped(by_ms, "ntp"),) if said else ()
    assert steps.unsaid(later(passed_ms, by_ms), ()) == expected
    assert steps.unsaid(later(passed_ms + 1, by_ms), ()) == (), "once"


async def test_the_entries_of_a_clock_that_was_set_say_so(tmp_path: Path) -> None:
    async with opened(tmp_path / "journal.sqlite3") as journal:
        told = await begun(journal)
        for ahead_ms in (-HOUR_MS, -HOUR_MS, 0):
            set_clock(journal, ahead_ms)
            await journal.commit("kiosk", lambda _: Decided(None, (FACT,)))
        assert told == [
            (FACT, ev.ClockStepped(-HOUR_MS, "ntp")),
            (FACT,),
            (FACT, ev.ClockStepped(HOUR_MS, "ntp")),
        ]


async def test_what_the_centre_brought_about_is_said_once_by_whoever_comes_first(tmp_path: Path) -> None:
    async with opened(tmp_path / "journal.sqlite3") as journal:
        told = await begun(journal)
        set_clock(journal, HOUR_MS)
        await journal.say_step("centre")
        await journal.commit("kiosk", lambda _: Decided(None, (FACT,)))
        set_clock(journal, 0)
        await journal.commit("kiosk", lambda _: Decided(None, (FACT,)))
        await journal.say_step("centre")
        assert told == [
            (ev.ClockStepped(HOUR_MS, "ntp"),),
            (FACT,),
            (FACT, ev.ClockStepped(-HOUR_MS, "ntp")),
        ]


async def test_a_clock_that_was_wrong_only_between_two_entries_has_not_stepped(tmp_path: Path) -> None:
    """Whoever reads the step beside them would take the time of the earlier one for wrong."""
    async with opened(tmp_path / "journal.sqlite3") as journal:
        told = await begun(journal)
        set_clock(journal, -HOUR_MS)
        set_clock(journal, 0)
        await journal.say_step("centre")
        assert told == []


FACT = ev.GuessesCounted("unknown_code", 1)


async def begun(journal: Journal) -> list[tuple[ev.Event, ...]]:
    """What is told from now on, transaction by transaction."""
    await live(journal, Life(3), 5)
    told: list[tuple[ev.Event, ...]] = []
    journal.subscribe(lambda _state, entries: told.append(tuple(each.event for each in entries)))
    return told


def set_clock(journal: Journal, ahead_ms: int) -> None:
    clock = journal._clock
    assert isinstance(clock, SetClock)
    journal._clock = Ahead(clock.now_ms, ahead_ms)


class Ahead(SetClock):
    """Its wall clock is ahead of what it should be."""

    def __init__(self, now_ms: int, by_ms: int) -> None:
        super().__init__(now_ms)
        self._by_ms = by_ms

    def wall_ms(self) -> int:
        return super().wall_ms() + self._by_ms
