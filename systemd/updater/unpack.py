"""A genuine release becomes a folder beside the others: whole, tried out, and nobody's until it is run."""

from collections.abc import Sequence
from typing import Final

from systemd.updater import releases
from systemd.updater.disk import folder_of, put
from systemd.updater.envelope import Release
from systemd.updater.errors import CommandFailed, Unfit
from systemd.updater.host import Host
from systemd.updater.roles import Role, as_user

WHEELS: Final = "wheels"
LOCK: Final = "requirements.lock"
ROOM_TIMES: Final = 5
"""Wheels are packed, and lie there twice for a moment."""
ROOM_LEFT: Final = 64 << 20
INSTALL_S: Final = 1800
TRY_S: Final = 600


def check_room(host: Host, release: Release) -> None:
    """Raises Unfit: a full disk would take the locker out of service."""
    wanted = ROOM_TIMES * sum(each.bytes for each in release.manifest.files) + ROOM_LEFT
    free = host.room(releases.BASE).free
    if free < wanted:
        raise Unfit(f"{free >> 20} MiB are free, {wanted >> 20} MiB are needed: journalctl --vacuum-size=50M")


def unpack(host: Host, release: Release, python: str, *, system: bool) -> str:
    """The name of its folder. A whole one that is there stays as it is.

    ``python`` makes its environment; ``system``: that sees the system's packages.

    Raises BadRelease, CommandFailed, OSError.
    """
    name, disk = release.name, host.disk
    if releases.is_whole(disk, name):
        return name
    base = releases.folder(name)
    disk.remove_tree(base)
    disk.make_folder(base)
    for file, content in release.contents():
        path = f"{base}/{file.name}"
        disk.make_folder(folder_of(path))
        disk.create(path, content, 0o755 if file.is_program else 0o644)
    view = ("--system-site-packages",) if system else ()
    _do(host, (python, "-m", "venv", *view, base))
    own = [f"{base}/{each.name}" for each in release.manifest.files if _is_own(each.name)]
    pip = (
        f"{base}/bin/python",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--quiet",
        "install",
    )
    offline = ("--no-index", "--find-links", f"{base}/{WHEELS}")
    _do(host, (*pip, *offline, "--only-binary", ":all:", "--require-hashes", "-r", f"{base}/{LOCK}"))
    _do(host, (*pip, *offline, "--no-deps", *own))
    disk.remove_tree(f"{base}/{WHEELS}")
    disk.create(f"{base}/{releases.FACTS}", release.manifest.encoded(), 0o644)
    disk.sync_all()
    put(disk, f"{base}/{releases.WHOLE}", b"")
    return name


def _is_own(name: str) -> bool:
    return name.startswith(f"{WHEELS}/doclocker-")


def try_out(host: Host, role: Role, name: str, config: str, *, has_journal: bool) -> None:
    """Beside the running one, with no more rights, on a copy of the journal. Raises CommandFailed."""
    for program in role.programs:
        _do(host, as_user(role, name, program, "--help"))
    if role.name == "locker":
        _do(host, as_user(role, name, "lockerctl", "config", "check", "--config", config))
        if has_journal:
            _do(host, as_user(role, name, "lockerctl", "journal", "rehearse", "--config", config), TRY_S)


def _do(host: Host, argv: Sequence[str], timeout_s: float = INSTALL_S) -> None:
    ran = host.run(argv, timeout_s)
    if ran.code:
        raise CommandFailed(argv, ran.code, ran.said)
