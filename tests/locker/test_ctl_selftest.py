"""`lockerctl selftest`: what it shows, writes and answers; then through a daemon on a simulated cabinet."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from hw_sim.layout import LAYOUTS
from hw_sim.people import until
from hw_sim.workshop import Workshop
from locker.commands.selftest import described
from locker.ctl import main as lockerctl
from locker.ctl import selftest, site
from locker.ctl.report import words
from locker.ctl.report.page import page
from locker.ctl.report.result import Result
from locker.domain import acceptance as a
from locker.domain.door import Presence
from locker.domain.ids import BoardId, CompartmentNumber, StaffId
from tests.locker.configured import write

DOORS = tuple(CompartmentNumber(n) for n in (1, 2))
STATUS = {"ok": True, "locker": "loc-1", "software": "doclocker <test>"}
BEGAN = a.Began(1_790_000_000_000, StaffId("console/0"), DOORS, 30, 60)
BOARD = a.BoardResult(BoardId("A/1"), "waveshare-d8", "silver", "serving", a.Outcome.PASSED)
OPENED = a.DoorResult(
    DOORS[0], a.Outcome.PASSED, a.Finding.NONE, "", 40, 310, 1_200, Presence.ABSENT, Presence.ABSENT
)
STUCK = a.DoorResult(DOORS[1], a.Outcome.FAILED, a.Finding.STUCK, "", 40)
TRAFFIC = a.BoardTraffic(BoardId("A/1"), 900, 1, 0, 3, tuple(20 + n / 100 for n in range(256)))
LINE = a.LineResult(
    "A", "/dev/x", 9600, a.Outcome.PASSED, (), (a.Finding.NOISE,), 0.4, 3.7, 3.6, 0.9, 270, DOORS, (TRAFFIC,)
)
FIGURES = (
    "1 of 900 questions unanswered, 40% busy, silence 3.7 ms (3.6 needed), "
    "seen open 0.27 s after the pulse at the latest"
)


def ended(verdict: a.Verdict, finding: a.Finding = a.Finding.NONE) -> a.Ended:
    return a.Ended(BEGAN.wall_ms + 42_000, verdict, finding, "", DOORS[:1], DOORS[1:], ())


def course(verdict: a.Verdict) -> list[a.Fact]:
    return [
        BEGAN,
        a.Step(a.Doing.IDENTIFYING, CompartmentNumber(0), 0, 15),
        BOARD,
        a.Step(a.Doing.AWAITING_SHUT, DOORS[0], 2, 15),
        OPENED,
        STUCK,
        LINE,
        ended(verdict),
    ]


class Daemon:
    """Answers as the daemon would; ``facts`` come one at a time."""

    def __init__(self, facts: list[a.Fact]) -> None:
        self.facts = facts
        self.asked: list[Mapping[str, Any]] = []
        self.interrupts = 0
        self.gone_after = len(facts)

    def __call__(self, _config: object, question: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(question)
        match question["do"]:
            case "status":
                return STATUS
            case "selftest progress":
                return self._progress(question["after"])
        return {"ok": True, "run": 1}

    def _progress(self, after: int) -> Mapping[str, Any]:
        if after >= 3 and self.interrupts:
            self.interrupts -= 1
            signal.raise_signal(signal.SIGINT)
        if after >= self.gone_after:
            raise site.NoAnswer("no daemon listens")
        facts = [described(fact) for fact in self.facts[after : after + 1]]
        return {"ok": True, "next": after + len(facts), "running": True, "facts": facts}

    def did(self) -> list[str]:
        return [str(question["do"]) for question in self.asked]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """`call(daemon, "--doors", "1")`: the exit code."""
    config = write(tmp_path)

    def run(daemon: Daemon | None, *more: str) -> int:
        if daemon is not None:
            monkeypatch.setattr(site, "ask_daemon", daemon)
        monkeypatch.setattr(sys, "argv", ["lockerctl", "selftest", "--config", str(config), *more])
        with pytest.raises(SystemExit) as left:
            lockerctl()
        code = left.value.code
        assert isinstance(code, int)
        return code

    return run


@pytest.mark.parametrize(
    ("verdict", "code"), [(a.Verdict.PASSED, 0), (a.Verdict.FAILED, 1), (a.Verdict.INCOMPLETE, 3)]
)
def test_the_exit_code_is_the_verdict(call: Callable[..., int], verdict: a.Verdict, code: int) -> None:
    assert call(Daemon(course(verdict))) == code


def test_the_wish_reaches_the_daemon(call: Callable[..., int]) -> None:
    daemon = Daemon(course(a.Verdict.PASSED))
    call(daemon, "--doors", "2,1", "--poll-s", "7", "--close-s", "9", "--go-on")
    assert daemon.asked[1] == {
        "do": "selftest start",
        "doors": [2, 1],
        "poll_s": 7,
        "close_s": 9,
        "go_on": True,
    }


@pytest.mark.parametrize("doors", ["", "0x1", "5-", "-3", "1,1", "3-2", "1;2", "\uff19"])
def test_doors_that_are_none_are_a_bad_command_line(call: Callable[..., int], doors: str) -> None:
    assert call(Daemon([]), f"--doors={doors}") == 2


def test_ranges_of_doors() -> None:
    assert selftest.doors("1,5-8,3") == [1, 5, 6, 7, 8, 3]


def test_what_cannot_be_meant_moves_no_door(
    call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, data = str(tmp_path / "r.html"), str(tmp_path / "r.json")
    for more in (
        ("--doors", "3"),
        ("--report", str(tmp_path / "none" / "r.html")),
        ("--report", data),
        ("--report", page, "--json", page),
        ("--json", str(tmp_path)),
    ):
        daemon = Daemon(course(a.Verdict.PASSED))
        assert call(daemon, *more) == 2
        assert daemon.asked == []
    assert "there is no door 3" in capsys.readouterr().err


def test_without_a_daemon_nothing_was_tested(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(None) == 3
    assert "no daemon listens" in capsys.readouterr().err


def test_a_daemon_that_goes_away_leaves_what_was_found(call: Callable[..., int], tmp_path: Path) -> None:
    daemon = Daemon(course(a.Verdict.PASSED))
    daemon.gone_after = 5
    assert call(daemon, "--json", str(tmp_path / "r.json")) == 3
    found = json.loads((tmp_path / "r.json").read_text())
    assert (found["verdict"], [door["door"] for door in found["doors"]]) == ("incomplete", [1])


@pytest.mark.parametrize(("interrupts", "ends"), [(1, "incomplete"), (2, "")])
def test_ctrl_c_stops_the_test_in_order_and_a_second_one_leaves(
    call: Callable[..., int], tmp_path: Path, interrupts: int, ends: str
) -> None:
    daemon = Daemon(course(a.Verdict.INCOMPLETE))
    daemon.interrupts = interrupts
    assert call(daemon, "--json", str(tmp_path / "r.json")) == 3
    assert daemon.did().count("selftest stop") == 1
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["ended"].get("verdict", "") == ends
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_a_terminal_each_thing_is_a_line(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    call(Daemon(course(a.Verdict.FAILED)))
    said = capsys.readouterr().out
    assert "\r" not in said
    assert "\x1b" not in said
    assert said.splitlines()[1:] == [
        "board A/1    passed   waveshare-d8 (silver)",
        "door 1 is open: push it shut",
        "door   1    passed   reply 0.04 s, open 0.31 s, shut after 1.20 s",
        f"door   2    FAILED   {words.SENTENCES['stuck']}",
        f"line A       passed   {FIGURES}",
        f"  {words.SENTENCES['noise']}",
        "FAILED: doors 1 passed, 1 failed, 0 skipped",
    ]


def test_on_a_terminal_a_bar_says_what_to_do(
    call: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    call(Daemon(course(a.Verdict.FAILED)))
    said = capsys.readouterr().out
    assert "[####--------------------------] door 1 is open: push it shut" in said
    assert said.endswith("FAILED: doors 1 passed, 1 failed, 0 skipped\n")


def test_every_finding_and_doing_has_its_words() -> None:
    assert {finding.value for finding in a.Finding} - {""} == set(words.SENTENCES)
    assert {doing.value for doing in a.Doing} == set(words.DOINGS)
    guide = (Path(__file__).parents[2] / "docs" / "self-test.md").read_text(encoding="utf-8")
    assert [name for name in words.SENTENCES if f"`{name}`" not in guide] == []


class Page(HTMLParser):
    """Is every element closed, and is anything fetched?"""

    VOID = frozenset({"meta", "line", "rect", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.fetched += [str(value) for name, value in attrs if name in {"src", "href", "srcset", "data"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def reported(facts: list[a.Fact]) -> Result:
    result = Result("loc-1", "doclocker <test>")
    for fact in facts:
        result.add(json.loads(json.dumps(described(fact))))
    return result


def test_the_page_stands_alone(call: Callable[..., int], tmp_path: Path) -> None:
    call(Daemon(course(a.Verdict.FAILED)), "--report", str(tmp_path / "r.html"))
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    parsed = Page()
    parsed.feed(text)
    assert (parsed.open, parsed.fetched) == ([], [])
    assert not re.search(r"https?:|@import|url\(", text)
    assert parsed.seen.count("svg") == 2
    assert "doclocker &lt;test&gt;" in text
    assert words.SENTENCES["stuck"] in text
    assert 'class="verdict failed"' in text
    beside = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert (beside["format"], beside["verdict"], beside["locker"]) == (1, "failed", "loc-1")
    assert [door["finding"] for door in beside["doors"]] == ["", "stuck"]


@pytest.mark.parametrize("cut", range(len(course(a.Verdict.PASSED)) + 1))
def test_a_page_is_made_of_whatever_was_found(cut: int) -> None:
    parsed = Page()
    parsed.feed(page(reported(course(a.Verdict.PASSED)[:cut])))
    assert parsed.open == []


def test_a_file_that_cannot_be_written_is_said(
    call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.json.fresh").mkdir()
    assert call(Daemon(course(a.Verdict.PASSED)), "--report", str(tmp_path / "r.html")) == 3
    assert "name a file that can be written" in capsys.readouterr().err
    assert (tmp_path / "r.html").exists()


def test_a_report_takes_the_place_of_the_last_one_in_one_step(
    call: Callable[..., int], tmp_path: Path
) -> None:
    page, kept = tmp_path / "r.html", tmp_path / "kept.html"
    page.write_text("of last year", encoding="utf-8")
    kept.hardlink_to(page)
    assert call(Daemon(course(a.Verdict.PASSED)), "--report", str(page)) == 0
    assert page.read_text(encoding="utf-8").endswith("</html>\n")
    assert kept.read_text(encoding="utf-8") == "of last year"
    assert {each.name for each in tmp_path.iterdir()} >= {"r.html", "r.json", "kept.html"}
    assert not list(tmp_path.glob("*.fresh*"))


# --- through the daemon ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A running locker of two boards."""
    folder = tmp_path_factory.mktemp("bench") / "s"
    workshop = Workshop(folder, LAYOUTS["two-board"], ["--layout", "two-board"])
    workshop.prepare()
    with workshop.running(lambda _wires: None, {}, lambda _workshop: None):
        yield workshop


