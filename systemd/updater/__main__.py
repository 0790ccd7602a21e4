"""``systemd/update install FILE``: the next release; and what else an operator asks of updates."""

import argparse
import json
import os
import platform
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from systemd.updater import fetch, manifest, needs, releases, trial, trusted, update
from systemd.updater.admit import Here
from systemd.updater.envelope import opened
from systemd.updater.errors import Busy, Unfit, UpdateError
from systemd.updater.host import Host, RealHost
from systemd.updater.offers import hub_of
from systemd.updater.roles import ROLES, Role
from systemd.updater.trial import Outcome

INSTALLED: Final = "/var/lib/doclocker-install/done.json"
LOOK_S: Final = 2
CODES: Final = {Outcome.DONE: 0, Outcome.BACK: 3, Outcome.NOT_BEGUN: 4, Outcome.STAYS: 5}


def main(argv: list[str] | None = None, host: Host | None = None) -> int:
    """0: as asked; 1: stopped before anything changed, with one line that says why; 2: not understood; 3: it
    was tried and left, what ran before runs; 4: people were there all the time; 5: a person must look."""
    told = _parser().parse_args(argv)
    host = host or RealHost()
    try:
        return int(told.run(host, told))
    except (UpdateError, OSError) as error:
        print(f"update: {error}", file=sys.stderr)
        return 1


def _install(host: Host, told: argparse.Namespace) -> int:
    role = _role(host)
    here = _here(host, role)
    if trial.load(host.disk) is not None:
        raise Busy("another release is on trial: systemd/update status")
    release = update.look(host, role, told.file or _waiting(host), here, forced=told.force)
    for name, value in manifest.told(release.manifest).items():
        host.say(f"{name}: {value}")
    if 0 < here.journal_schema < release.manifest.journal_schema:
        host.say("once somebody has used it there is no way back by itself: it changes the journal's schema")
    if told.dry_run:
        return 0
    _needs_root()
    host.say(f"unpacking {release.name} beside {here.running}; nothing is switched yet")
    on = update.make(host, role, release, here, f"{sys.base_prefix}/bin/python3")
    return _try(host, role, on, told.wait)


def _waiting(host: Host) -> Path:
    """What was fetched last."""
    there = fetch.waiting(host.disk, trusted.load(host.disk))
    if not there:
        raise Unfit("nothing waits here: systemd/update fetch, or say which FILE")
    return host.place(fetch.file_of(there[0]))


def _fetch(host: Host, told: argparse.Namespace) -> int:
    role, here = _role(host), _of_machine(host)
    if role.name != "locker":
        raise Unfit("lockers fetch from their hub; a hub is given the FILE")
    name = fetch.fetch(host, hub_of(host, role.config), here, max(1, told.rate))
    host.say(f"{name} waits: systemd/update install" if name else f"nothing is newer than {here.running}")
    if name:
        release = opened(host.place(fetch.file_of(name)), trusted.load(host.disk))
        needs.check(host, role, release, here)
    return 0


def _back(host: Host, told: argparse.Namespace) -> int:
    _needs_root()
    role = _role(host)
    return _try(host, role, update.make_back(host, role, _here(host, role)), told.wait)


def _try(host: Host, role: Role, on: trial.Trial, wait_min: int) -> int:
    update.wait_for_quiet(host, role, on.config, 60 * wait_min)
    update.begin(host, on)
    host.say("on trial; it goes on without us: systemd/update status, journalctl -u doclocker-trial")
    while trial.load(host.disk) is not None:
        host.sleep(LOOK_S)
    return _say_result(host)


def _status(host: Host, told: argparse.Namespace) -> int:
    del told
    disk = host.disk
    host.say(f"runs: {releases.running(disk) or 'nothing'}")
    host.say(f"whole: {', '.join(n for n in disk.names(releases.RELEASES) if releases.is_whole(disk, n))}")
    on = trial.load(disk)
    if on is not None:
        way = f"going back: {on.why}" if on.goes_back else f"started {on.starts} times"
        host.say(f"on trial: {on.new}, {way}; else {on.old}")
    if disk.read(trusted.FILE):
        host.say(f"waits: {', '.join(fetch.waiting(disk, trusted.load(disk))) or 'nothing'}")
    return _say_result(host) if disk.read(trial.RESULT) else 0


def _packages(host: Host, told: argparse.Namespace) -> int:
    del told
    role = _role(host)
    needs.check_running(host, role, _of_machine(host))
    host.say("nothing that what runs needs of the system is missing")
    return 0


def _say_result(host: Host) -> int:
    said = json.loads(host.disk.read(trial.RESULT) or b"{}")
    why = f" ({said['why']})" if said["why"] else ""
    host.say(f"last: {said['old']} → {said['new']}: {said['outcome']}{why}")
    return CODES[Outcome(said["outcome"])]


def _trust(host: Host, told: argparse.Namespace) -> int:
    _needs_root()
    key = told.key
    if Path(key).is_file():
        key = Path(key).read_text(encoding="ascii").strip()
    before = () if told.instead or host.disk.read(trusted.FILE) is None else trusted.load(host.disk)
    trusted.keep(host.disk, (*before, key))
    host.say(f"trusted from now on: {', '.join(trusted.load(host.disk))}")
    return 0


def _here(host: Host, role: Role) -> Here:
    here = _of_machine(host)
    journal = update.journal_of(host, role, role.config)
    seen = host.journal(journal, 0) if journal else None
    return replace(here, journal_schema=seen.schema if seen else 0)


def _of_machine(host: Host) -> Here:
    """Whose journal nobody has looked at."""
    running = releases.running(host.disk)
    if not running:
        raise Unfit("nothing is installed here: systemd/install first")
    return Here(platform.machine(), f"{sys.version_info.major}.{sys.version_info.minor}", running, 0)


def _role(host: Host) -> Role:
    content = host.disk.read(INSTALLED)
    role = ROLES.get(json.loads(content)["role"]) if content else None
    if role is None:
        raise Unfit("nothing is installed here: systemd/install first")
    return role


def _needs_root() -> None:
    if os.geteuid():
        raise Unfit("needs root: run it with sudo, or look first with --dry-run")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="systemd/update", description="From one release to the next.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    install = commands.add_parser("install", help="a release, if it proves itself")
    install.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="none: the newest that was fetched"
    )
    install.add_argument("--dry-run", action="store_true", help="look at it, and do nothing")
    install.add_argument("--force", action="store_true", help="also one that is older than what runs")
    install.set_defaults(run=_install)
    fetched = commands.add_parser("fetch", help="a newer release from the hub; it waits here")
    fetched.add_argument("--rate", type=int, default=fetch.RATE_KIB, metavar="KIB", help="a second, at most")
    fetched.set_defaults(run=_fetch)
    back = commands.add_parser("back", help="the release that ran before, if it can read the journal")
    back.set_defaults(run=_back)
    for each in (install, back):
        each.add_argument(
            "--wait", type=int, default=60, metavar="MIN", help="for a moment when nobody is there"
        )
    status = commands.add_parser("status", help="what runs, what is on trial, what came of the last one")
    status.set_defaults(run=_status)
    packages = commands.add_parser("packages", help="what of the system's packages is missing for what runs")
    packages.set_defaults(run=_packages)
    trust = commands.add_parser("trust", help="believe releases that this key has signed; two at most")
    trust.add_argument("key", metavar="KEY", help="64 digits of hex, or a file with them")
    trust.add_argument("--instead", action="store_true", help="and those of no other")
    trust.set_defaults(run=_trust)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
