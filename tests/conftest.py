"""What every test can ask for, and what is asked of every test."""

import gc
import logging
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from hypothesis import settings
from playwright.async_api import Browser, async_playwright

from tests import mosquitto
from tests import postgres as postgres_
from tests.logged import BadlyFormatted
from tests.world.pace import pytest_terminal_summary  # noqa: F401  # a hook: pytest finds it here

HERE: Final = Path(__file__).parent
PACKAGES: Final = ("locker", "firmware_bridge", "sync", "kiosk_ui", "hw_sim")

# The test run answers the same for the same commit; `make soak` looks for what it has not seen yet.
# No deadline for one example: a loaded machine is slow, and that is no fault of the code.
settings.register_profile("test", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("soak", deadline=None, max_examples=10_000, print_blob=True)
settings.load_profile("test")

LONGEST: Final = (
    "world/test_world.py",
    "world/test_mutants.py",
    "processes/test_stale.py",
    "world/test_third_worlds.py",
    "world/test_other_worlds.py",
    "processes/test_points.py",
    "story/test_hour.py",
    "story/test_story.py",
    "processes/test_clock.py",
    "processes/test_rounds.py",
    "world/test_custody.py",
    "world/test_people.py",
    "power/test_hub.py",
    "processes/test_read_only.py",
    "processes/test_disk.py",
    "power/test_cuts.py",
    "world/test_faults.py",
    "world/test_regressions.py",
    "story/test_demo.py",
    "kiosk_ui/test_look.py",
    "browser/test_product.py",
    "browser/test_visits.py",
    "locker/test_daemon.py",
    "contract/test_trouble.py",
    "locker/test_ctl_wiring.py",
    "sync/central/roles/test_roles_console.py",
    "sync/central/roles/test_roles_hall.py",
    "sync/central/roles/test_roles_office.py",
    "sync/central/test_hub_process.py",
    "hw_sim/test_diagnose.py",
    "systemd/test_hub.py",
    "sync/central/access/test_matrix.py",
    "locker/test_ctl_selftest.py",
    "power/test_faults.py",
    "locker/operations/test_awaits.py",
    "sync/central/test_workers.py",
    "hw_sim/fleet/test_fleet.py",
    "tidy/test_tidy.py",
    "contract/test_every_profile.py",
    "locker/test_around.py",
    "sync/central/test_described.py",
    "locker/journal/test_power.py",
    "sync/central/test_api.py",
    "locker/test_ctl_bus.py",
    "locker/operations/test_model.py",
    "power/test_recovery.py",
    "locker/test_ctl.py",
    "sync/central/access/test_accounts.py",
    "sync/central/test_console.py",
    "sync/central/access/test_identity.py",
    "locker/test_ctl_evidence.py",
    "locker/journal/test_verify.py",
    "update/test_packages.py",
    "update/test_releases.py",
    "sync/central/webhooks/test_webhooks.py",
)
"""Several workers begin with these, so that at the end no core waits for one of them. What mostly waits for
processes stands between what computes."""

# Where the environment forbids Python to keep what it compiled, each worker would compile all tests anew, and
# each of the hundreds of processes that they start the whole product.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Collecting makes some million objects and hardly any garbage.
gc.disable()

# A run in the background has Ctrl-C ignored, and so would every program that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """In a fresh clone every file is compiled once: each worker begins with another part of them."""
    worker = getattr(config, "workerinput", None)
    if worker is not None and config.args == config.getini("testpaths"):
        files = sorted(str(path) for path in HERE.rglob("test_*.py"))
        first = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        config.args = files[first:] + files[:first]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # alone, a run begins with what is quick
        places = {f"tests/{name}": place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: (places.get(_file(item), len(places)), _file(item)))


def _file(item: pytest.Item) -> str:
    """Where it is written; its own location is hypothesis's for a stateful test."""
    return item.nodeid.partition("::")[0]


def pytest_collection_finish() -> None:
    """Modules and collected tests stay to the end: no need to look for garbage among them again and again.
    Nor among what a test has in hand: by default a twentieth of the run would be spent on that."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


JUDGE: Final = BadlyFormatted()
LOGGERS: Final = tuple(logging.getLogger(name) for name in PACKAGES)


@pytest.fixture(autouse=True)
def well_formatted_log() -> Iterator[None]:
    """Fails a test in which one of our messages does not fit its arguments, at any level.

    Such a message is lost just when somebody needs it, and logging by itself only grumbles on stderr.
    """
    for logger in LOGGERS:
        if logger.level != logging.DEBUG or JUDGE not in logger.handlers:  # each change costs a millisecond
            logger.addHandler(JUDGE)
            logger.setLevel(logging.DEBUG)
    yield
    complaints, JUDGE.complaints = JUDGE.complaints, []
    assert complaints == []


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[mosquitto.Broker]:
    """A running mosquitto; `broker.add_user("loc-1", "pw")`, and `mosquitto.CENTRAL_USER` for the centre."""
    directory = tmp_path / "broker"
    directory.mkdir()
    instance = mosquitto.Broker(directory)
    try:
        instance.start()
        yield instance
    finally:
        instance.kill()


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_.Cluster]:
    """A running PostgreSQL, begun by the first test that asks: `postgres.database()` for a fresh one."""
    with postgres_.cluster() as instance:
        yield instance


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium, headless, which calls nobody but the page under test; one for a run."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        message = "chromium is missing: .ci/setup --dev installs it"
        raise FileNotFoundError(message)
    arguments = [
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--disable-quic",
    ]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium's own rule for root, as in a container
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=arguments)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """Without a page or cookie of another test. For tests marked ``asyncio(loop_scope="session")`` only."""
    assert chromium.contexts == []
    yield chromium
    for context in chromium.contexts:
        await context.close()
