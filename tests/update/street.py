"""A locker in the street, as an update meets it: its services, its journal, people; on a disk that forgets.

What the updater's own programs do is the real code. Here is what they command: the service manager, the
daemon, pip. Every start of the daemon is looked at: one release, whole, that can read its journal.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from locker.ctl import _parser
from systemd.updater import guard, releases, trial
from systemd.updater.errors import UpdateError
from systemd.updater.host import Ran, Room, Seen
from systemd.updater.roles import TRIAL_UNIT
from tests.update.forgetful import ForgetfulDisk

STATE = "/var/lib/doclocker"
JOURNAL = f"{STATE}/journal.sqlite3"
CONFIG = "/etc/doclocker/locker.toml"
OLD = "1.0.0-aaaaaaaaaaaa"
UNIT = "/etc/systemd/system/lockerd.service"


@dataclass(frozen=True)
class Made:
    """What a release is like. ``unwell``: what is bad where it runs; ``strict``: what its doctor finds bad
    whoever runs; ``used``: somebody comes at once."""

    schema: int = 1
    kinds: frozenset[str] = frozenset({"Booted", "Stopped", "ItemPickedUp"})
    dies: bool = False
    unwell: str = ""
    strict: str = ""
    used: bool = False


@dataclass
class Street:
    """Fits `systemd.updater.host.Host`. ``told``: what people were promised, so often."""

    disk: ForgetfulDisk
    made: dict[str, Made]
    files: dict[str, dict[str, bytes]]
    """Of each release, what it must consist of to be whole."""
    told: int = 0
    watched: bool = True
    door: str = "closed"
    mono: float = 0.0
    run_id: int = 0
    runs: str = ""
    wanted: bool = False
    """Whether the service manager is to keep the daemon up."""
    trial_wanted: bool = False
    held: bool = False
    packages: frozenset[str] | None = frozenset()
    """Of the system, those that are installed; ``None``: there is no dpkg."""
    free: int = 8 << 30
    wrong: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    # --- the port ---

    def place(self, path: str) -> Path:
        raise AssertionError(path)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def mono_s(self) -> float:
        return self.mono

    def wall_s(self) -> int:
        return int(self.mono)

    def sleep(self, seconds: float) -> None:
        self.mono += seconds
        if self.wanted and not self.runs:
            self._start()

    @contextmanager
    def alone(self) -> Iterator[None]:
        assert not self.held, "two wait for each other for ever"
        self.held = True
        try:
            yield
        finally:
            self.held = False

    @contextmanager
    def alone_in(self, folder: str) -> Iterator[None]:
        del folder
        with self.alone():
            yield

    def screen(self, port: int) -> str:
        del port
        return "home" if self.runs else ""

    def room(self, path: str) -> Room:
        del path
        return Room(16 << 30, self.free)

    def fold(self, path: str) -> bool:
        return self.disk.read(path) is not None

    def journal(self, path: str, after: int) -> Seen | None:
        content = self.disk.read(path)
        if content is None:
            return None
        said = json.loads(content)
        kinds = frozenset(kind for _, kind in said["entries"][after:])
        return Seen(said["schema"], len(said["entries"]), kinds)

    def run(self, argv: Sequence[str], timeout_s: float = 60) -> Ran:
        del timeout_s
        match list(argv):
            case ["systemctl", *words]:
                return self._managed(words)
            case ["/usr/bin/setpriv", _, _, _, program, *words]:
                return self._asked(program.removesuffix("/bin/lockerctl").rpartition("/")[2], words)
            case ["/usr/bin/dpkg-query", _, "-W", "-f", _, *names]:
                return self._packaged(names)
            case [program, _, "--files-only"]:
                name = program.removesuffix("/systemd/install").rpartition("/")[2]
                self.disk.create(f"{UNIT}.new", name.encode(), 0o644)
                self.disk.rename(f"{UNIT}.new", UNIT)
            case [_, "-m", "venv", *_, base]:
                for part in ("pyvenv.cfg", "bin/python"):
                    self._write(f"{base}/{part}", b"made")
            case [python, "-m", "pip", *_, last]:
                base = python.removesuffix("/bin/python")
                part = "ours.py" if last.endswith(".whl") else "theirs.py"
                self._write(f"{base}/lib/{part}", b"installed")
            case _:
                raise AssertionError(argv)
        return Ran(0, "")

    def _packaged(self, names: list[str]) -> Ran:
        if self.packages is None:
            return Ran(127, "[Errno 2] No such file or directory")
        told = [f"{name} install ok installed\n" for name in names if name in self.packages]
        return Ran(0 if len(told) == len(names) else 1, "".join(told))

    def _managed(self, words: list[str]) -> Ran:
        match words:
            case ["stop", _]:
                self._stop()
            case ["start", "--no-block", unit] if unit == TRIAL_UNIT:
                self.trial_wanted = True
            case ["start", "--no-block", _]:
                self.wanted = True
                if not self.runs:
                    self._start()
            case ["show", *_]:
                state = "active" if self.runs else "activating"
                return Ran(0, f"ActiveState={state}\nInvocationID={self.run_id}\n")
            case _:
                raise AssertionError(words)
        return Ran(0, "")

    def _write(self, path: str, content: bytes) -> None:
        self.disk.make_folder(path.rpartition("/")[0])
        self.disk.create(path, content, 0o644)

    def _asked(self, name: str, words: list[str]) -> Ran:
        if words != ["--help"]:
            understood(*words)
        made = self.made.get(name if name in self.made else releases.running(self.disk), Made())
        match words:
            case ["doctor", *_]:
                return self._looked_at(made)
            case ["status", *_]:
                doors = {"1": {"door": self.door}}
                return Ran(0 if self.runs else 1, json.dumps({"compartments": doors}))
            case ["journal", "readable", *_, after]:
                seen = self.journal(JOURNAL, int(after))
                good = seen is not None and seen.schema <= made.schema and seen.kinds <= made.kinds
                return Ran(0 if good else 1, "")
            case _:
                return Ran(0, "")

    def _looked_at(self, asked: Made) -> Ran:
        """By the doctor of one release, whichever runs."""
        if asked.strict == "crash":
            return Ran(1, "Traceback (most recent call last): …")
        found = {asked.strict, self.made[self.runs].unwell if self.runs else "daemon"} - {""}
        bad = {name: [{"grade": "bad"}] for name in found}
        return Ran(3 if bad else 0, json.dumps({"checks": {"clock": [{"grade": "look"}], **bad}}))

    # --- what they command ---

    def _stop(self) -> None:
        if self.runs:
            self._journal("Stopped")
        self.runs, self.wanted = "", False

    def _start(self) -> None:
        """As the unit says: the guard of the release that was, then what ``current`` points at."""
        if self.disk.target(releases.PREVIOUS):
            try:
                guard.start(self)
            except UpdateError as error:
                self.wrong.append(str(error))
        if trial.load(self.disk):
            self.trial_wanted = True
        name = releases.running(self.disk)
        self._look_at(name)
        made, seen = self.made[name], self.journal(JOURNAL, 0)
        if seen is None:
            self.wrong.append("a daemon that finds no journal begins a new one")
            return
        self.run_id += 1
        if seen.schema > made.schema:
            return
        if seen.schema < made.schema:
            self._migrate(seen.schema, made.schema)
        self._journal("Booted")
        if made.used:
            self._journal("ItemPickedUp")
            self.told += 1
        self.runs = "" if made.dies else name

    def _look_at(self, name: str) -> None:
        if name not in self.files:
            self.wrong.append(f"neither of the two starts, but {name!r}")
        there = self.disk.files(releases.folder(name))
        if {path: content for path, content in there.items() if path in self.files[name]} != self.files[name]:
            self.wrong.append(f"{name} starts and is not whole")

    def _migrate(self, schema: int, to: int) -> None:
        content = self.disk.read(JOURNAL) or b""
        self.disk.settle(f"{STATE}/before/schema-{schema}.sqlite3", content)
        self.disk.settle(JOURNAL, json.dumps({**json.loads(content), "schema": to}).encode())

    def _journal(self, kind: str) -> None:
        said = json.loads(self.disk.read(JOURNAL) or b"")
        said["entries"].append((len(said["entries"]) + 1, kind))
        self.disk.settle(JOURNAL, json.dumps(said).encode())

    # --- people, and the power ---

    def kept(self) -> int:
        """How many of the things that people were promised the journal still has."""
        said = json.loads(self.disk.read(JOURNAL) or b"")
        return sum(kind == "ItemPickedUp" for _, kind in said["entries"])

    def after_cut(self, disk: ForgetfulDisk) -> "Street":
        """The same locker when the power is back; nothing runs yet."""
        return replace(
            self, disk=disk, runs="", wanted=False, trial_wanted=False, held=False, wrong=[], lines=[]
        )


@cache
def understood(*words: str) -> None:
    """By the real `lockerctl`, which ends where it does not know what is asked."""
    _parser(list(words)).parse_args(words)


def opened(made: Made, new: str, files: dict[str, bytes]) -> Street:
    """A locker that runs `OLD` and has served; ``new`` is not there yet, and is to consist of ``files``."""
    disk = ForgetfulDisk()
    whole = {"bin/lockerd": b"old", releases.WHOLE: b"", "systemd/guard": b"old"}
    for path, content in whole.items():
        disk.settle(f"{releases.folder(OLD)}/{path}", content)
    disk.settle("/etc/systemd/system/lockerd.service", OLD.encode())
    disk.settle(CONFIG, f'[locker]\nstate_dir = "{STATE}"\n'.encode())
    disk.settle(JOURNAL, json.dumps({"schema": 1, "entries": [(1, "Booted"), (2, "ItemPickedUp")]}).encode())
    disk.link(releases.CURRENT, releases.folder(OLD))
    disk.make_folder(trial.FOLDER)
    disk.make_folder(f"{STATE}/results")
    disk.sync_all()
    disk.steps = 0
    street = Street(disk, {OLD: Made(), new: made}, {OLD: whole, new: files}, told=1)
    street.wanted = True
    street._start()
    return street
