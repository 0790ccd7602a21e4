"""The mains fail while people ask for doors: none is begun any more; the journal is put in order in time."""

import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from hw_sim import clock
from hw_sim.people import until
from tests.bench.figures import Sheet
from tests.bench.locker.bench_locker import _answers
from tests.bench.locker.installation import Installation, Page, soon
from tests.bench.locker.past import DOORS

PINS: Final = '\n[gpio]\nfactory = "mock"\nmains = 27\n'
ENTRIES: Final = 5_000
AFTER_MS: Final = tuple(range(0, 64, 4))
"""How long after the contact a code is shown: on both sides of what is asked for."""
IN_ORDER_LIMIT_S: Final = 3.0
LOCKER: Final = Path(__file__).with_name("mains_locker.py")


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "state")
    try:
        made.build()
        yield made
    finally:
        made.close()


def test_mains_fail(installation: Installation, sheet: Sheet, tmp_path: Path) -> None:
    codes, failed = installation.lengthen(ENTRIES), tmp_path / "failed"
    config, stack = installation.stack.locker_config, installation.stack
    config.write_text(config.read_text("utf-8") + PINS, "utf-8")
    stack._run("locker", [sys.executable, str(LOCKER), str(failed), "--config", str(config)])
    soon(lambda: _answers(installation))
    until("every door is read", installation.doors_read)
    installation.synced()
    begun, late = 0, list[float]()
    with closing(Page(stack)) as page:
        for number, after_ms in enumerate(AFTER_MS):
            pulses, before = len(installation.hands.pulses()), _moved_ns(installation)
            began_s = clock.mono_s()
            failed.touch()
            clock.pause_s(after_ms / 1000)
            view = page.types(codes.pick_up[number % DOORS])
            soon(partial(_moved_since, installation, before))
            late.append(clock.mono_s() - began_s)
            until("they are known to have failed", lambda: _lost(installation))
            if view["screen"] != "home":
                page.presses("leave")
            view = page.types(codes.pick_up[number % DOORS])
            assert view["refused"]["reason"] == "power_failing", view["screen"]
            begun += len(installation.hands.pulses()) - pulses
            failed.unlink()
            until("they are back", lambda: not _lost(installation))
            if page.view()["screen"] != "home":
                page.presses("leave")
    sheet.at_most("mains failed → pulses begun", begun, "pulses", 0, f"{len(late)} codes, 0 to 60 ms later")
    sheet.at_most(
        "mains failed → journal in its file", max(late), "s", IN_ORDER_LIMIT_S, f"slowest of {len(late)}"
    )


def _lost(installation: Installation) -> bool:
    return bool(installation.status()["surroundings"]["mains_lost"])


def _moved_ns(installation: Installation) -> int:
    """When the journal's log was last moved into its file."""
    return installation.config.journal_path.stat().st_mtime_ns


def _moved_since(installation: Installation, before: int) -> bool:
    return _moved_ns(installation) != before
