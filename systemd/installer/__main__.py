"""``systemd/install locker`` or ``systemd/install hub``; again after every change; ``--undo`` to leave."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from systemd.installer import plan
from systemd.installer.done import FILE, Done
from systemd.installer.errors import InstallError, NotRoot
from systemd.installer.machine import LIVE, Machine
from systemd.installer.steps import Step, restart, settle, take_back

HERE: Final = Path(__file__).resolve().parent.parent


def main(argv: list[str] | None = None) -> int:
    """0: as it should be; 1: stopped, with one line that says why; 2: not understood."""
    told = _parser().parse_args(argv)
    machine = Machine(told.root.resolve(), told.dry_run)
    try:
        if os.geteuid() and not machine.dry:
            raise NotRoot
        done = Done.of(machine)
        undo(machine, done) if told.undo else install(machine, done, told)
    except (InstallError, OSError) as error:
        print(f"install: {error}", file=sys.stderr)
        return 1
    return 0


def install(machine: Machine, done: Done, told: argparse.Namespace) -> None:
    """Everything that is not so yet, in the order in which one thing needs another."""
    if done.role not in ("", told.role):
        raise InstallError(f"this machine is a {done.role}: --undo first, then install a {told.role}")
    site = _site(done, told)
    written = plan.files(told.role, HERE, site)
    software: list[Step] = [] if told.files_only else [plan.packages(told.role), plan.release(HERE)]
    beside = () if told.files_only else plan.services(told.role, machine, site)
    done.role, done.site = told.role, site.kept()
    if not machine.dry:
        done.keep(machine)
    running = list(done.units)
    left_over = not done.settled  # an earlier run was interrupted before it had told the system
    changed = left_over + _all(written, machine, done) + _all(software, machine, done)
    if changed:
        settle(machine)
    changed += _all(beside, machine, done)
    if changed:
        restart(machine, running)
        done.settled = True
        if not machine.dry:
            done.keep(machine)
    changed += _all(plan.units(told.role, machine), machine, done)
    if not changed:
        machine.say("nothing to do")
    if left := plan.unready(told.role, machine):
        machine.say(left)


def _all(steps: Sequence[Step], machine: Machine, done: Done) -> int:
    return sum(step.do(machine, done) for step in steps)


def undo(machine: Machine, done: Done) -> None:
    """As it was. Configuration, keys, journal and ledger are not ours to remove."""
    if not done.role:
        machine.say("nothing was installed here")
        return
    site, role = plan.Site.of(done), done.role
    steps = [*plan.files(done.role, HERE, site), plan.release(HERE), *plan.units(done.role, machine)]
    for step in reversed(steps):
        step.undo(machine, done)
    for path in list(done.files):  # of an older version, which had files that we no longer know
        take_back(machine, done, path)
    if machine.live:
        machine.run(("systemctl", "daemon-reload"))
    restart(machine, plan.LENT[role])
    machine.remove(FILE)
    machine.say("kept: /etc/doclocker, /var/lib/doclocker*, users and the system's packages")


def _site(done: Done, told: argparse.Namespace) -> plan.Site:
    """What is not said now is as it was said before."""
    kept = plan.Site.of(done)
    lines = dict(each.split("=", 1) for each in told.line) if told.line else kept.lines
    scanner = kept.scanner if told.scanner is None else told.scanner
    keyboards = " ".join(told.keyboard) if told.keyboard else kept.keyboards
    return plan.Site(lines, scanner, keyboards, told.host or kept.host or socket.getfqdn())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="systemd/install",
        description="Puts a locker or a hub onto this machine. May be run again at any time.",
    )
    parser.add_argument("role", choices=plan.ROLES)
    parser.add_argument("--dry-run", action="store_true", help="say every change, make none")
    parser.add_argument("--undo", action="store_true", help="take back what was installed; data stays")
    parser.add_argument(
        "--root", type=Path, default=LIVE, metavar="DIR", help="of another system, such as an image"
    )
    parser.add_argument("--files-only", action="store_true", help="neither packages nor the software itself")
    parser.add_argument(
        "--line",
        action="append",
        type=_pair,
        default=[],
        metavar="NAME=SERIAL",
        help="the adapter of one line by its serial number: becomes /dev/doclocker/line-NAME",
    )
    parser.add_argument("--scanner", metavar="SERIAL", help="becomes /dev/doclocker/scanner; empty: none")
    parser.add_argument(
        "--keyboard", action="append", default=[], metavar="VID:PID", help="a keyboard that may be used"
    )
    parser.add_argument(
        "--host", default="", metavar="NAME", help="of a hub: by which lockers and people reach it"
    )
    return parser


def _pair(text: str) -> str:
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r}: wanted is NAME=SERIAL")
    return text


if __name__ == "__main__":
    raise SystemExit(main())
