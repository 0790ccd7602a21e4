"""The running locker, from outside: real processes, the kiosk's page over HTTP, bytes on a paced line.

A pulse is timed from the request of somebody who typed a valid pickup code to the first byte at the port, as
the simulated cabinet's records saw it. Its budget has three parts: the commit of the grant, the transaction
that is under way on the line at that moment, and the rest. Commits of the same two facts are timed between
the openings, on the same disk.
"""

import asyncio
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from firmware_bridge import boards
from firmware_bridge.exchange import Timing
from hw_sim import clock
from hw_sim.people import until
from tests.bench.figures import Sheet
from tests.bench.journal import bench_commit
from tests.bench.locker.installation import PULSE_MS, Installation, Page, soon
from tests.bench.locker.past import DOORS, Codes
from tests.locker.journal.histories import opened

OPENINGS: Final = 208
"""Thirteen of each door."""
PAST_WITH_CENTRE: Final = 5_000
PAST: Final = 100_000
STARTS: Final = 5
IDLE_S: Final = 25.0
SETTLED_S: Final = 3.0
REST_LIMIT_MS: Final = 10.0
START_LIMIT_S: Final = 2.0
MEMORY_LIMIT_MB: Final = 120.0
IDLE_LIMIT_PERCENT: Final = 3.0
PULSE_HEAD: Final = "01 05 02"
PULSE_BYTES: Final = 8
POLL_BYTES: Final = 8 + 9
"""FC02 of 32 inputs and its reply: the longest question of a board in service."""
BAUD: Final = 9600
COIL_ENDS_S: Final = PULSE_MS / 1000
"""From the sight of an open door on. While its coil has power a lock throws the door open again."""
COILS_REST_S: Final = COIL_ENDS_S + 0.3
LOCK_COOLS_S: Final = 3.0
SPREAD_MS: Final = 26
"""Codes come at every moment of a poll alike: the page's own rhythm must not choose one."""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("locker") / "state")
    try:
        made.build()
        yield made
    finally:
        made.close()


@dataclass(frozen=True, slots=True)
class Pulse:
    """Milliseconds from the request to the first byte, and how much of that the line was under way."""

    total: float
    waited: float


def test_a_valid_code_becomes_a_pulse(installation: Installation, sheet: Sheet, tmp_path: Path) -> None:
    codes = installation.lengthen(PAST_WITH_CENTRE)
    installation.start_locker()
    soon(lambda: _answers(installation))
    until("every door is read", installation.doors_read)
    installation.synced()
    asked, commits, trips = asyncio.run(_open_and_shut(installation, codes, tmp_path))
    frames = installation.frames()
    installation.stop_locker()
    pulses = _pulses(frames, asked)
    totals, waits = [pulse.total for pulse in pulses], [pulse.waited for pulse in pulses]
    commit, transaction = _p99(commits), longest_ms()
    own = [pulse.total - pulse.waited for pulse in pulses]
    sheet.at_most(
        "valid code → first pulse byte, p99", _p99(totals), "ms", commit + transaction + REST_LIMIT_MS,
        f"{len(pulses)} openings; the limit is 1 + 2 + {REST_LIMIT_MS:.0f} ms",
    )  # fmt: skip
    typically = statistics.median(commits)
    sheet.tells("  1 journal commit, p99", commit, "ms", f"median {typically:.2f} ms")
    sheet.tells(
        "  2 bus transaction in progress, longest", transaction, "ms",
        f"computed; longest seen {_longest_seen(frames):.1f}, waited for: median "
        f"{statistics.median(waits):.1f}, p99 {_p99(waits):.1f}",
    )  # fmt: skip
    sheet.at_most(
        "  3 the rest, p99", max(0.0, _p99(own) - typically), "ms", REST_LIMIT_MS,
        f"without the wait for the line and a usual commit; an empty HTTP round trip: "
        f"{statistics.median(trips):.2f}, p99 {_p99(trips):.2f}",
    )  # fmt: skip
    sheet.tells("  valid code → first pulse byte, median", statistics.median(totals), "ms")


async def _open_and_shut(
    installation: Installation, codes: Codes, folder: Path
) -> tuple[list[float], list[float], list[float]]:
    """When each code was sent (s), and ms that commits and empty requests took in between."""
    asked: list[float] = []
    seen: list[float] = []
    commits: list[float] = []
    trips: list[float] = []
    async with opened(folder / "beside.sqlite3") as journal:
        await bench_commit.prepare(journal)
        with closing(Page(installation.stack)) as page:
            for number in range(OPENINGS):
                door = number % DOORS + 1
                _wait_for_coils(seen, number)
                asked.append(clock.mono_s())
                view = page.types(codes.pick_up[door - 1])
                assert view["screen"] == "opening", (number, view["screen"], view["refused"])
                until(f"door {door} stands open", lambda: page.view()["screen"] == "take")
                seen.append(clock.mono_s())
                _wait(seen[-1] + COIL_ENDS_S)
                installation.hands.do(door, "shut")
                until("it is shut", lambda: page.view()["screen"] == "still_inside")
                page.presses("leave")
                commits.append(await bench_commit.commit(journal, number) * 1000)
                began_s = clock.mono_s()
                page.health()
                trips.append((clock.mono_s() - began_s) * 1000)
    return asked, commits, trips


