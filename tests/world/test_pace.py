"""What a test run says of its worlds at its end."""

from types import SimpleNamespace
from typing import Any

from tests.world import pace


def test_all_workers_days_are_added_up() -> None:
    lines: list[str] = []
    world = [(pace.DAYS, 1.0), (pace.SPENT, 8.5), (pace.OCCUPIED, 0.5), (pace.PEAK, 0.8)]
    reports = [SimpleNamespace(when=when, user_properties=world) for when in ("setup", "call", "teardown")]
    other = SimpleNamespace(when="call", user_properties=[])
    found = {"passed": [*reports, other], "failed": reports}
    terminal: Any = SimpleNamespace(getreports=found.__getitem__, write_line=lines.append)
    pace.pytest_terminal_summary(terminal)
    assert lines == [
        "2 locker-days in 17 s of a core: 7.1 a minute (goal: 6)",
        "compartments occupied: 50% on average, 50% in the fullest world; 2 of 2 worlds reached 80%",
    ]
    found["passed"] = found["failed"] = [other]
    pace.pytest_terminal_summary(terminal)
    assert len(lines) == 2  # a run without worlds says nothing
