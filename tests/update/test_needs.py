"""A release that needs a package of the system which is missing here is refused before anything changes."""

import json
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from locker.config import load
from locker.ctl.doctor import missing_packages
from locker.ctl.doctor_checks import CHECKS, Grade, Machine
from systemd.installer import machine as machines
from systemd.installer import plan
from systemd.installer.packages import LIST, lacking, named, named_for, question
from systemd.installer.steps import Packages
from systemd.updater import __main__ as program
from systemd.updater import releases, trusted, update
from systemd.updater.admit import Here
from systemd.updater.envelope import Release, listed, opened, packed
from systemd.updater.errors import BadRelease, Lacking, Unfit
from systemd.updater.roles import ROLES
from tests.locker.configured import TEXT, write
from tests.update import made
from tests.update.street import OLD, Made, Street
from tests.update.street import opened as street_with

ROOT: Final = Path(__file__).parents[2]
PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
HERE: Final = Here(platform.machine(), PYTHON, OLD, 1)
ROLE: Final = ROLES["locker"]
SAID: Final = (
    "this machine lacks cage, seatd, which it needs: sudo apt-get install --no-install-recommends cage seatd"
)


def listing(*names: str) -> bytes:
    return f"[locker]\neverywhere = {json.dumps(names)}\n[hub]\neverywhere = ['of-a-hub']\n".encode()


def release(folder: Path, text: bytes | None) -> Release:
    """With that list of packages, for this very machine."""
    files = made.FILES if text is None else made.FILES | {LIST: text}
    every = listed(files, ("systemd/install",))
    said = made.manifest(machine=platform.machine(), python=PYTHON, files=every)
    path = folder / "a.release"
    path.write_bytes(b"".join(packed(said, files, made.signer().sign)))
    return opened(path, (made.signer().public,))


@pytest.fixture
def street() -> Street:
    """Before it knew of lists; it trusts whoever makes the releases here."""
    street = street_with(Made(), "1.1.0-bbbbbbbbbbbb", {})
    trusted.keep(street.disk, [made.signer().public])
    street.disk.settle(program.INSTALLED, b'{"role": "locker"}')
    street.lines.clear()
    return street


def looked_at(street: Street, new: Release) -> None:
    update.look(street, ROLE, new.path, HERE, forced=False)


