"""``guard start``, before each start of the service; ``guard watch``, while a release is on trial.

Run from the release that was, by the system's own Python: whatever the new one does wrong, this is no part
of it. A start is never held up: without a trial, or where anything here fails, the service starts as it is.
"""

import sys
from typing import Final

from systemd.updater import back, releases, trial
from systemd.updater.errors import UpdateError
from systemd.updater.host import Host, RealHost
from systemd.updater.roles import TRIAL_UNIT
from systemd.updater.trial import Back, Trial
from systemd.updater.watch import watch

STARTS_MAX: Final = 3
"""More than that and it does not come up: no power cut and no worn card explains it."""


def start(host: Host) -> None:
    """One start more of a release on trial; too many, and the one that was starts instead, now."""
    if trial.load(host.disk) is None:
        return
    with host.alone():
        on = trial.load(host.disk)
        if on is None:
            return
        if on.goes_back is not Back.NO:
            back.step(host, on)
        elif releases.running(host.disk) == on.new:
            _count(host, on.started())


def _count(host: Host, on: Trial) -> None:
    trial.keep(host.disk, on)
    if on.starts <= STARTS_MAX:
        return
    decided = back.decide(host, on, f"it was started {STARTS_MAX} times and did not stay")
    if decided.goes_back is not Back.NO:
        host.say(f"{on.new} did not stay after {STARTS_MAX} starts: {on.old} starts again")
        back.step(host, decided)
        host.run(("systemctl", "start", "--no-block", TRIAL_UNIT))


def main(argv: list[str] | None = None) -> int:
    """0; 1 where something is not as it should be, with one line that says what; and what `watch` says."""
    words = sys.argv[1:] if argv is None else argv
    host = RealHost()
    try:
        if words == ["start"]:
            start(host)
        elif words == ["watch"]:
            return watch(host)
        else:
            print("guard: start or watch", file=sys.stderr)
            return 2
    except (UpdateError, OSError) as error:
        print(f"guard: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
