"""How fast worlds were lived in this test run, added up over all workers."""

from collections.abc import Sequence
from typing import Final

import pytest

from tests.world.occupancy import HIGH

DAYS: Final = "locker-days"
SPENT: Final = "locker-days' seconds of a core"
OCCUPIED, PEAK = "compartments occupied, on average", "compartments occupied, at most"
GOAL_DAYS, GOAL_S = 30, 300.0
"""So many locker-days in so much time of one core."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each world says what it took as properties of its test's report."""
    days = spent_s = 0.0
    means, peaks = list[float](), list[float]()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        told = dict(report.user_properties) if report.when == "call" else {}
        days += float(str(told.get(DAYS, 0)))
        spent_s += float(str(told.get(SPENT, 0)))
        if PEAK in told:
            means.append(float(str(told[OCCUPIED])))
            peaks.append(float(str(told[PEAK])))
    if days:
        terminalreporter.write_line(sum_of(days, spent_s))
    if peaks:
        terminalreporter.write_line(fullness(means, peaks))


def sum_of(days: float, spent_s: float) -> str:
    """``spent_s`` is of a core that others may have been using as well: then it counts for more."""
    rate, goal = 60 * days / max(spent_s, 0.001), 60 * GOAL_DAYS / GOAL_S
    return f"{days:g} locker-days in {spent_s:.0f} s of a core: {rate:.1f} a minute (goal: {goal:g})"


def fullness(means: Sequence[float], peaks: Sequence[float]) -> str:
    """Shares of the compartments, a world each."""
    mean, crowded = sum(means) / len(means), sum(peak >= HIGH for peak in peaks)
    worlds = f"{crowded} of {len(peaks)} worlds reached {HIGH:.0%}"
    return f"compartments occupied: {mean:.0%} on average, {max(means):.0%} in the fullest world; {worlds}"
