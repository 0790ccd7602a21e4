"""A Debian with a systemd of its own, in name spaces of this machine: at its processor's own pace, with no
drivers, screen or USB. Its network is a loopback that several boxes share and nobody else."""

import subprocess
from pathlib import Path
from typing import Final

from hw_sim import clock
from tests.vm.machine import MachineError

STARTS_S: Final = 120.0
ENDS_S: Final = 60.0
_PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ROOT: Final = """
mount --make-rprivate /
mount -o loop,ro,noload "$1" lower
mount -t overlay overlay -o lowerdir=lower,upperdir=up,workdir=work root
cd root
"""
_PREPARED: Final = f"""{_ROOT}
mount -t proc proc proc
cp /etc/resolv.conf etc/resolv.conf
chroot . env DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 apt-get -q -y install --no-install-recommends $2
rm etc/resolv.conf
"""
_STARTED: Final = f"""{_ROOT}
ip link set lo up
hostname "$3"
mount -o loop,ro "$2" srv
mount --rbind "$4" media
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for each in null zero full random urandom tty; do : >dev/$each; mount --bind /dev/$each dev/$each; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' "$3" >etc/hosts
printf '%s\\n' "$3" >etc/hostname
# There is a loopback: no link is waited for, in vain.
ln -sf /dev/null etc/systemd/system/systemd-networkd-wait-online.service
pivot_root . mnt
umount -l /mnt
mount --make-rshared /
exec env -i container=other {_PATH} /sbin/init systemd.log_target=journal systemd.unit=multi-user.target
"""


class Box:
    """``net``: the process whose network it shares. ``shared`` is its ``/media``."""

    def __init__(self, folder: Path, disk: Path, net: int) -> None:
        self._folder, self._disk, self._net = folder, disk, net
        self._first = 0
        for name in ("lower", "up", "work", "root"):
            (folder / name).mkdir(parents=True)

    def add(self, *packages: str) -> None:
        """By apt, before it starts. Raises CalledProcessError."""
        words = (str(self._disk), " ".join(packages))
        subprocess.run(
            ["unshare", "--mount", "sh", "-ec", _PREPARED, "prepare", *words], cwd=self._folder, check=True
        )

    def start(self, payload: Path, shared: Path) -> None:
        """Until its systemd has started everything. Raises MachineError."""
        group = _groups() / f"doclocker-{self._folder.name}"
        group.mkdir(exist_ok=True)
        log = (self._folder / "init.log").open("wb")
        entered = f'echo $$ >{group}/cgroup.procs; exec "$@"'
        spaces = ("nsenter", f"--net=/proc/{self._net}/ns/net", "unshare", "-mpiuC", "--fork", "--kill-child")
        words = (str(self._disk), str(payload), self._folder.name, str(shared))
        with log:
            self._process = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "KILL", "sh", "-c", entered, "entered"),
                    *(*spaces, "sh", "-ec", _STARTED, "start", *words),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )
        until_s = clock.mono_s() + STARTS_S
        while self.tries("systemctl is-system-running --wait")[1] not in {"running", "degraded"}:
            if self._process.poll() is not None or clock.mono_s() > until_s:
                raise MachineError((self._folder / "init.log").read_text())
            clock.pause_s(0.5)

    def tries(self, command: str) -> tuple[int, str]:
        """Exit code and output of a shell's line, as root."""
        if not self._first:
            path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
            self._first = int((path.read_text().split() or ["0"])[0])
        if not self._first:
            return 1, "not started"
        asked = subprocess.run(
            [
                *("nsenter", "-t", str(self._first), "-m", "-p", "-i", "-n", "-u", "-C", "-r", "-w"),
                *(
                    "/usr/bin/env",
                    "-i",
                    _PATH,
                    "HOME=/",
                    "TERM=dumb",
                    "LANG=C.UTF-8",
                    "sh",
                    "-c",
                    command,
                ),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return asked.returncode, asked.stdout.strip()

    def does(self, command: str) -> str:
        """As `tries`. Raises MachineError where it fails."""
        code, said = self.tries(command)
        if code:
            raise MachineError(f"{command}: ended with {code}:\n{said}")
        return said

    def shows(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit."""
        said = self.does(f"systemctl show {unit} -p {','.join(names)}")
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)

    def log(self, unit: str, lines: int = 20) -> str:
        """The last of it."""
        return self.tries(f"journalctl -b -u {unit} --no-pager -o cat | tail -n {lines}")[1]

    def stop(self) -> None:
        """Everything in it ends."""
        self._process.kill()
        self._process.wait(ENDS_S)


def _groups() -> Path:
    """Where this machine keeps its second kind of control groups."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    raise MachineError("no cgroup2 is mounted here")
