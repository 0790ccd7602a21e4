"""What an update does with a real disk, a real journal and the system's own Python."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from typing import Final

import pytest

from systemd.installer import plan
from systemd.installer.done import FILE as DONE
from systemd.installer.done import Done
from systemd.installer.errors import NotOurs
from systemd.installer.machine import Machine
from systemd.installer.steps import Put
from systemd.packer.release import For, manifest
from systemd.packer.tree import checkout
from systemd.updater import back, guard, releases, trial
from systemd.updater.__main__ import main
from systemd.updater.admit import schema_of, store_of
from systemd.updater.disk import Disk, RealDisk, move, point, put
from systemd.updater.errors import BadRecord
from systemd.updater.host import RealHost
from systemd.updater.roles import ROLES, TRIAL_UNIT
from systemd.updater.trial import Back, Trial
from tests.update.forgetful import ForgetfulDisk
from tests.update.street import OLD

ROOT = Path(__file__).parents[2]
PYTHON = Path("/usr/bin/python3")
SITE = plan.Site({}, "", "")
NEW = "1.1.0-bbbbbbbbbbbb"


def also(disk: Disk, name: str) -> None:
    if disk.read(name) is not None:
        disk.also(name, f"{name}.too")


def moved(disk: Disk, name: str, to: str) -> None:
    if name != to and disk.read(name) is not None:
        move(disk, name, to)


def emptied(disk: Disk, turn: int) -> None:
    if turn % 3 == 0:
        disk.remove_tree("/a/b")
        disk.make_folder("/a/b")


DOES: Final[tuple[Callable[[Disk, str, str, int], object], ...]] = (
    lambda disk, name, _, turn: put(disk, name, b"%d" % turn),
    lambda disk, name, to, _: moved(disk, name, to),
    lambda disk, name, _other, _turn: disk.unlink(name),
    lambda disk, name, _other, turn: disk.append(name, b"+%d" % turn),
    lambda disk, _name, _other, turn: point(disk, "/c/link", "/a" if turn % 2 else "/c"),
    lambda disk, name, _other, _turn: also(disk, name),
    lambda disk, _name, _other, turn: emptied(disk, turn),
)


def test_the_disk_of_the_tests_does_what_a_real_one_does(tmp_path: Path) -> None:
    real, model, chance = RealDisk(tmp_path), ForgetfulDisk(), Random(3)
    for disk in (real, model):
        disk.make_folder("/a/b")
        disk.make_folder("/c")
    for turn in range(120):
        name, other = (chance.choice(("/a/x", "/a/b/y", "/c/z")) for _ in range(2))
        does = chance.choice(DOES)
        for disk in (real, model):
            does(disk, name, other, turn)
        for folder in ("/a", "/a/b", "/c", "/none"):
            assert real.names(folder) == model.names(folder)
        assert real.target("/c/link") == model.target("/c/link")
        assert [real.read(each) for each in ("/a/x", "/c/z")] == [
            model.read(each) for each in ("/a/x", "/c/z")
        ]


def test_the_guard_needs_nothing_that_a_release_brings() -> None:
    """Without any installed package, as the system's own Python has none of ours."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import systemd.updater.guard\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] not in sys.stdlib_module_names"
        " and not m.startswith(('systemd', '__'))))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code, str(ROOT)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("script", "word", "said"),
    [
        ("update", "--help", "From one release"),
        pytest.param(
            "guard",
            "once",
            "start or watch",
            marks=pytest.mark.skipif(not PYTHON.exists(), reason=f"no {PYTHON}: the system's own Python"),
        ),
    ],
)
def test_the_scripts_run_from_where_they_stand(script: str, word: str, said: str) -> None:
    done = subprocess.run(
        [ROOT / "systemd" / script, word], capture_output=True, text=True, check=False, cwd="/"
    )
    assert said in done.stdout + done.stderr