def test_a_missing_package_is_named_and_nothing_is_changed(
    street: Street, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = release(tmp_path, listing("chrony", "cage", "seatd"))
    street.packages = frozenset({"chrony"})
    before, steps = street.disk.files(""), street.disk.steps
    for words in (["install", str(new.path)], ["install", str(new.path), "--dry-run"]):
        assert program.main(words, street) == 1
        assert capsys.readouterr().err == f"update: {SAID}\n"
    assert (street.disk.files(""), street.disk.steps) == (before, steps)
    assert street.runs == OLD


def test_with_all_of_them_it_goes_through(street: Street, tmp_path: Path) -> None:
    new = release(tmp_path, listing("chrony", "seatd"))
    street.packages = frozenset({"chrony", "seatd", "more"})
    assert program.main(["install", str(new.path), "--dry-run"], street) == 0
    assert "version: 1.1.0" in street.lines


def test_what_the_running_one_does_without_holds_nothing_up(street: Street, tmp_path: Path) -> None:
    """A hub whose database is elsewhere, a locker without a screen: somebody took it away."""
    street.disk.settle(f"{releases.folder(OLD)}/{LIST}", listing("cage", "chrony"))
    street.packages = frozenset({"chrony"})
    looked_at(street, release(tmp_path, listing("cage", "chrony")))
    assert street.lines == ["missing here, as before: cage"]
    with pytest.raises(Lacking) as refused:
        looked_at(street, release(tmp_path, listing("cage", "chrony", "seatd")))
    assert refused.value.names == ("seatd",)


def test_without_dpkg_somebody_must_look(street: Street, tmp_path: Path) -> None:
    street.packages = None
    looked_at(street, release(tmp_path, listing("cage", "seatd")))
    assert street.lines == ["there is no dpkg here: look yourself whether there is cage, seatd"]


def test_an_older_release_without_a_list_asks_for_nothing(street: Street, tmp_path: Path) -> None:
    looked_at(street, release(tmp_path, None))
    assert street.lines == []


@pytest.mark.parametrize(
    "text", [b"[locker", b"locker = 7", b'[locker]\neverywhere = ["a; reboot"]', b"\xff"]
)
def test_a_list_that_is_none_is_refused(text: bytes, street: Street, tmp_path: Path) -> None:
    with pytest.raises(BadRelease, match="packages"):
        looked_at(street, release(tmp_path, text))


def test_a_disk_without_room_is_said(street: Street, tmp_path: Path) -> None:
    street.free = 1 << 20
    with pytest.raises(Unfit, match="1 MiB are free"):
        looked_at(street, release(tmp_path, None))


def test_what_runs_is_asked_at_any_time(street: Street, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["packages"], street) == 0, "one without a list"
    street.disk.settle(f"{releases.folder(OLD)}/{LIST}", listing("cage", "seatd"))
    assert program.main(["packages"], street) == 1
    assert capsys.readouterr().err == f"update: {SAID}\n"
    street.packages = frozenset({"cage", "seatd"})
    assert program.main(["packages"], street) == 0
    street.disk.settle(program.INSTALLED, b'{"role": "hub"}')
    assert program.main(["packages"], street) == 1
    assert "lacks of-a-hub" in capsys.readouterr().err


def test_the_doctor_says_the_same(tmp_path: Path) -> None:
    """By the program of its own release; where there is none, as in a checkout, it says nothing."""
    update = tmp_path / "update"
    assert missing_packages(update) == ""
    for script, expected in (("exit 0", ""), (f"echo 'update: {SAID}' >&2; exit 1", SAID)):
        update.write_text(f'#!/bin/sh\n[ "$1" = packages ] || exit 2\n{script}\n')
        update.chmod(0o755)
        assert missing_packages(update) == expected
    config = load(write(tmp_path, TEXT))
    sound = Machine(config, None, "", 0, True, 40, lambda: None, str, str)
    assert list(CHECKS["packages"](sound)) == []
    (found,) = CHECKS["packages"](replace(sound, packages=lambda: SAID))
    assert (found.grade, f"{found.told}: {found.remedy}") == (Grade.LOOK, SAID)


def installed(root: Path, *told: str) -> None:
    """A machine whose dpkg knows these, as ``NAME STATUS``."""
    admin = root / "var/lib/dpkg"
    admin.mkdir(parents=True)
    about = "Architecture: all\nMaintainer: a\nVersion: 1\nDescription: a\n"
    lines = [f"Package: {each.split()[0]}\nStatus: {each.split(maxsplit=1)[1]}\n{about}" for each in told]
    (admin / "status").write_text("\n".join(lines))


def test_dpkg_itself_is_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half-installed is not installed; held back is."""
    installed(
        tmp_path,
        "cage install ok installed",
        "seatd install ok half-configured",
        "chrony deinstall ok config-files",
        "xwayland hold ok installed",
    )
    names = ("cage", "seatd", "chrony", "xwayland", "nobody-knows")
    argv = question(names, str(tmp_path / "var/lib/dpkg"))
    asked = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert lacking(names, asked.stdout + asked.stderr) == ("seatd", "chrony", "nobody-knows")
    machine = machines.Machine(tmp_path)
    assert Packages(names).do(machine, None) is False  # type: ignore[arg-type]  # it is not looked at
    assert "install seatd chrony nobody-knows by apt" in capsys.readouterr().out


@pytest.mark.parametrize("role", plan.ROLES)
def test_installer_and_releases_have_one_list(role: str) -> None:
    text = (ROOT / LIST).read_bytes()
    assert named(text, role) == plan.needed(role)
    assert set(named_for(text, role, platform.machine())) == set(plan.packages(role).names)
    assert ("python3-lgpio" in named_for(text, role, "aarch64")) == (role == "locker")
    assert "python3-lgpio" not in named_for(text, role, "x86_64")
