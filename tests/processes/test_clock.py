"""The locker's wall clock is wrong by years, from its start or all at once, with and without the centre."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from typing import Any, Final

import pytest

from hw_sim import clock
from hw_sim.people import DidNotHappenError
from locker.domain import events as ev
from locker.domain.directives import StateEntry
from locker.domain.encoding import build
from sync.central import directives
from sync.central.store import Store
from tests.processes import judge
from tests.processes.people import People
from tests.processes.rig import LOCKER, PATIENCE_S, Rig, rig, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
PHONE = "13511112222"
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
YEAR_MS: Final = 365 * DAY_MS
NEAR_MS: Final = 60_000
BACK_S: Final = 200.0
"""A link that found no broker for a while tries again after two minutes at most; and a busy machine."""
"""What the centre says of a step, and what it was: the visits in between take a while."""


@pytest.fixture(scope="module")
def running() -> Iterator[Rig]:
    with tempfile.TemporaryDirectory(prefix="rig-") as folder, rig(Path(folder) / "r") as made:
        yield made


def offset_to(year: int) -> int:
    """Milliseconds from now to the first day of a year."""
    now = int(clock.wall_iso()[:4])
    return (year - now) * YEAR_MS


def steps(running: Rig) -> list[int]:
    found = (event["data"] for event in running.events() if event["type"] == "ClockStepped")
    return [int(data["delta_ms"]) for data in found]


def await_step(running: Rig, known: int) -> None:
    """A hello that took its time says too little of what time it is: there will be others."""
    for _ in range(4):
        running.kill("broker")
        running.begin("broker")
        with suppress(DidNotHappenError):
            until("a step", lambda: len(steps(running)) > known, PATIENCE_S / 3)
            running.quiet()
            return
    pytest.fail("no step was journaled")


def refusal(view: Any) -> str:
    assert view is not None
    return str((view["refused"] or {}).get("reason", ""))


def test_a_clock_that_is_years_off_opens_nothing_spent_and_refuses_nobody(running: Rig) -> None:
    file = running.folder / "offset"
    spent: list[tuple[str, str]] = []
    people = People(running, Random(7))
    for number, offset_ms in enumerate((offset_to(1970), offset_to(2099))):
        case = f"clock-{number}"
        typed, label = people.pre_reviewed(case, PHONE), people.label(f"{case}-out", PHONE)
        people.loads(f"{case}-out", label)
        scan = people.scan_of(f"{case}-out", PHONE)
        running.quiet()
        known = len(steps(running))
        # No centre and no NTP: nobody can say what time it is.
        running.kill("broker")
        running.kill("locker")
        file.write_text(str(offset_ms))
        running.start_locker("faulty_clock", str(file))
        running.still()
        assert running.status()["clock"] == "unset"
        people.hands_in(case, typed)
        people.collects(f"{case}-out", scan)
        spent += [("scanned", scan)]
        pulses = len(running.pulses())
        for kind, digits in spent:
            assert refusal(people.posts("code", **{kind: digits})) == "code_not_accepted"
            people.posts("act", act="leave")
        assert len(running.pulses()) == pulses
        # The centre's signed word puts it right, and the journal says by how much.
        await_step(running, known)
        assert abs(steps(running)[-1] + offset_ms) < NEAR_MS, (steps(running), offset_ms)
        people.takes_in(case)
    assert judge.judged(running, people.acknowledged) == []
    assert judge.verified(running) == ""
    rows = [json.loads(row["public"]) for row in running.office.ledger()]
    assert {row["tq"] for row in rows} >= {"unset", "centre"}, "no row is refused for its time"


def told_by_the_hub(running: Rig, *says: StateEntry) -> None:
    """What no office can say yet: written into the hub's database while it is down."""
    applied: int = len(says) + sum(each["type"] == "DirectiveApplied" for each in running.events())
    assert running.end("hub") == 0
    store = Store.open(running.hub_database)
    now_ms = time.time_ns() // 1_000_000
    for each in says:
        store.write_now(lambda connection, each=each: directives.append(connection, LOCKER, each, now_ms))  # type: ignore[misc]
    store.close()
    running.begin("hub")

    def known() -> bool:
        kinds: list[str] = [each["type"] for each in running.events()]
        return kinds.count("DirectiveApplied") >= applied

    until("the locker knows", known, PATIENCE_S)
    running.quiet()


def granted(running: Rig, case: str) -> ev.AuthorisationGranted:
    """As the locker journaled it, but for the names."""
    said = (each["data"] for each in running.events() if each["type"] == "AuthorisationGranted")
    data = next(data for data in said if data["case"] == case)
    return build(ev.AuthorisationGranted, {**data, "name": "张*", "phone": "135****2222"})


@pytest.mark.timeout(500)
def test_what_was_revoked_or_has_expired_opens_nothing_whatever_the_machines_clock_says(running: Rig) -> None:
    """Where nobody can say what time it is, what has expired is honoured; what was revoked never is."""
    file = running.folder / "offset"
    people = People(running, Random(9))
    revoked, expired = (people.pre_reviewed(case, PHONE) for case in ("revoked", "expired"))
    running.quiet()
    an_hour_ago_ms = time.time_ns() // 1_000_000 - HOUR_MS
    told_by_the_hub(
        running,
        ev.AuthorisationRevoked(granted(running, "revoked").authorisation, "case closed"),
        replace(granted(running, "expired"), valid_until_ms=an_hour_ago_ms),
    )
    pulses = len(running.pulses())

    def tried(typed: str) -> str:
        def decided() -> str | None:
            reason = refusal(people.posts("code", typed=typed))
            people.posts("act", act="leave")
            return None if reason == "too_many_tries" else reason

        return until("a decision", decided, PATIENCE_S)

    for offset_ms in (-5 * DAY_MS, 5 * DAY_MS):
        running.kill("broker")
        running.kill("locker")
        file.write_text(str(offset_ms))
        running.start_locker("faulty_clock", str(file))
        running.still()
        assert running.status()["clock"] == "unset"
        assert tried(revoked) == "code_not_accepted"
        running.begin("broker")
        until("the centre's word", lambda: running.status()["clock"] == "centre", BACK_S)
        assert [tried(revoked), tried(expired)] == ["code_not_accepted", "code_expired"]
    assert len(running.pulses()) == pulses
    assert judge.judged(running, people.acknowledged) == []


@pytest.mark.timeout(500)
def test_a_clock_that_jumps_while_it_runs_does_not_matter_once_the_centre_has_said_the_time(
    running: Rig,
) -> None:
    file = running.folder / "offset"
    file.write_text("0")
    running.kill("locker")
    running.start_locker("faulty_clock", str(file))
    people = People(running, Random(8))
    running.quiet()
    cases = {f"jumped-{ms}": (ms, people.pre_reviewed(f"jumped-{ms}", PHONE)) for ms in (YEAR_MS, -YEAR_MS)}
    until("the centre's word", lambda: running.status()["clock"] == "centre", BACK_S)
    running.quiet()
    known = len(steps(running))
    running.kill("broker")
    for case, (offset_ms, typed) in cases.items():
        file.write_text(str(offset_ms))
        people.hands_in(case, typed)
        last = running.events()[-1]
        assert (last["tq"], abs(last["time"] - time.time_ns() // 1_000_000) < NEAR_MS) == ("centre", True)
    running.begin("broker")
    running.quiet()
    assert len(steps(running)) == known
    for case in cases:
        people.takes_in(case)
    assert judge.judged(running, people.acknowledged) == []
    assert running.troubles() == set()
