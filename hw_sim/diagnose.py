"""`hw-sim diagnose`: the product's own self-test on a simulated cabinet, sound and then with one fault after
another: which are noticed? Or a look at a recorded capture. No real lock is ever pulsed.

Exit code 0: the sound cabinet passed, and every fault that must be noticed was; 1: not so; 2: bad command.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from hw_sim.boards.profiles import PROFILES
from hw_sim.layout import LAYOUTS, Layout, made
from hw_sim.layout_file import BadLayoutError, load
from hw_sim.scratch import heed_endings, ignore_endings, scratch
from hw_sim.stack import NotReadyError
from hw_sim.troubles import TROUBLES, Trouble, possible
from hw_sim.workshop import Run, Workshop

PASSED: Final = 0
CLEAN: Final = Trouble("clean", "a sound cabinet", must=False)
DOORS_WITH_FAULTS: Final = 3
POLL_S: Final = 5
CLOSE_S: Final = 4
FINDINGS_SHOWN: Final = 3
NAME_WIDTH: Final = 18


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a self-test made of one trouble."""

    trouble: Trouble
    code: int
    findings: Sequence[str]

    @property
    def noticed(self) -> bool:
        return self.code != PASSED or bool(self.findings)

    @property
    def as_wanted(self) -> bool:
        return self.code == PASSED if self.trouble is CLEAN else self.noticed or not self.trouble.must

    @property
    def word(self) -> str:
        if self.trouble is CLEAN:
            return "passed" if self.as_wanted else "FAILED"
        if self.trouble.must:
            return "noticed" if self.noticed else "MISSED"
        return "borne" if self.code == PASSED else "noticed"


