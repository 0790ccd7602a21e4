"""`hw-sim diagnose`: what it asks of a make-up, what it makes of a self-test, and once as people run it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hw_sim.__main__ import main
from hw_sim.boards.profiles import PROFILES
from hw_sim.diagnose import CLEAN, Outcome, findings
from hw_sim.faults import Faults, changed
from hw_sim.layout import LAYOUTS, Layout, made
from hw_sim.settings import Wiring
from hw_sim.troubles import TROUBLES, possible
from hw_sim.workshop import Run

LAYOUT = LAYOUTS["two-board"]
JAMMED = TROUBLES["jammed"]
ECHO = TROUBLES["echo"]


@pytest.mark.parametrize(
    ("outcome", "word", "as_wanted"),
    [
        (Outcome(CLEAN, 0, []), "passed", True),
        (Outcome(CLEAN, 0, ["line A noise"]), "passed", True),
        (Outcome(CLEAN, 1, ["door 1 stuck"]), "FAILED", False),
        (Outcome(CLEAN, 3, []), "FAILED", False),
        (Outcome(JAMMED, 1, ["door 1 stuck"]), "noticed", True),
        (Outcome(JAMMED, 0, ["line A noise"]), "noticed", True),
        (Outcome(JAMMED, 0, []), "MISSED", False),
        (Outcome(ECHO, 0, []), "borne", True),
        (Outcome(ECHO, 1, ["line A losses"]), "noticed", True),
    ],
    ids=[f"case-{n}" for n in range(9)],
)
def test_what_must_be_noticed_is_asked_for(outcome: Outcome, word: str, as_wanted: bool) -> None:
    assert (outcome.word, outcome.as_wanted) == (word, as_wanted)


def test_findings_are_short_and_named_once() -> None:
    def door(number: int, outcome: str, finding: str, about: str = "") -> dict[str, Any]:
        return {"door": number, "outcome": outcome, "finding": finding, "about": about}

    found = {
        "boards": [{"board": "A/1", "outcome": "failed", "finding": "board_down", "about": "no answer"}],
        "doors": [
            door(1, "passed", ""),
            door(2, "skipped", "not_vacant", "faulty"),
            door(3, "failed", "stuck"),
            door(4, "failed", "other_moved", "3"),
        ],
        "lines": [{"line": "A", "problems": ["losses"], "remarks": ["noise"]}],
    }
    assert findings(Run(1, found, "")) == [
        "board A/1 board_down: no answer",
        "door 3 stuck",
        "door 4 other_moved 3",
        "line A losses",
        "line A noise",
    ]
    assert findings(Run(3, {}, "a\nno daemon listens\n")) == ["no daemon listens"]
    assert findings(Run(3, {}, "")) == ["it said nothing"]


MAKE_UPS = [LAYOUT, *(made(profile) for profile in PROFILES)]


@pytest.mark.parametrize("layout", MAKE_UPS, ids=lambda each: each.name)
def test_every_possible_fault_fits_the_make_up(layout: Layout) -> None:
    troubles = possible(layout, TROUBLES)
    assert JAMMED in troubles
    for trouble in troubles:
        changed(Faults(), trouble.faults(layout))
        wiring = Wiring.of(layout, dict.fromkeys(layout.lines, ""), dict.fromkeys(layout.lines, 9_600))
        trouble.rewire(layout)(wiring)
        sensors = [door["sensor"] for door in wiring.doors.values()]
        assert sorted(sensors) == sorted(str(plan.door) for plan in layout.compartments)


def test_a_make_up_has_only_what_it_can_have() -> None:
    names = {trouble.name for trouble in possible(made("xor8a-24"), TROUBLES)}
    assert "reordered" in names
    assert not names & {"item-stuck", "swapped"}  # no item sensors; each lock tells its own door
    assert "swapped" in {trouble.name for trouble in possible(LAYOUT, TROUBLES)}


def test_what_can_be_switched_on_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "--list", "--make", "xor8a-24"]) == 0
    said = capsys.readouterr().out
    assert "dead-lock-board" in said
    assert "item-stuck" not in said


@pytest.mark.parametrize(
    "words",
    [
        ["--faults", "gremlins"],
        ["--make", "teapot"],
        ["--faults", "echo", "--all"],
        ["--doors", "many"],
        ["--doors", "0"],
        ["--report", "/"],
        ["--report", "page-or-folder"],
        ["--report", "/nowhere/to-be-found/page.html"],
    ],
    ids=str,
)
def test_words_that_make_no_sense_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["diagnose", *words])
    assert left.value.code == 2


def test_a_file_that_makes_no_cabinet_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "--file", str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err


@pytest.mark.processes
@pytest.mark.timeout(120)
def test_a_fault_is_noticed_and_a_harmless_one_borne(tmp_path: Path) -> None:
    words = ["--make", "waveshare-d8", "--doors", "1", "--poll-s", "1", "--faults", "sensor-stuck-open,echo"]
    done = subprocess.run(
        [sys.executable, "-m", "hw_sim", "diagnose", *words, "--report", str(tmp_path / "table.html")],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0] == ["clean", "passed"]
    assert rows[1] == ["sensor-stuck-open", "noticed", "door", "1", "reads_open"]
    assert rows[2][:2] == ["echo", "borne"]
    assert "1 of 1 faults noticed" in done.stdout
    table = (tmp_path / "table.html").read_text(encoding="utf-8")
    assert "reads_open" in table
    assert '<a href="table/clean.html">' in table
    assert "<svg" in (tmp_path / "table" / "clean.html").read_text(encoding="utf-8")
