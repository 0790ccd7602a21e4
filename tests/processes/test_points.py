"""Killed at each point of the path on which an entry becomes acknowledged: locker, hub, broker in turn."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from typing import Final

import httpx
import pytest

from hw_sim import clock
from tests.processes import dying_hub, dying_locker, judge
from tests.processes.people import People
from tests.processes.rig import PATIENCE_S, Rig, rest_s, rig, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(900)]
BROKER_POINTS: Final = (
    "Received PUBLISH from demo-1",
    "Sending PUBACK to demo-1",
    "Sending PUBLISH to _central",
    "Received PUBLISH from _central",
    "Sending PUBLISH to demo-1",
)
"""What the broker has said last when it dies."""
AT_STOP: Final = "cursor"
"""These come once a minute, and at an orderly end."""
CASES = count()
PHONE = "13987654321"


@pytest.fixture(scope="module")
def running() -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="rig-") as folder, rig(Path(folder) / "r") as made:
        yield made


@pytest.fixture
def people(running: Rig) -> People:
    return People(running, Random(1))


def directive(running: Rig) -> None:
    """Something for the locker to be told; whether the hub lives to answer is another matter."""
    with suppress(httpx.TransportError):
        running.office.pre_review(f"P-{next(CASES)}", "李娜", PHONE)


def entry(running: Rig, people: People) -> None:
    """Something for the centre to be told: a wrong PIN is journaled at once."""
    before = len(running.journal())
    while len(running.journal()) == before:
        people.posts("code", scanned=running.badge)
        people.posts("act", act="pin", digits="000000")
        people.posts("act", act="leave")
        people.posts("code", scanned=running.badge)
        people.posts("act", act="pin", digits="246810")  # the right one: five wrong in a row would lock it
        people.posts("act", act="sign_out")


def nothing_is_wrong(running: Rig) -> None:
    assert judge.judged(running, []) == []
    assert running.troubles() == set()


def test_a_locker_killed_at_each_point_loses_nothing(running: Rig) -> None:
    for point in dying_locker.POINTS:
        running.kill("locker")
        running.run_locker("dying_locker", point)
        if AT_STOP in point:
            running.stack.await_url(f"{running.stack.kiosk_url}/healthz", "locker")
            running.quiet()
            running.stack._processes["locker"].terminate()
        else:
            directive(running)
        running.await_death("locker")
    running.start_locker()
    nothing_is_wrong(running)
    # What was applied twice or never would show here too.
    assert running.office.locker()["dn_stored_to"] == running.office.locker()["dn_head"]


def test_a_hub_killed_at_each_point_loses_nothing(running: Rig, people: People) -> None:
    for point in dying_hub.POINTS:
        running.kill("hub")
        entry(running, people)
        running.run_hub("dying_hub", point)
        end_s = clock.mono_s() + PATIENCE_S
        while not running.died("hub") and clock.mono_s() < end_s:
            rest_s(0.3)
            if "directives" in point or "SMS" in point:
                directive(running)
        running.await_death("hub")
    running.start_hub()
    nothing_is_wrong(running)


def test_a_broker_killed_at_each_point_loses_nothing(running: Rig, people: People) -> None:
    log = running.folder / "logs" / "broker.log"
    for point in BROKER_POINTS:
        running.quiet()
        seen = log.stat().st_size

        def said(point: str = point, seen: int = seen) -> bool:
            return point in log.read_text("utf-8", errors="replace")[seen:]

        entry(running, people)
        directive(running)
        until(point, said, PATIENCE_S)
        running.kill("broker")
        running.begin("broker")
    nothing_is_wrong(running)