def arguments(parser: argparse.ArgumentParser) -> None:
    make_up = parser.add_mutually_exclusive_group()
    make_up.add_argument("--make", choices=PROFILES, metavar="PROFILE", help="one board with all its doors")
    make_up.add_argument("--file", type=Path, metavar="TOML", help="a cabinet of any make-up")
    make_up.add_argument("--layout", choices=sorted(LAYOUTS), default="two-board", help="a ready one")
    make_up.add_argument("--capture", type=Path, metavar="FILE", help="look at a recorded capture instead")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--faults", type=_names, default=(), metavar="A,B", help="switch on these, one by one")
    which.add_argument("--all", action="store_true", help="switch on all that this make-up can have")
    which.add_argument("--list", action="store_true", help="say what can be switched on")
    parser.add_argument(
        "--doors", type=_count, metavar="N", help="wire only the first N; faults are tried on 3"
    )
    parser.add_argument("--poll-s", type=int, default=POLL_S, metavar="S", help="watch the lines so long")
    parser.add_argument(
        "--report", type=_page_path, metavar="FILE.html", help="the table as a page, each test beside it"
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of doors")
    return int(text)


def _page_path(text: str) -> Path:
    path = Path(text)
    if not path.suffix or path.is_dir() or not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(
            f"{text!r}: name a page such as diagnosis.html, in a folder that is there"
        )
    return path


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := [name for name in names if name not in TROUBLES]:
        raise argparse.ArgumentTypeError(f"no fault {unknown[0]!r}; there are {', '.join(TROUBLES)}")
    return names


def run(options: argparse.Namespace) -> int:
    if options.capture is not None:
        from hw_sim.capture import look  # noqa: PLC0415  # late: the other half of this command

        return look(options.capture)
    try:
        layout, make_up = _made(options)
    except BadLayoutError as error:
        print(f"hw-sim diagnose: {error}", file=sys.stderr)
        return 2
    if options.doors:
        layout = replace(layout, compartments=layout.compartments[: options.doors])
    wanted = possible(layout, TROUBLES if options.all or options.list else options.faults)
    if options.list:
        for trouble in wanted:
            kind = "must be noticed" if trouble.must else "may be borne"
            print(f"{trouble.name:<{NAME_WIDTH}} {trouble.what} ({kind})")
        return 0
    for name in sorted(set(options.faults) - {trouble.name for trouble in wanted}):
        print(f"{name}: this make-up cannot have it")
    heed_endings()
    with scratch("diagnose") as folder:
        return _run(options, Workshop(folder / "state", layout, make_up), [CLEAN, *wanted])


def _made(options: argparse.Namespace) -> tuple[Layout, Sequence[str]]:
    if options.file is not None:
        return load(options.file), ["--file", str(options.file.absolute())]
    if options.make is not None:
        return made(options.make), ["--make", options.make]
    return LAYOUTS[options.layout], ["--layout", options.layout]


def _run(options: argparse.Namespace, workshop: Workshop, troubles: Sequence[Trouble]) -> int:
    outcomes: list[Outcome] = []
    try:
        workshop.prepare()
        for trouble in troubles:
            if workshop.taught and trouble.rewires:
                print(f"{trouble.name:<{NAME_WIDTH}} not here: only a wiring that was learned is served")
                continue
            outcome = _try(options, workshop, trouble)
            outcomes.append(outcome)
            _report(options, workshop.layout, outcomes)
            print(f"{trouble.name:<{NAME_WIDTH}} {outcome.word:<8} {'; '.join(outcome.findings)}", flush=True)
            if trouble is CLEAN and not outcome.as_wanted:
                break  # on a cabinet that is not sound nothing can be said of faults
    except KeyboardInterrupt:
        print("\nstopping …", flush=True)
        return 1
    except (NotReadyError, httpx.HTTPError) as error:
        print(f"hw-sim diagnose: {error}", file=sys.stderr)
        return 1
    finally:
        ignore_endings()
        workshop.stop()
    if options.report is not None:
        print(f"written: {options.report}")
    wrong = [outcome for outcome in outcomes if not outcome.as_wanted]
    print(_sum(outcomes, wrong))
    return 1 if wrong else 0


def _report(options: argparse.Namespace, layout: Layout, outcomes: Sequence[Outcome]) -> None:
    """As far as it goes: whoever ends it early keeps what was found."""
    if options.report is not None:
        page = _page(layout, outcomes, options.report.with_suffix("").name)
        options.report.write_text(page, encoding="utf-8")


def _try(options: argparse.Namespace, workshop: Workshop, trouble: Trouble) -> Outcome:
    numbers = [plan.number for plan in workshop.layout.compartments]
    count = len(numbers) if trouble is CLEAN else DOORS_WITH_FAULTS
    words = ["--poll-s", str(max(options.poll_s, trouble.watched_s)), "--close-s", str(CLOSE_S)]
    if options.report is not None:
        folder = options.report.with_suffix("")
        folder.mkdir(parents=True, exist_ok=True)
        words += ["--report", str((folder / f"{trouble.name}.html").absolute())]
    layout = workshop.layout
    with workshop.running(trouble.rewire(layout), trouble.faults(layout), trouble.breaks):
        done = workshop.selftest(numbers[:count], *words)
    return Outcome(trouble, done.code, findings(done)[:FINDINGS_SHOWN])


def findings(done: Run) -> list[str]:
    """What the self-test said, in short: its names for it."""
    found = done.found
    if not found:
        return [done.said.strip().splitlines()[-1] if done.said.strip() else "it said nothing"]
    return list(dict.fromkeys(_said(found)))


def _said(found: Mapping[str, Any]) -> Iterator[str]:
    for board in found["boards"]:
        if board["outcome"] == "failed":
            yield f"board {board['board']} {board['finding']}: {board['about']}"
    for door in found["doors"]:
        if door["outcome"] == "failed":
            about = f" {door['about']}" if door["about"] else ""
            yield f"door {door['door']} {door['finding']}{about}"
    for line in found["lines"]:
        for finding in (*line["problems"], *line["remarks"]):
            yield f"line {line['line']} {finding}"


def _sum(outcomes: Sequence[Outcome], wrong: Sequence[Outcome]) -> str:
    must = [outcome for outcome in outcomes if outcome.trouble.must]
    if wrong:
        return f"not as it should be: {', '.join(outcome.trouble.name for outcome in wrong)}"
    noticed = f"; {len(must)} of {len(must)} faults noticed" if must else ""
    return f"the sound cabinet passed{noticed}"


STYLE: Final = (
    "body{font:15px/1.45 system-ui,sans-serif;color:#1d2733;max-width:1000px;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .8rem .3rem 0;"
    "border-bottom:1px solid #e4e8ed;vertical-align:top}th{color:#5a6776;font-weight:500}"
    ".bad{color:#b3261e;font-weight:600}"
)


def _page(layout: Layout, outcomes: Sequence[Outcome], folder: str) -> str:
    """``folder``: where the page of each self-test lies, beside this one."""
    rows = "".join(
        f'<tr><td><a href="{quote(folder)}/{each.trouble.name}.html">{each.trouble.name}</a></td>'
        f"<td>{escape(each.trouble.what)}</td>"
        f'<td class="{"" if each.as_wanted else "bad"}">{each.word}</td><td>{each.code}</td>'
        f"<td>{escape('; '.join(each.findings))}</td></tr>"
        for each in outcomes
    )
    title = f"Diagnosis of a simulated cabinet: {escape(layout.name)}"
    head = "<tr><th>fault</th><th>what is wrong</th><th></th><th>exit code</th><th>what was said</th></tr>"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>"
        f"<table><thead>{head}</thead><tbody>{rows}</tbody></table></body></html>\n"
    )