def _wait_for_coils(seen: Sequence[float], number: int) -> None:
    """Until a pulse would not have to wait for a coil; ``seen`` is when each door was found open."""
    due_s = seen[-1] + COILS_REST_S if seen else 0.0
    if number >= DOORS:
        due_s = max(due_s, seen[number - DOORS] + LOCK_COOLS_S)
    _wait(due_s + number * 7 % SPREAD_MS / 1000)


def _wait(until_s: float) -> None:
    clock.pause_s(max(0.0, until_s - clock.mono_s()))


def longest_ms() -> float:
    """A poll that has just begun, its reply after a silence, and the silence that a pulse waits for."""
    timing, gap_s = Timing(BAUD), boards.load("waveshare-32").transport.gap_ms / 1000
    return 1000 * (timing.wire_s(POLL_BYTES) + timing.silence_s + max(timing.silence_s, gap_s))


def _began_s(frame: Mapping[str, Any]) -> float:
    """First byte: a request is recorded when it is whole, a silence after its last."""
    timing = Timing(BAUD)
    return float(frame["mono_s"]) - timing.wire_s(len(frame["hex"].split())) - timing.silence_s


def _pulses(frames: Sequence[Mapping[str, Any]], asked: Sequence[float]) -> list[Pulse]:
    found: list[Pulse] = []
    before: tuple[float, float] = (0.0, 0.0)
    gap_s = longest_ms() / 1000 - Timing(BAUD).wire_s(POLL_BYTES) - Timing(BAUD).silence_s
    for frame in frames:
        if frame["kind"] == "reply":
            before = (before[0], float(frame["mono_s"]) + gap_s)
        elif frame["kind"] == "request":
            began_s = _began_s(frame)
            if frame["hex"].startswith(PULSE_HEAD) and began_s > asked[len(found)]:
                asked_s = asked[len(found)]
                waited_s = max(0.0, min(before[1], began_s) - max(before[0], asked_s))
                found.append(Pulse((began_s - asked_s) * 1000, waited_s * 1000))
            before = (began_s, began_s)
        if len(found) == len(asked):
            break
    assert len(found) == len(asked), "each request was followed by one pulse"
    return found


def _longest_seen(frames: Sequence[Mapping[str, Any]]) -> float:
    """Of polls in service, in ms, with the silence that a pulse waits for."""
    gap_s = max(Timing(BAUD).silence_s, boards.load("waveshare-32").transport.gap_ms / 1000)
    began_s, longest_s = math.inf, 0.0
    for frame in frames:
        if frame["kind"] == "request" and len(frame["hex"].split()) == PULSE_BYTES:
            began_s = _began_s(frame)
        elif frame["kind"] == "reply" and len(frame["hex"].split()) <= POLL_BYTES - PULSE_BYTES:
            longest_s = max(longest_s, float(frame["mono_s"]) + gap_s - began_s)
    return longest_s * 1000


def test_a_locker_with_a_long_past(installation: Installation, sheet: Sheet) -> None:
    installation.stop_locker()
    installation.end_hub()
    codes = installation.lengthen(PAST)
    accepted, read, size = [], [], 0.0
    for number in range(STARTS):
        began_s = installation.start_locker()
        soon(lambda: _accepts(installation, codes.drop_off))
        accepted.append(clock.mono_s() - began_s)
        soon(installation.doors_read)
        read.append(clock.mono_s() - began_s)
        with closing(Page(installation.stack)) as page:
            page.presses("leave")
        if number < STARTS - 1:
            installation.stop_locker()
    entries = installation.status()["seq"]
    assert entries >= PAST
    spread = f"median of {STARTS}, {min(accepted):.2f} to {max(accepted):.2f}; {entries:,} entries"
    sheet.at_most(
        "lockerd start → first code accepted", statistics.median(accepted), "s", START_LIMIT_S, spread
    )
    sheet.tells("lockerd start → every door read", statistics.median(read), "s")
    clock.pause_s(SETTLED_S)
    process = installation.process
    before = process.cpu_times()
    clock.pause_s(IDLE_S)
    after = process.cpu_times()
    share = 100 * (after.user - before.user + after.system - before.system) / IDLE_S
    size = process.memory_info().rss / 1e6
    sheet.at_most("memory (RSS) of lockerd", size, "MB", MEMORY_LIMIT_MB)
    sheet.at_most("idle CPU of lockerd, two boards polled", share, "%", IDLE_LIMIT_PERCENT, f"{IDLE_S:.0f} s")


def _accepts(installation: Installation, code: str) -> bool:
    try:
        with closing(Page(installation.stack)) as page:
            view = page.types(code)
    except ConnectionError:
        return False
    assert view["screen"] == "offer", (view["screen"], view["refused"])
    return True


def _answers(installation: Installation) -> bool:
    try:
        with closing(Page(installation.stack)) as page:
            page.health()
    except ConnectionError:
        return False
    return True


def _p99(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=100)[98]
