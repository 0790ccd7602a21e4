"""The part of an update that somebody asks for: until its last line, nothing of what runs has changed."""

from pathlib import Path
from typing import Any, Final

from systemd.updater import health, needs, releases, trial, trusted
from systemd.updater.admit import Here, admit, admit_back, store_of
from systemd.updater.disk import folder_of
from systemd.updater.envelope import Release, opened
from systemd.updater.errors import Busy, Unfit
from systemd.updater.host import Host
from systemd.updater.quiet import busy, configured
from systemd.updater.roles import TRIAL_UNIT, Role
from systemd.updater.trial import Trial
from systemd.updater.unpack import check_room, try_out, unpack

QUIET_FOR_S: Final = 20
"""A page at home for so long: nobody is just putting on their glasses."""
JOURNAL: Final = "journal.sqlite3"


def look(host: Host, role: Role, path: Path, here: Here, *, forced: bool) -> Release:
    """Genuine, and for this machine, which has all that it needs. Raises UpdateError, OSError."""
    release = opened(path, trusted.load(host.disk))
    admit(host.disk, release, here, forced=forced)
    needs.check(host, role, release, here)
    check_room(host, release)
    return release


def make(host: Host, role: Role, release: Release, here: Here, python: str) -> Trial:
    """Unpacked and tried out; what is to be begun. Raises UpdateError, OSError."""
    name = unpack(host, release, python, system=_sees_system(host, here.running))
    journal = journal_of(host, role, role.config)
    try_out(host, role, name, role.config, has_journal=here.journal_schema > 0)
    return trial_of(host, role, here, name, journal, release.manifest.keys)


def make_back(host: Host, role: Role, here: Here) -> Trial:
    """Of the release that ran before. Raises UpdateError."""
    name = host.disk.target(releases.PREVIOUS).rpartition("/")[2]
    admit_back(host.disk, name, here)
    journal = journal_of(host, role, role.config)
    try_out(host, role, name, role.config, has_journal=here.journal_schema > 0)
    return trial_of(host, role, here, name, journal, ())


def trial_of(host: Host, role: Role, here: Here, name: str, journal: str, keys: tuple[str, ...]) -> Trial:
    """What is well now must be well then."""
    same = store_of(host.disk, here.running) == store_of(host.disk, name) != ""
    return Trial(
        role.name,
        here.running,
        name,
        role.config,
        journal=journal,
        is_readable_back=same,
        unwell=health.before(host, role, role.config, name),
        keys=keys,
    )


def wait_for_quiet(host: Host, role: Role, config: str, wait_s: float) -> None:
    """Nobody there for `QUIET_FOR_S`. Raises Busy."""
    ends_s, since_s, told = host.mono_s() + wait_s, host.mono_s(), ""
    while host.mono_s() - since_s < QUIET_FOR_S:
        if why := busy(host, role, config):
            if host.mono_s() >= ends_s:
                raise Busy(f"{why}: nothing was switched; ask again later, or wait longer with --wait")
            if why != told:
                host.say(f"waiting: {why}")
            since_s, told = host.mono_s(), why
        host.sleep(1)


def begin(host: Host, on: Trial) -> None:
    """From here on the service that watches the trial does the rest, whatever becomes of us. Raises Busy."""
    disk = host.disk
    disk.make_folder(trial.FOLDER)
    disk.sync_folder(folder_of(trial.FOLDER))
    with host.alone():
        if trial.load(disk) is not None:
            raise Busy("another release is on trial: systemd/update status")
        if releases.running(disk) != on.old or not releases.is_whole(disk, on.new):
            raise Busy("somebody else has changed what runs: ask again")
        releases.hold(disk, on.old)
        trial.keep(disk, on)
    host.run(("systemctl", "start", "--no-block", TRIAL_UNIT))


def journal_of(host: Host, role: Role, config: str) -> str:
    """Where a locker's journal lies, as its configuration says; empty for a hub. Raises Unfit."""
    if role.name != "locker":
        return ""
    state: Any = configured(host, config).get("locker", {}).get("state_dir")
    if not isinstance(state, str):
        raise Unfit(
            f"{config} names no state_dir: lockerctl provision first; before, systemd/install is enough"
        )
    path = Path(folder_of(config)) / state / JOURNAL
    return str(path)


def _sees_system(host: Host, running: str) -> bool:
    """As what runs does."""
    told = host.disk.read(f"{releases.folder(running)}/pyvenv.cfg") or b""
    return b"include-system-site-packages = true" in told
