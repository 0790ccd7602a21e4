"""What many worlds came to outlasts the run, and whoever reads of a violation can live it again."""

from collections import Counter
from pathlib import Path

from tests.world import __main__ as command
from tests.world import report
from tests.world.life import Outcome
from tests.world.report import Total
from tests.world.runner import Job
from tests.world.times import DAY_S


def an_outcome(seed: int, problem: str = "") -> Outcome:
    points = Counter({"screen: receipt": 3, "journal: Stopped": 1})
    happened = Counter({"drop-off": 2, "fault power_cut": 1})
    lived = Outcome(seed, 1.0, problem=problem, kind=problem, points=points, happened=happened)
    lived.lived_s, lived.took_s, lived.entries = DAY_S, 30.0, 40
    return lived


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "world.json"
    assert Total.read(path) == Total()
    total = Total.read(path)
    for seed in (0, 1, 2):
        total.add(an_outcome(seed))
        total.write(path)
    total.violated(Job(2, 1.0), an_outcome(2, "invariant 4: two in one"))
    total.write(path)
    found = Total.read(path)
    assert found == total
    assert found.next_seed == 3
    found.add(an_outcome(3))
    assert found.points["screen: receipt"] == 12
    assert found.faults == {"power_cut": 4}


def test_the_sheet_tells_what_was_done_and_what_never_was() -> None:
    total = Total()
    total.add(an_outcome(5))
    text = "\n".join(total.lines())
    assert "1 worlds, 1.0 locker-days" in text
    assert "2.0 locker-days a minute" in text
    assert "2 visits and errands, 40 entries" in text
    screens = next(line for line in text.splitlines() if line.startswith("  screen: "))
    assert "place" in screens
    assert "receipt" not in screens
    assert "violations: 0" in text


def test_the_command_of_a_violation_asks_for_the_same_world() -> None:
    jobs = (
        Job(17, 3.0),
        Job(17, 0.5, visits_a_day=20, kinds=("power_cut", "loss")),
        Job(3, 1.0, only=(4, 9), until_s=812.0),
        Job(3, 1.0, kinds=(), only=()),
        Job(3, 1.0, skip=(1, 2)),
    )
    for job in jobs:
        words = report.again(job).removeprefix("python -m tests.world ").split()
        asked = command.arguments(words)
        assert asked.here
        assert command._job(asked, asked.seed) == job


def test_a_violation_is_told_with_its_story_and_last_lines() -> None:
    outcome = an_outcome(17, "invariant 4: two in one")
    outcome.story, outcome.lines = (
        [(4, 10.0, "drop-off"), (9, 2 * DAY_S, "never came")],
        ["10.000 #4 drop-off"],
    )
    text = "\n".join(report.of_violation(Job(17, 3.0), outcome, None))
    assert "seed 17" in text
    assert "#4 at 10.0 s: drop-off" in text
    assert "never came" not in text
    assert "10.000 #4 drop-off" in text
    assert "--debug" in text
