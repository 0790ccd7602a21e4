"""What is built for machines: the same bytes twice, nothing of whoever built it, whole where it arrives."""

import io
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from systemd.installer import plan
from systemd.installer.packages import LIST
from systemd.packer import release as releases
from systemd.packer.deb import SHARE, debs
from systemd.packer.errors import PackError
from systemd.packer.tree import LOCK, Checkout, checkout
from systemd.packer.wheel import wheel
from systemd.updater.envelope import opened
from tests.update import made

ROOT = Path(__file__).parents[2]
KIND = releases.For("aarch64", "3.11")


@pytest.fixture(scope="module")
def source() -> Checkout:
    return checkout(ROOT)


@pytest.fixture(scope="module")
def small(source: Checkout) -> Checkout:
    """Without what only makes it large."""
    alone = tuple(name for name in source.files if "/" not in name or name == LOCK)
    return replace(source, files=(*alone, *source.under("locker", "systemd")))


@pytest.fixture(scope="module")
def ours(source: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel(source, tmp_path_factory.mktemp("wheel"))


def under(umask: int, build: Callable[[], list[Path]]) -> list[bytes]:
    before = os.umask(umask)
    try:
        return [path.read_bytes() for path in build()]
    finally:
        os.umask(before)


def test_the_wheel_holds_every_file_of_the_packages(source: Checkout, ours: Path) -> None:
    with zipfile.ZipFile(ours) as packed:
        there = {name for name in packed.namelist() if ".dist-info/" not in name}
        times = {entry.date_time for entry in packed.infolist()}
    committed = set(source.under("locker", "firmware_bridge", "sync", "kiosk_ui", "hw_sim"))
    assert committed - there == {name for name in committed if name.endswith(".md")}
    assert there - committed == set()
    assert len(times) == 1, "the commit's time, nobody's clock"


def test_the_same_commit_makes_the_same_wheel(small: Checkout, tmp_path: Path) -> None:
    first = under(0o022, lambda: [wheel(small, tmp_path / "a")])
    assert first == under(0o077, lambda: [wheel(small, tmp_path / "b")])


@pytest.fixture(scope="module")
def built(small: Checkout, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return debs(small, tmp_path_factory.mktemp("debs"))


def test_the_same_commit_makes_the_same_packages(small: Checkout, built: list[Path], tmp_path: Path) -> None:
    assert under(0o077, lambda: debs(small, tmp_path)) == [path.read_bytes() for path in built]


def test_packages_hold_the_software_for_root_alone_to_change(small: Checkout, built: list[Path]) -> None:
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", built[0]], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = tar.getmembers()
    there = {member.name.removeprefix(f"./{SHARE}/") for member in members if member.isfile()}
    assert set(small.under("locker", "systemd")) <= there
    assert {(member.uid, member.gid, member.mode & 0o022) for member in members} == {(0, 0, 0)}
    assert {member.mtime for member in members} == {small.built_s}
    assert not {name for name in there if "__pycache__" in name or name.startswith("tests")}


@pytest.mark.parametrize("role", plan.ROLES)
def test_a_role_names_all_that_it_needs(role: str, built: list[Path]) -> None:
    deb = next(path for path in built if path.name.startswith(f"doclocker-{role}_"))
    said = subprocess.run(
        ["dpkg-deb", "-f", deb, "Depends"], capture_output=True, text=True, check=True
    ).stdout
    assert set(plan.needed(role)) <= {each.strip() for each in said.split(",")}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: dpkg writes files of another owner")
def test_installed_into_a_fresh_root_and_removed_again(built: list[Path], tmp_path: Path) -> None:
    """By dpkg itself, its scripts included; in a root that is not started nothing of it runs."""
    admin = tmp_path / "var/lib/dpkg"
    for folder in (admin / "updates", admin / "info", admin / "triggers"):
        folder.mkdir(parents=True)
    for name in ("status", "available"):
        (admin / name).touch()

    def dpkg(*words: str | Path) -> str:
        done = subprocess.run(
            ["dpkg", f"--root={tmp_path}", "--force-depends", "--force-script-chrootless", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    locker = next(path for path in built if "locker_" in path.name.removeprefix("doclocker"))
    said = dpkg("--install", built[0], locker)
    unit = tmp_path / "etc/systemd/system/lockerd.service"
    assert f"write /{unit.relative_to(tmp_path)}" in said
    assert unit.read_bytes() == (ROOT / "systemd/locker/lockerd.service").read_bytes()
    assert "what runs goes on" in dpkg("--install", locker), "a newer one switches nothing by itself"
    dpkg("--remove", "doclocker-locker")
    assert not unit.exists()
    dpkg("--remove", "doclocker")
    assert not (tmp_path / SHARE / "systemd").exists()


def test_a_release_says_what_is_in_it(small: Checkout, tmp_path: Path) -> None:
    theirs = tmp_path / "wheels"
    theirs.mkdir()
    with pytest.raises(PackError, match="no wheels"):
        releases.contents(small, theirs, tmp_path)
    (theirs / "theirs-1-py3-none-any.whl").write_bytes(b"theirs")
    files = releases.contents(small, theirs, tmp_path / "ours")
    said = releases.manifest(small, KIND, files, ("ab" * 32,))
    path = releases.write(said, files, made.signer(), tmp_path)
    assert path.name == f"doclocker-{small.version}-aarch64-py3.11.release"
    found = opened(path, (made.signer().public,))
    assert found.manifest == said
    assert (said.journal_schema, said.keys) == (1, ("ab" * 32,))
    programs = {each.name for each in said.files if each.is_program}
    assert {"systemd/install", "systemd/update", "systemd/guard"} <= programs
    assert {"requirements.lock", "systemd/locker/lockerd.service", LIST} <= {each.name for each in said.files}
    assert sum(each.name.startswith("wheels/doclocker-") for each in said.files) == 1
