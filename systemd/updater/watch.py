"""One release on trial: switched to when nobody is there, judged, and kept or left.

Runs as a service of its own, so that neither the end of whoever asked for the update nor a power cut leaves a
locker half-way: whatever it finds, it goes on from there.
"""

from dataclasses import replace
from typing import Final

from systemd.updater import back, releases, trial, trusted
from systemd.updater.health import Verdict, judge
from systemd.updater.host import Host
from systemd.updater.quiet import busy
from systemd.updater.roles import ROLES
from systemd.updater.trial import Back, Outcome, Trial

QUIET_S: Final = 120
"""Whoever asked has waited for a quiet moment; it may be over by now, and comes again."""
STOP_S: Final = 60
LOOK: Final = 3
"""The unit's own exit code for that: it is not tried again, and stays in sight as failed."""
UNITS_S: Final = 180


def watch(host: Host) -> int:
    """0: nothing is on trial any more, and what runs is well; LOOK: a person must look. Raises BadRecord."""
    on = trial.load(host.disk)
    if on is None:
        return 0
    if on.goes_back is not Back.NO:
        return _went_back(host, on)
    if releases.running(host.disk) != on.new:
        if why := _in_use(host, on):
            return _not_begun(host, on, why)
        on = _switched(host, on)
    return _tried(host, on)


def _in_use(host: Host, on: Trial) -> str:
    """Who is there, for so long that we give up; empty: nobody."""
    ends_s = host.mono_s() + QUIET_S
    while why := busy(host, ROLES[on.role], on.config):
        if host.mono_s() >= ends_s:
            return why
        host.sleep(2)
    return ""


def _not_begun(host: Host, on: Trial, why: str) -> int:
    with host.alone():
        trial.end(host.disk, on, Outcome.NOT_BEGUN, why, host.wall_s())
    host.run(("systemctl", "start", "--no-block", ROLES[on.role].unit))
    host.say(f"{on.new}: not begun, {why}. {on.old} goes on; ask again later")
    return 0


def _switched(host: Host, on: Trial) -> Trial:
    """The old one is stopped in order, and nothing is written any more: where the journal ends is known."""
    host.run(("systemctl", "stop", ROLES[on.role].unit), STOP_S)
    with host.alone():
        seen = host.journal(on.journal, 0) if on.journal else None
        if seen:
            on = replace(on, seq=seen.last, schema=seen.schema)
            trial.keep(host.disk, on)
        releases.run(host.disk, on.new)
    host.say(f"{on.new} runs, on trial; {on.old} waits")
    return on


def _tried(host: Host, on: Trial) -> int:
    unit = ROLES[on.role].unit
    ran = host.run((f"{releases.folder(on.new)}/systemd/install", on.role, "--files-only"), UNITS_S)
    if ran.code:
        return _leave(host, on, f"its units: {ran.said.strip()}")
    host.run(("systemctl", "start", "--no-block", unit))
    verdict, why = judge(host, on)
    if verdict is Verdict.WELL:
        return _stays(host, on)
    return _leave(host, on, why)


def _stays(host: Host, on: Trial) -> int:
    """It has proved itself."""
    with host.alone():
        if on.keys:
            trusted.keep(host.disk, on.keys)
        trial.end(host.disk, on, Outcome.DONE, "", host.wall_s())
        gone = releases.prune(host.disk, on.new, on.old)
    host.say(f"{on.new} is well and stays" + (f"; removed: {', '.join(gone)}" if gone else ""))
    return 0


def _leave(host: Host, on: Trial, why: str) -> int:
    unit = ROLES[on.role].unit
    with host.alone():
        found = trial.load(host.disk) or on  # the guard may have been quicker
        if found.goes_back is Back.NO:
            host.run(("systemctl", "stop", unit), STOP_S)
            found = back.decide(host, found, why)
        if found.goes_back is Back.NO:
            trial.end(host.disk, found, Outcome.STAYS, why, host.wall_s())
    if found.goes_back is not Back.NO:
        return _went_back(host, found)
    host.run(("systemctl", "start", "--no-block", unit))
    host.say(
        f"{on.new} is not well ({why}), and {on.old} cannot read what it has journaled: it stays. Look at it"
    )
    return LOOK


def _went_back(host: Host, on: Trial) -> int:
    unit = ROLES[on.role].unit
    with host.alone():
        if releases.running(host.disk) != on.old:
            host.run(("systemctl", "stop", unit), STOP_S)
        back.step(host, on)
    ran = host.run((f"{releases.folder(on.old)}/systemd/install", on.role, "--files-only"), UNITS_S)
    with host.alone():
        trial.end(host.disk, on, Outcome.BACK, on.why, host.wall_s())
    host.run(("systemctl", "start", "--no-block", unit))
    host.say(f"{on.old} runs again: {on.new} was not well ({on.why})")
    if ran.code:
        host.say(f"its units could not be put back: {ran.said.strip()}")
    return LOOK if ran.code else 0
