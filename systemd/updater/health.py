"""Whether a release on trial is as well as the one before it was, for long enough to be believed."""

import json
from dataclasses import dataclass
from enum import Enum
from typing import Final

from systemd.updater import releases, trial
from systemd.updater.host import Host
from systemd.updater.roles import ROLES, Role, as_user
from systemd.updater.trial import Back, Trial

WELL_S: Final = 120
"""In one run, without a restart, from one good look of the doctor to the next."""
UNWELL_S: Final = 180
"""So long people may find a locker that does not serve: a start takes up to 60 s, a restart 30 s more."""
TRIAL_S: Final = 900
"""For what lies further away: a hub that was heard before the update must be heard again by then."""
LOOK_S: Final = 5
DOCTOR_S: Final = 120
NO_DOCTOR: Final = "doctor"
"""In place of findings where there are none: it did not end, or said nothing that can be read."""
AFAR: Final = frozenset({"broker", "centre", "clock", "certificate", "disk"})
"""Findings that a network or a passing day may bring: no reason to leave at once."""


class Verdict(Enum):
    """What becomes of it."""

    WELL = 0
    UNWELL = 1


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the service, as the service manager tells it."""

    is_active: bool
    id: str
    told: str


def findings(host: Host, role: Role, config: str, release: str = "") -> tuple[str, ...]:
    """The names of the doctor's checks that are bad, by the doctor of ``release`` (else: of what runs)."""
    if role.name != "locker":
        return ()
    ran = host.run(as_user(role, release, "lockerctl", "doctor", "--json", "--config", config), DOCTOR_S)
    try:
        checks = json.loads(ran.said)["checks"]
        return tuple(name for name, found in checks.items() if any(each["grade"] == "bad" for each in found))
    except (ValueError, TypeError, KeyError, AttributeError):
        return (NO_DOCTOR,)


def before(host: Host, role: Role, config: str, new: str) -> tuple[str, ...]:
    """What is bad already, by the doctors of both releases: a stricter one is no reason to leave. That one of
    them cannot look at all excuses nothing."""
    both = {*findings(host, role, config), *findings(host, role, config, new)}
    return tuple(sorted(both - {NO_DOCTOR}))


def judge(host: Host, on: Trial) -> tuple[Verdict, str]:
    """Waits until it knows; with the reason where it is not well."""
    begun_s = unwell_s = host.mono_s()
    well: tuple[float, str] | None = None
    why = "it was not looked at"
    while host.mono_s() - begun_s < TRIAL_S:
        if _is_decided(host):
            return Verdict.UNWELL, "it did not stay"
        run = _run(host, ROLES[on.role])
        if well and (not run.is_active or run.id != well[1]):
            well = None
        if run.is_active and (well is None or host.mono_s() - well[0] >= WELL_S):
            bad = [name for name in findings(host, ROLES[on.role], on.config) if name not in on.unwell]
            if not bad and well:
                return Verdict.WELL, ""
            well = (host.mono_s(), run.id) if not bad else None
            why = f"the doctor finds bad: {', '.join(bad)}"
            if not set(bad) - AFAR:
                unwell_s = host.mono_s()
        elif not run.is_active:
            why = f"the service is {run.told}"
        if well:
            unwell_s = host.mono_s()
        if host.mono_s() - unwell_s >= UNWELL_S:
            return Verdict.UNWELL, why
        host.sleep(LOOK_S)
    return Verdict.UNWELL, why


def _is_decided(host: Host) -> bool:
    """Whether the guard has gone back meanwhile."""
    on = trial.load(host.disk)
    return on is None or on.goes_back is not Back.NO or releases.running(host.disk) != on.new


def _run(host: Host, role: Role) -> _Run:
    asked = host.run(("systemctl", "show", "-p", "ActiveState", "-p", "InvocationID", role.unit))
    said = dict(line.split("=", 1) for line in asked.said.splitlines() if "=" in line)
    state = said.get("ActiveState", "unknown")
    return _Run(state == "active", said.get("InvocationID", ""), state)
