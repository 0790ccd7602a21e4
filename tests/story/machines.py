"""Two machines of their own, an empty disk each upon what is installed here, and what people type.

Whatever a machine writes is in one folder. No systemd runs there: `systemctl` notes what it was told, and
what was to be started is started here by the very lines of its unit. A command of ours is not started but
forked from this process, which has its imports done: each start would be a second of a core.
"""

import os
import pwd
import shlex
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import locker.assembly
import locker.ctl
import sync.central.hub  # noqa: F401 -- what `serve` needs, once for all
from sync.central import __main__ as central
from systemd.installer import __main__ as installer
from systemd.installer.plan import release
from tests.systemd.hub_inside import Here, lines

ROOT: Final = Path(__file__).parents[2]
NOTES: Final = ("bin/systemctl", "bin/udevadm", "bin/apt-get", "sbin/reboot")
"""What has nobody to tell here: it writes down that it was called."""
SOMEBODY: Final = "nobody"
"""Who types what has no `sudo` before it."""
DROP_INS: Final = {"mosquitto.service": "mosquitto.service.d/doclocker.conf"}
"""Of a unit of the system: ours says all that counts."""


class Box:
    """One machine. ``folder`` is its disk as it sees it; the commands are those of a technician's shell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._services: dict[str, int] = {}
        self.enabled: list[str] = []
        for name in NOTES:
            self.put(f"usr/{name}", '#!/bin/sh\necho "${0##*/}" "$@" >> /run/told\n', 0o755)
        for home in Path(sys.base_prefix).resolve().parents:  # a Python below somebody's home is for all here
            there = folder / str(home)[1:]
            there.chmod(there.stat().st_mode | 0o011)
        self.put("etc/hosts", "127.0.0.1 localhost hub.example\n")

    def put(self, path: str, text: str, mode: int = 0o644) -> Path:
        """A file of the machine, by hand."""
        there = self.folder / path
        there.parent.mkdir(parents=True, exist_ok=True)
        there.unlink(missing_ok=True)
        there.write_text(text, "utf-8")
        there.chmod(mode)
        return there

    def types(self, line: str, given: str = "") -> str:
        """What a command says that somebody types in the checkout. Raises AssertionError where it fails."""
        words = shlex.split(line)
        user = SOMEBODY
        if words[0] == "sudo":
            user, words = ("root", words[1:]) if words[1] != "-u" else (words[2], words[3:])
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as keys:
            keys.write(given.encode())
            keys.seek(0)
            code = wait(self._fork(user, str(ROOT), keys.fileno(), said.fileno(), lambda: called(words)))
            said.seek(0)
            text = said.read().decode()
        assert code == 0, f"{line}: {code}\n{text}"
        self._heeds()
        return text

    def does(self, work: Callable[[], object]) -> None:
        """Something that no command does, as root of the machine."""
        assert wait(self._fork("root", "/", 0, 2, lambda: int(bool(work())))) == 0

    # --- instead of a service manager -----------------------------------------------------------------------

    def _heeds(self) -> None:
        """What `systemctl` was told since."""
        told = self.folder / "run/told"
        for line in told.read_text().splitlines() if told.exists() else ():
            program, *words = line.split()
            if program == "reboot":
                self.reboots()
            elif program == "systemctl" and words[0] == "enable":
                self.enabled.append(words[-1])
            elif program == "systemctl" and words[0] in {"start", "restart"}:
                self.starts(words[-1] if "." in words[-1] else f"{words[-1]}.service")
        told.unlink(missing_ok=True)

    def reboots(self) -> None:
        for unit in list(self._services):
            self.stops(unit)
        for unit in self.enabled:
            self.starts(unit)

    def starts(self, unit: str) -> None:
        """By the lines of its unit, where that is a daemon's; what shows a screen is left out."""
        path = self.folder / "etc/systemd/system" / DROP_INS.get(unit, unit)
        users = lines(path, "User") if path.suffix in {".service", ".conf"} else []
        if not users or "kiosk" in unit:
            return
        self.stops(unit)
        user = users[0][0]
        own = pwd_of(self.folder, user)
        for (name,) in lines(path, "RuntimeDirectory"):
            folder = self.folder / "run" / name
            folder.mkdir(mode=0o700, exist_ok=True)
            os.chown(folder, own.pw_uid, own.pw_gid)
        for argv in lines(path, "ExecStartPre"):
            if argv and not argv[0].endswith("/guard"):
                wait(self._fork("root", "/", 0, 2, lambda argv=argv: called(argv)))  # type: ignore[misc]
        argv = next(argv for argv in lines(path, "ExecStart") if argv)
        home = next((words[0] for words in lines(path, "WorkingDirectory")), "/")
        log = os.open(self.log(unit), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        self._services[unit] = self._fork(user, home, nothing, log, lambda: called(argv))
        os.close(log)
        os.close(nothing)

    def stops(self, unit: str) -> None:
        """In good order."""
        process = self._services.pop(unit, 0)
        if process:
            os.kill(process, signal.SIGTERM)
            code = wait(process)
            assert code in {0, -signal.SIGTERM}, f"{unit}: {code}\n{self.log(unit).read_text()}"

    def signals(self, unit: str, how: signal.Signals) -> None:
        os.kill(self._services[unit], how)

    def stop(self) -> None:
        for unit in reversed(list(self._services)):
            self.stops(unit)

    def log(self, unit: str) -> Path:
        return self.folder / "var/log" / f"{unit}.log"

    def _fork(self, user: str, home: str, given: int, said: int, work: Callable[[], int]) -> int:
        """A process of this machine, in a session of its own."""
        process = os.fork()
        if not process:
            code = 99
            os.setsid()
            for number, file in enumerate((given, said, said)):
                os.dup2(file, number)
            os.chroot(self.folder)
            try:
                become(user)
                os.chdir(home)
                code = work()
            except SystemExit as end:
                code = int(end.code or 0)
            except BaseException:  # noqa: BLE001 -- whatever it was is in its log
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        return process


def become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.umask(0o077 if user.startswith("doclocker") else 0o022)


def pwd_of(root: Path, user: str) -> pwd.struct_passwd:
    """As that machine knows them."""
    line = next(
        line for line in (root / "etc/passwd").read_text().splitlines() if line.startswith(f"{user}:")
    )
    name, word, uid, gid, *rest = line.split(":")
    return pwd.struct_passwd((name, word, int(uid), int(gid), *rest))


def wait(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def unpacked() -> None:
    """The software as a package brings it: unpacked, and run by nothing yet."""
    whole = Path("/opt/doclocker/releases", release(ROOT / "systemd").name, "whole")
    if not whole.exists():
        whole.parent.mkdir(parents=True)
        whole.touch()
        whole.with_name("bin").symlink_to(Path(sys.executable).parent)
        whole.with_name("systemd").symlink_to(ROOT / "systemd")


def called(words: Sequence[str]) -> int:
    """A command as it is typed, or as a unit says it: our own go on in this process."""
    name = words[0].removeprefix("/opt/doclocker/current/bin/")
    if name == "systemd/install":
        if not os.geteuid():
            unpacked()
        installer.Machine = Here  # type: ignore[attr-defined]  # it calls the hub's commands as this does
        return installer.main(list(words[1:]))
    if name == "locker-central":
        return central.main(list(words[1:]))
    if name == "lockerctl":
        sys.argv = list(words)
        locker.ctl.main()
    return os.execvp(words[0], list(words))  # noqa: S606 -- a unit's own line
