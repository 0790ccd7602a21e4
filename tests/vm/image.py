"""The machine's disk: a bare Debian 12 with what `systemd/install` asks of apt, kept between runs; and a
second one with this checkout and the locked Python packages, made for each run."""

import hashlib
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from systemd.installer.plan import packages

RELEASE: Final = "bookworm"
SYSTEM: Final = (
    *("systemd", "systemd-sysv", "udev", "dbus", "dbus-user-session", "libpam-systemd", "linux-image-amd64"),
    *("initramfs-tools", "ca-certificates", "procps", "iproute2", "kmod", "sudo", "openssl"),
)
_CONSOLE: Final = """\
[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 %I dumb
"""
_IN_CHROOT: Final = 'mount -t proc proc "$0/proc"; chroot "$0" sh -ec "$1"; exit $?'
"""A first process that stands outside: so `systemctl` and `udevadm` know that nobody is there to tell."""
_NETWORK: Final = "[Match]\nName=en*\n[Network]\nDHCP=ipv4\n"


def run(*argv: str) -> str:
    """Raises CalledProcessError, with what was said on standard error."""
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


def base(folder: Path) -> Path:
    """The disk, and beside it `boot` with its kernel. Some minutes, by debootstrap and apt; once for each
    list of packages."""
    wanted = (*SYSTEM, *packages("locker").names)
    name = hashlib.sha256(" ".join(wanted).encode()).hexdigest()[:8]
    disk, root = folder / f"base-{name}.ext4", folder / "root"
    if disk.exists():
        return disk
    for old in folder.glob("base*.ext4"):
        old.unlink()
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    run("debootstrap", "--variant=minbase", f"--include={','.join(SYSTEM)}", RELEASE, str(root), *_mirror())
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    quiet = ("chroot", str(root), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y")
    run(*quiet, "install", "--no-install-recommends", *wanted)
    run(*quiet, "clean")
    (root / "etc/resolv.conf").unlink()
    _write(root / "etc/systemd/system/serial-getty@ttyS0.service.d/autologin.conf", _CONSOLE)
    _write(root / "etc/systemd/network/10-any.network", _NETWORK)
    _write(root / "etc/fstab", "LABEL=payload /srv ext4 ro,nofail 0 0\n")
    _write(root / "etc/hostname", "locker\n")
    _write(root / "etc/hosts", "127.0.0.1 localhost\n127.0.1.1 locker\n")
    run("chroot", str(root), "systemctl", "enable", "--quiet", "systemd-networkd")
    run("chroot", str(root), "passwd", "--delete", "root")
    shutil.copytree(root / "boot", folder / "boot", dirs_exist_ok=True, ignore=shutil.ignore_patterns("grub"))
    fresh = folder / "base.fresh"
    run("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(fresh), "6G")
    fresh.rename(disk)
    shutil.rmtree(root)
    return disk


def payload(folder: Path) -> Path:
    """A disk named payload: the checkout as committed, and wheels of the locked packages."""
    tree, wheels, disk = folder / "payload", folder / "wheels", folder / "payload.ext4"
    checkout = Path(__file__).parents[2]
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "doclocker").mkdir(parents=True)
    wheels.mkdir(exist_ok=True)
    lock = str(checkout / ".ci/requirements.lock")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet")
    run(*pip, "-q", "-q", "--require-hashes", "-r", lock, "-d", str(wheels))
    archive = subprocess.run(
        ["git", "-C", str(checkout), "archive", "HEAD"], check=True, stdout=subprocess.PIPE
    )
    subprocess.run(["tar", "x", "-C", str(tree / "doclocker")], input=archive.stdout, check=True)
    shutil.copytree(wheels, tree / "wheels")
    disk.unlink(missing_ok=True)
    run("mke2fs", "-q", "-t", "ext4", "-L", "payload", "-d", str(tree), str(disk), "400M")
    shutil.rmtree(tree)
    return disk


def in_chroot(folder: Path, command: str) -> Path:
    """The bare disk after ``command``, which saw the payload at /srv: at this processor's own pace, without
    the machine's devices and without its service manager."""
    disk, root = folder / "chroot.ext4", folder / "root"
    root.mkdir(exist_ok=True)
    run("cp", "--sparse=always", str(base(folder)), str(disk))
    with ExitStack() as mounted:
        for what, where in (
            (("-o", "loop", str(disk)), root),
            (("-o", "loop,ro", str(folder / "payload.ext4")), root / "srv"),
        ):
            run("mount", *what, str(where))
            mounted.callback(run, "umount", str(where))
        run("unshare", "--mount", "--pid", "--fork", "sh", "-ec", _IN_CHROOT, str(root), command)
    return disk


def overlay(below: Path, kind: str, disk: Path) -> Path:
    """A new disk that begins as ``below`` and leaves it as it is."""
    disk.unlink(missing_ok=True)
    disk.parent.mkdir(parents=True, exist_ok=True)
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(below), "-F", kind, str(disk))
    return disk


def _mirror() -> tuple[str, ...]:
    """Where this machine's own packages come from; none said: debootstrap's own choice."""
    for source in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
        for line in source.read_text().splitlines():
            if line.startswith("URIs:"):
                return (line.split()[1],)
    return ()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
