"""What came back older than it was: broker, hub, locker; and what only stood still for a while."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from threading import Thread

import pytest

from hw_sim import clock
from tests.processes import judge
from tests.processes.people import People
from tests.processes.rig import PATIENCE_S, VICTIMS, Rig, rest_s, rig, until
from tests.processes.supervisor import PERIOD_S, Supervisor

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
PHONE = "13611112222"
STOPPED_S = 6.0
"""Longer than a pulse may wait for, and than a person looks at a page that hangs."""


@pytest.fixture(scope="module")
def running() -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="rig-") as folder, rig(Path(folder) / "r") as made:
        yield made


def copied(path: Path, to: Path) -> None:
    """A file and what belongs to it, as a backup has it."""
    for old in to.parent.glob(f"{to.name}*"):
        old.unlink()
    for each in path.parent.glob(f"{path.name}*"):
        shutil.copy2(each, to.with_name(to.name + each.name.removeprefix(path.name)))


@pytest.mark.parametrize("name", VICTIMS)
def test_what_stood_still_for_a_while_goes_on_and_nothing_is_doubled(running: Rig, name: str) -> None:
    people, case = People(running, Random(3)), f"still-{name}"
    typed = people.pre_reviewed(case, PHONE)
    visitor = Thread(target=people.hands_in, args=(case, typed))
    visitor.start()
    rest_s(0.4)
    with running.stopped(name):
        rest_s(STOPPED_S)
    visitor.join()
    people.takes_in(case)
    assert people.acknowledged == [("receipt", case), ("taken_in", case)]
    assert judge.judged(running, people.acknowledged) == []
    assert running.troubles() == set()


def test_a_broker_whose_files_are_deleted_in_mid_visit_loses_nothing(running: Rig) -> None:
    people, case = People(running, Random(4)), "deleted"
    typed = people.pre_reviewed(case, PHONE)
    running.kill("broker")
    people.hands_in(case, typed)
    running.broker_database.unlink(missing_ok=True)
    running.begin("broker")
    people.takes_in(case)
    assert judge.judged(running, people.acknowledged) == []
    assert running.troubles() == set()


@pytest.fixture
def supervisor(running: Rig) -> Iterator[Supervisor]:
    path = running.folder / "notify"
    path.unlink(missing_ok=True)
    made = Supervisor(running, path)
    yield made
    made.close()


@pytest.mark.parametrize("part", ["process", "journal", "line"])
def test_what_hangs_in_mid_visit_is_ended_by_the_watchdog_and_loses_nothing(
    running: Rig, supervisor: Supervisor, part: str
) -> None:
    people, case, flag = People(running, Random(9)), f"hung-{part}", running.folder / "hang"
    typed = people.pre_reviewed(case, PHONE)
    running.quiet()
    running.end("locker")
    supervisor.start(*(("hanging_locker", part, str(flag)) if part != "process" else ()))
    running.still()
    if part == "process":
        since_s = clock.mono_s()
        while clock.mono_s() < since_s + 2 * PERIOD_S:
            supervisor.watch()
        assert supervisor.ended == [], "it lives, and says so"
    visitor = Thread(target=people.hands_in, args=(case, typed))
    visitor.start()
    rest_s(0.3)
    hung_s = clock.mono_s()
    if part == "process":
        os.kill(running.stack.process("locker"), signal.SIGSTOP)
    else:
        flag.touch()
    while visitor.is_alive() or not supervisor.ended:
        supervisor.watch()
        assert clock.mono_s() < hung_s + PATIENCE_S, supervisor.ended
    visitor.join()
    people.looks_into_doubted()
    people.takes_in(case)
    assert people.acknowledged == [("receipt", case), ("taken_in", case)]
    assert judge.judged(running, people.acknowledged) == []
    assert running.troubles() == set()


def test_a_hub_put_back_to_an_older_copy_is_told_again_and_tells_nobody_twice(running: Rig) -> None:
    people, known, later = People(running, Random(5)), "before-the-copy", "after-the-copy"
    typed = people.pre_reviewed(known, PHONE)
    running.quiet()
    old = running.folder / "old-central.sqlite"
    assert running.end("hub") == 0
    copied(running.hub_database, old)
    running.begin("hub")
    people.hands_in(known, typed)
    code_made_later = people.pre_reviewed(later, PHONE)
    running.phone.awaits(PHONE, "receipt", known)
    running.quiet()
    lost = len(running.office.ledger())

    assert running.end("hub") == 0
    copied(old, running.hub_database)
    running.begin("hub")
    # Until the locker has heard of it, its status still says what the hub of before had.
    until("the hub has everything again", lambda: len(running.office.ledger()) >= lost or None)
    running.quiet()
    # What the locker was told since is unknown to this hub: alarms tell of both, and the right holds.
    assert running.troubles() == {"down_fork", "right_extra"}
    people.hands_in(later, code_made_later)
    people.takes_in(later)
    assert judge.judged(running, people.acknowledged) == []


def test_a_locker_put_back_to_an_older_copy_is_an_alarm_and_is_told_what_it_forgot(running: Rig) -> None:
    people, case = People(running, Random(6)), "went-on"
    typed = people.pre_reviewed(case, PHONE)
    running.quiet()
    assert running.end("locker") == 0
    old = running.folder / "old-state"
    shutil.copytree(running.state_dir, old)
    running.begin("locker")
    people.hands_in(case, typed)
    running.quiet()
    epoch, pulses = running.status()["epoch"], len(running.pulses())

    running.kill("locker")
    shutil.rmtree(running.state_dir)
    shutil.copytree(old, running.state_dir)
    running.begin("locker")
    until("a history of its own", lambda: running.status()["epoch"] != epoch, PATIENCE_S)
    until("the hub's alarm", lambda: "lost_rows" in running.troubles(), PATIENCE_S)
    running.quiet()
    assert len(running.pulses()) == pulses, "nothing opens by itself"
    people.takes_in(case)
    assert people.acknowledged == [("receipt", case), ("taken_in", case)]