SWITCHING: Final = """
import itertools, pathlib, sys
sys.path.insert(0, sys.argv[1])
from systemd.updater import releases, trial
from systemd.updater.disk import RealDisk
disk = RealDisk(pathlib.Path(sys.argv[2]))
for starts in itertools.count():
    old, new = sorted(sys.argv[3:5], reverse=starts % 2)
    trial.keep(disk, trial.Trial("locker", old, new, "/etc/doclocker/locker.toml", starts=starts))
    releases.run(disk, new)
    print(starts, flush=True)
"""


@pytest.mark.processes
def test_killed_while_it_switches_link_and_record_are_whole(tmp_path: Path) -> None:
    """A real process, a real disk, SIGKILL at any moment; and the next one takes what is left."""
    disk, chance, last = RealDisk(tmp_path), Random(5), -1
    for folder in (releases.folder(OLD), releases.folder(NEW), trial.FOLDER):
        disk.make_folder(folder)
    for _ in range(6):
        words = [sys.executable, "-I", "-S", "-B", "-c", SWITCHING, str(ROOT), str(tmp_path), OLD, NEW]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _line in range(chance.randrange(1, 30)):
                last = int(process.stdout.readline())
            process.kill()
        found = trial.load(disk)
        assert found is not None
        assert found.starts >= last
        assert releases.running(disk) in (OLD, NEW)
        assert set(disk.names(releases.BASE)) - {"current.new"} == {"current", "releases"}


@pytest.mark.parametrize(("role", "unit"), [("locker", "lockerd.service"), ("hub", "locker-central.service")])
def test_each_start_is_guarded_and_each_trial_watched(role: str, unit: str) -> None:
    lines = (ROOT / "systemd" / role / unit).read_text().splitlines()
    guarded = "ExecStartPre=-+/opt/doclocker/previous/systemd/guard start"
    starts = [line.split()[0].partition("=")[0] for line in lines if line.startswith("ExecStart")]
    assert guarded in lines
    assert starts == ["ExecStartPre", "ExecStart"]
    assert f"Wants={TRIAL_UNIT}" in lines
    assert ROLES[role].unit == unit
    installed = {step.path for step in plan.files(role, ROOT / "systemd", SITE) if isinstance(step, Put)}
    assert f"/etc/systemd/system/{TRIAL_UNIT}" in installed


def test_what_a_release_knows_is_read_from_itself(tmp_path: Path) -> None:
    """Also of one that was made of a checkout, and has no manifest."""
    disk, source = RealDisk(tmp_path), checkout(ROOT)
    assert (schema_of(disk, OLD), store_of(disk, OLD)) == (0, "")
    packages = tmp_path / releases.folder(OLD)[1:] / "lib/python3.11/site-packages"
    parts = [name for name in source.files if "/migrations/" in name]
    source.copy(parts, packages)
    (packages / "sync/central/migrations/versions/__pycache__").mkdir()
    said = manifest(source, For("aarch64", "3.11"), {"a": b""})
    assert (schema_of(disk, OLD), store_of(disk, OLD)) == (said.journal_schema, said.store_schema)


def journal(path: Path, schema: int, *kinds: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, public TEXT)")
        rows = [(json.dumps({"type": kind}),) for kind in kinds]
        connection.executemany("INSERT INTO entry (public) VALUES (?)", rows)
        connection.execute(f"PRAGMA user_version = {schema}")


def on_trial(root: Path) -> tuple[RealHost, Trial]:
    """The new one was switched to; the journal was brought to schema 2, with a copy of before."""
    host, state = RealHost(root), "/var/lib/doclocker"
    path = f"{state}/journal.sqlite3"
    for name in (OLD, NEW):
        host.disk.make_folder(releases.folder(name))
    host.disk.make_folder(trial.FOLDER)
    journal(root / back.copy_of(path, 1)[1:], 1, "Booted", "ItemPickedUp", "Stopped")
    releases.hold(host.disk, OLD)
    releases.run(host.disk, NEW)
    on = Trial("locker", OLD, NEW, "/etc/doclocker/locker.toml", journal=path, seq=3, schema=1, starts=3)
    trial.keep(host.disk, on)
    return host, on


