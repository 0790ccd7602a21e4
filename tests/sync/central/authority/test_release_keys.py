"""Whose releases a locker believes, by its claim: once, and never instead of what it says already."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from locker.ctl.provision_hub import CannotProvision
from sync.central.authority.settings import Authority
from systemd.updater import trusted
from systemd.updater.disk import RealDisk
from tests.sync.central.authority.offices import Centre, Machine

KEYS = ("ab" * 32, "cd" * 32)


def believed(path: Path) -> tuple[str, ...]:
    """As the updater reads it."""
    root = path.parent / "machine"
    (root / "etc/doclocker").mkdir(parents=True, exist_ok=True)
    shutil.copy(path, root / trusted.FILE.lstrip("/"))
    return trusted.load(RealDisk(root))


def claimed(lone: Centre, machine: Machine, *keys: str) -> Path:
    lone.bureau = replace(lone.bureau, release_keys=keys)
    machine.ask(lone, lone.claim())
    return machine.folder / "release-keys.json"


def test_the_claim_brings_them_and_the_updater_reads_them(lone: Centre, machine: Machine) -> None:
    path = claimed(lone, machine, *KEYS)
    assert believed(path) == KEYS
    assert path.stat().st_mode & 0o777 == 0o644
    # A release may have brought others since: what is there stays.
    claimed(lone, machine, KEYS[1])
    assert believed(path) == KEYS


def test_a_hub_that_names_none_leaves_it_to_whoever_stands_there(lone: Centre, machine: Machine) -> None:
    assert not claimed(lone, machine).exists()


def test_what_is_no_key_is_not_written(lone: Centre, machine: Machine) -> None:
    with pytest.raises(CannotProvision, match="release keys"):
        claimed(lone, machine, "ab")
    assert not (machine.folder / "release-keys.json").exists()


def test_the_configuration_names_two_at_the_most() -> None:
    assert list(Authority(release_keys=KEYS).problems()) == []
    for wrong in (("ab",), (*KEYS, "ef" * 32), ("AB" * 32,)):
        assert [name for name, _ in Authority(release_keys=wrong).problems()] == ["release_keys"]
