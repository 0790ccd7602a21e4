"""What an update must know of a locker and of a hub: tables, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from systemd.updater.releases import CURRENT, folder

TRIAL_UNIT: Final = "doclocker-trial.service"


@dataclass(frozen=True, slots=True)
class Role:
    """``unit``: what is stopped and started; ``programs``: what must at least say how it is called."""

    name: str
    unit: str
    user: str
    config: str
    programs: tuple[str, ...]


ROLES: Final[Mapping[str, Role]] = {
    role.name: role
    for role in (
        Role(
            "locker", "lockerd.service", "doclocker", "/etc/doclocker/locker.toml", ("lockerd", "lockerctl")
        ),
        Role(
            "hub",
            "locker-central.service",
            "doclocker-central",
            "/etc/doclocker/central.toml",
            ("locker-central",),
        ),
    )
}


def as_user(role: Role, release: str, *words: str) -> tuple[str, ...]:
    """A command of a release, with no more rights than its service has."""
    user = (f"--reuid={role.user}", f"--regid={role.user}", "--init-groups")
    base = folder(release) if release else CURRENT
    return ("/usr/bin/setpriv", *user, f"{base}/bin/{words[0]}", *words[1:])