def kinds(workshop: Workshop) -> list[str]:
    rows = workshop.lockerctl("journal", "dump").splitlines()
    return [json.loads(json.loads(row)["public"])["type"] for row in rows]


@pytest.mark.processes
def test_a_sound_cabinet_passes(bench: Workshop, tmp_path: Path) -> None:
    done = bench.selftest([1, 2], "--poll-s", "1", "--report", str(tmp_path / "r.html"))
    assert done.code == 0, done.said
    assert [door["outcome"] for door in done.found["doors"]] == ["passed"] * 2
    assert {board["standing"] for board in done.found["boards"]} == {"serving"}
    (line,) = done.found["lines"]
    assert line["shortest_silence_ms"] >= line["needed_silence_ms"]
    assert line["slowest_ms"] < line["detection_s"] * 1000 + 500
    assert all(board["latencies_ms"] for board in line["boards"])
    assert "<svg" in (tmp_path / "r.html").read_text(encoding="utf-8")
    events = kinds(bench)
    assert (events.count("SelfTestBegan"), events.count("SelfTestEnded")) == (1, 1)
    assert events.count("OpeningRequested") == events.count("DoorClosed") == 2


@pytest.mark.processes
def test_ctrl_c_ends_it_with_a_door_open_and_no_other(bench: Workshop) -> None:
    command = [str(Path(sys.executable).parent / "lockerctl"), "selftest", "--doors", "3,4"]
    before = kinds(bench).count("OpeningRequested")
    process = subprocess.Popen(
        [*command, "--config", str(bench.locker_config)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("door 3 is open"):
            break
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert "door   3    skipped  stopped before its end" in said
    assert kinds(bench).count("OpeningRequested") == before + 1
    bench.does(3, "shut")
    until("the door is seen shut", lambda: kinds(bench)[-1] == "DoorClosed" or None)