def types(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [
            json.loads(text)["type"]
            for (text,) in connection.execute("SELECT public FROM entry ORDER BY seq")
        ]


def test_the_fourth_start_puts_journal_and_link_back(tmp_path: Path) -> None:
    host, on = on_trial(tmp_path)
    there = tmp_path / on.journal[1:]
    journal(there, 2, "Booted", "ItemPickedUp", "Stopped", "Booted", "HeadSigned")
    guard.start(host)
    assert releases.running(host.disk) == OLD
    assert types(there) == ["Booted", "ItemPickedUp", "Stopped"]
    assert types(there.parent / f"before/tried-{NEW}.sqlite3")[3:] == ["Booted", "HeadSigned"]
    found = trial.load(host.disk)
    assert found is not None
    assert (found.goes_back, found.starts) == (Back.COPY, 4)
    guard.start(host)
    assert types(there) == ["Booted", "ItemPickedUp", "Stopped"]


def test_a_journal_that_was_not_touched_needs_no_asking(tmp_path: Path) -> None:
    """The old release's own programs are not there in this root: nobody could answer."""
    host, on = on_trial(tmp_path)
    journal(tmp_path / on.journal[1:], 1, "Booted", "ItemPickedUp", "Stopped")
    assert back.way(host, on) is Back.PLAIN
    guard.start(host)
    assert releases.running(host.disk) == OLD


@pytest.mark.parametrize("kind", ["ItemPickedUp", "DoorOpened", "AuthorisationGranted", "NobodyKnows"])
def test_a_journal_that_somebody_has_used_stays(kind: str, tmp_path: Path) -> None:
    host, on = on_trial(tmp_path)
    there = tmp_path / on.journal[1:]
    journal(there, 2, "Booted", "ItemPickedUp", "Stopped", "Booted", kind)
    guard.start(host)
    assert releases.running(host.disk) == NEW
    assert types(there)[-1] == kind


def test_a_copy_of_another_moment_is_never_put_back(tmp_path: Path) -> None:
    host, on = on_trial(tmp_path)
    there = tmp_path / on.journal[1:]
    journal(there, 2, "Booted", "ItemPickedUp", "Stopped", "DropOff", "Booted")
    trial.keep(host.disk, Trial(**{**{f: getattr(on, f) for f in on.__slots__}, "seq": 4}))
    guard.start(host)
    assert types(there)[3] == "DropOff"


def test_a_record_that_cannot_be_read_stops_no_start(tmp_path: Path) -> None:
    host, _ = on_trial(tmp_path)
    host.disk.create(trial.FILE, b"{", 0o600)
    with pytest.raises(BadRecord, match="remove it"):
        guard.start(host)
    assert releases.running(host.disk) == NEW


def test_an_older_installer_reads_what_a_newer_one_has_noted(tmp_path: Path) -> None:
    """On the way back the older release puts its own units in place again."""
    machine = Machine(tmp_path)
    Done(role="locker", units=["lockerd.service"]).keep(machine)
    noted = json.loads(machine.read(DONE) or b"")
    machine.write(DONE, json.dumps({**noted, "of_later_software": {"a": 1}}).encode())
    assert (Done.of(machine).role, Done.of(machine).units) == ("locker", ["lockerd.service"])
    machine.write(DONE, b"[]")
    with pytest.raises(NotOurs):
        Done.of(machine)


def test_without_a_trial_a_start_costs_nothing(tmp_path: Path) -> None:
    guard.start(RealHost(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_trust_and_status_at_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host, _ = on_trial(tmp_path)
    key = tmp_path / "ours.pub"
    key.write_text("ab" * 32 + "\n")
    assert main(["trust", str(key)], host) == 0
    assert main(["trust", "cd" * 32], host) == 0
    assert main(["trust", "ef" * 32], host) == 1
    assert "--instead" in capsys.readouterr().err
    assert main(["trust", "ef" * 32, "--instead"], host) == 0
    assert main(["status"], host) == 0
    assert f"on trial: {NEW}, started 3 times; else {OLD}" in capsys.readouterr().out
    assert main(["install", str(tmp_path / "none.release")], host) == 1
    assert "systemd/install first" in capsys.readouterr().err
