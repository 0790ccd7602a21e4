"""The way back to the release that was: which there is, and its steps, each of which may be done again.

What was acknowledged to a person or to the centre is never lost by it. So a journal goes back to its copy of
before only where the new release has journaled nothing but its own comings and goings; where it has done more
and the old one cannot read that, there is no way back, and a person must look.
"""

from dataclasses import replace
from typing import Final

from systemd.updater import releases, trial
from systemd.updater.disk import folder_of
from systemd.updater.host import Host
from systemd.updater.roles import ROLES, as_user
from systemd.updater.trial import Back, Trial

READS_S: Final = 30
"""What is asked within a start of the service must leave that some of its own time."""
OWN: Final = frozenset(
    {
        "Booted",
        "Stopped",
        "ClockStepped",
        "CompartmentsConfigured",
        "PolicyChanged",
        "SettingsReported",
        "HeadSigned",
        "BoardWentSilent",
        "BoardAnswered",
        "DoorRead",
    }
)
"""Facts about the machine that it finds again at its next start. No person, no door that moved, no word of
the centre's is among them."""


def copy_of(journal: str, schema: int) -> str:
    """Where the daemon has put the journal aside before it brought it to a newer schema than ``schema``."""
    return f"{folder_of(journal)}/before/schema-{schema}.sqlite3"


def way(host: Host, on: Trial) -> Back:
    """Which there is, with the service stopped, or not yet started."""
    if not on.journal:
        return Back.PLAIN if on.is_readable_back else Back.NO
    now = host.journal(on.journal, on.seq)
    if now and (now.schema, now.last) == (on.schema, on.seq):
        return Back.PLAIN  # it never got so far as to write
    role = ROLES[on.role]
    asked = ("lockerctl", "journal", "readable", "--config", on.config, "--after", str(on.seq))
    if host.run(as_user(role, on.old, *asked), READS_S).code == 0:
        return Back.PLAIN
    before = host.journal(copy_of(on.journal, on.schema), on.seq)
    if now is None or before is None or (before.schema, before.last) != (on.schema, on.seq):
        return Back.NO
    return Back.COPY if now.kinds <= OWN else Back.NO


def decide(host: Host, on: Trial, why: str) -> Trial:
    """From here on, whoever comes next goes back too; unless there is no way."""
    found = way(host, on)
    decided = replace(on, goes_back=found, why=why)
    if found is not Back.NO:
        trial.keep(host.disk, decided)
    return decided


def step(host: Host, on: Trial) -> None:
    """Journal and link as they must be before the old release starts."""
    if on.goes_back is Back.COPY:
        _put_back(host, on)
    releases.run(host.disk, on.old)


def _put_back(host: Host, on: Trial) -> None:
    """At no moment there is none: a daemon that finds none begins a new one."""
    copy = copy_of(on.journal, on.schema)
    if host.journal(copy, on.seq) is None:
        return  # it has its place already
    if host.fold(on.journal):
        host.disk.also(on.journal, f"{folder_of(copy)}/tried-{on.new}.sqlite3")
        host.disk.sync_folder(folder_of(copy))
    host.disk.rename(copy, on.journal)
    host.disk.sync_folder(folder_of(on.journal))
    host.disk.sync_folder(folder_of(copy))
