"""The installer, on a root of its own: what it makes, that it makes it once, and that it goes again."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from systemd.installer import __main__ as program
from systemd.installer import plan
from systemd.installer.__main__ import main
from systemd.installer.devices import rules
from systemd.installer.done import FILE
from systemd.installer.errors import BadDevice, CommandFailed
from systemd.installer.machine import Machine

# An installation gives files to users of its own, which only root may. CI is root; whoever is not is told.
pytestmark = pytest.mark.skipif(
    subprocess.run(["id", "-u"], capture_output=True, check=True).stdout.strip() != b"0",
    reason="needs root: files of another owner are made",
)


def run(role: str, root: Path, *more: str) -> int:
    return main([role, "--root", str(root), "--files-only", *more])


def tree(root: Path) -> dict[str, Any]:
    """Everything but what sysusers and tmpfiles make, which stays."""
    kept = ("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/.pwd.lock")
    return {
        name: path.readlink() if path.is_symlink() else (path.read_bytes(), path.stat().st_mode)
        for path in sorted(root.rglob("*"))
        if (path.is_file() or path.is_symlink())
        and not (name := str(path.relative_to(root))).removesuffix("-").startswith(kept)
    }


@pytest.mark.parametrize("role", plan.ROLES)
def test_a_second_run_finds_nothing_to_do(
    role: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(role, tmp_path) == 0
    made = tree(tmp_path)
    assert capsys.readouterr().out.count("write ") >= 4
    assert run(role, tmp_path) == 0
    assert capsys.readouterr().out.splitlines()[0] == "nothing to do"
    assert tree(tmp_path) == made


@pytest.mark.parametrize("role", plan.ROLES)
def test_a_dry_run_says_the_same_and_makes_nothing(
    role: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(role, tmp_path, "--dry-run") == 0
    would = capsys.readouterr().out.replace("would: ", "")
    assert list(tmp_path.iterdir()) == []
    run(role, tmp_path)
    assert capsys.readouterr().out == would


@pytest.mark.parametrize("role", plan.ROLES)
def test_undone_it_is_as_before(role: str, tmp_path: Path) -> None:
    boot = tmp_path / "boot/firmware/cmdline.txt"
    boot.parent.mkdir(parents=True)
    boot.write_text("root=/dev/mmcblk0p2 rootwait\n")
    theirs = tmp_path / "etc/systemd/journald.conf.d/doclocker.conf"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("[Journal]\nStorage=persistent\n")
    before = tree(tmp_path)
    run(role, tmp_path)
    assert ("consoleblank=0" in boot.read_text().split()) == (role == "locker")
    assert tree(tmp_path) != before
    run(role, tmp_path, "--undo")
    assert tree(tmp_path) == before


def test_what_somebody_changed_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("locker", tmp_path)
    changed = tmp_path / "etc/chromium/policies/managed/doclocker.json"
    changed.write_text("{}")
    run("locker", tmp_path, "--undo")
    assert changed.read_text() == "{}"
    assert (
        "leave /etc/chromium/policies/managed/doclocker.json: somebody changed it" in capsys.readouterr().out
    )


class _PowerCut(BaseException):
    """Nothing more happens."""


@pytest.fixture
def cut_after(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The machine stops after so many writes."""
    write = Machine.write

    def arm(times: int) -> None:
        left = [times]

        def counted(self: Machine, path: str, content: bytes, mode: int = 0o644) -> None:
            if left[0] == 0:
                raise _PowerCut
            left[0] -= 1
            write(self, path, content, mode)

        monkeypatch.setattr(Machine, "write", counted)

    return arm


@pytest.mark.parametrize("times", [0, 3, 8, 13, 18, 23])
def test_interrupted_anywhere_it_goes_on_or_goes(times: int, tmp_path: Path, cut_after: Any) -> None:
    theirs = tmp_path / "etc/udev/rules.d/70-doclocker.rules"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("# theirs\n")
    before = tree(tmp_path)
    cut_after(times)
    with pytest.raises(_PowerCut):
        run("locker", tmp_path)
    cut_after(1000)
    if times % 2:
        run("locker", tmp_path)
        assert b"doclocker" in tree(tmp_path)["etc/udev/rules.d/70-doclocker.rules"][0]
    run("locker", tmp_path, "--undo")
    assert {name: what for name, what in tree(tmp_path).items() if not name.startswith(FILE[1:])} == before


def test_interrupted_before_the_system_was_told_the_next_run_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[Machine] = []

    def fails(_machine: Machine) -> None:
        raise CommandFailed(("systemd-tmpfiles",), 1, "/proc is not mounted")

    monkeypatch.setattr(program, "settle", fails)
    assert run("locker", tmp_path) == 1
    monkeypatch.setattr(program, "settle", told.append)
    assert run("locker", tmp_path) == 0
    assert len(told) == 1
    assert "nothing to do" not in capsys.readouterr().out
    assert run("locker", tmp_path) == 0
    assert len(told) == 1
    assert capsys.readouterr().out.startswith("nothing to do")


def test_devices_are_said_once(tmp_path: Path) -> None:
    run("locker", tmp_path, "--line", "a=A50285BI", "--scanner", "0001SCAN", "--keyboard", "046d:c31c")
    written = tmp_path / "etc/udev/rules.d/70-doclocker.rules"
    said = written.read_text()
    assert '"A50285BI", SYMLINK+="doclocker/line-a"' in said
    assert 'ATTRS{idVendor}=="046d"' in said
    run("locker", tmp_path)
    assert written.read_text() == said
    run("locker", tmp_path, "--line", "b=FT99", "--scanner", "")
    assert "A50285BI" not in written.read_text()
    assert "scanner" not in written.read_text()


@pytest.mark.parametrize("bad", ['A5", RUN+="/bin/sh', "", "x" * 65])
def test_a_serial_number_writes_no_rules_of_its_own(bad: str) -> None:
    with pytest.raises(BadDevice):
        rules("", {"a": bad}, "", "")


def test_one_machine_has_one_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("locker", tmp_path)
    assert run("hub", tmp_path) == 1
    assert "--undo first" in capsys.readouterr().err


def test_an_unreadable_record_stops_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / FILE[1:]
    record.parent.mkdir(parents=True)
    record.write_text("{")
    assert run("locker", tmp_path) == 1
    assert "restore it, or move it away" in capsys.readouterr().err
