"""A centre with an authority: on both databases where statements are tried, else on SQLite alone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.central import lockers
from sync.central.store import Store
from tests.sync.central.authority.offices import Centre, Machine
from tests.sync.central.conftest import HandClock, Parts, new_desk
from tests.sync.central.fake_locker import FakeLocker


@pytest.fixture
def centre(parts: Parts, tmp_path: Path) -> Centre:
    return Centre.at(parts, tmp_path)


@pytest.fixture
def lone(new_hub: Path, tmp_path: Path) -> Iterator[Centre]:
    path = tmp_path / "central.sqlite"
    shutil.copyfile(new_hub, path)
    store, clock, locker = Store.open(path), HandClock(), FakeLocker()
    desk = new_desk(clock)
    known = store.write_now(lambda c: lockers.enrol(c, desk, locker.locker, "north", locker.public))
    yield Centre.at(Parts(store, desk, clock, locker, known), tmp_path)
    store.close()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "locker").mkdir()
    return Machine(tmp_path / "locker")
