"""`make vm`: a bare Debian under an emulator becomes a locker that takes papers in and gives a licence out.

The machine has a USB adapter with a simulated cabinet at its other end, a screen, a watchdog; hub, broker,
phone and people stand outside. As root, for debootstrap. Most of the time is the emulator's.
"""

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from hw_sim import clock
from hw_sim.people import DidNotHappenError
from hw_sim.stack import NotReadyError
from tests.vm import image, kiosk, looks
from tests.vm.machine import MachineError, has_kvm
from tests.vm.site import INSTALLED, Site, fresh
from tests.vm.visits import Visits

FOLDER: Final = Path(".cache/vm")
NEEDED: Final = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "debootstrap": "debootstrap",
    "mke2fs": "e2fsprogs",
}
BROKEN: Final = (MachineError, NotReadyError, DidNotHappenError)


class Steps:
    """Each is said with its time and what came of it."""

    def __init__(self) -> None:
        self.broken: list[str] = []

    def must(self, what: str, do: Callable[[], object]) -> None:
        """What everything after it stands on."""
        began_s = clock.mono_s()
        try:
            said = do()
        except BROKEN as error:
            self.broken.append(what)
            print(f"{clock.mono_s() - began_s:6.0f} s  BROKEN  {what}\n{error}", flush=True)
            raise
        words = f": {said}" if isinstance(said, str) and said else ""
        print(f"{clock.mono_s() - began_s:6.0f} s  held    {what}{words}", flush=True)

    def should(self, what: str, do: Callable[[], object]) -> None:
        """What others can be seen without."""
        with contextlib.suppress(*BROKEN):
            self.must(what, do)

    def looks(self, site: Site, table: Mapping[str, Callable[[Site], object]]) -> None:
        """Each of a table."""
        for what, look in table.items():
            self.should(what, partial(look, site))


def main() -> int:
    """0: everything held; 1: something did not; 2: cannot be tried here."""
    told = _parser().parse_args()
    missing = [package for program, package in NEEDED.items() if not shutil.which(program)]
    if os.geteuid() or missing:
        wanted = f"apt-get install {' '.join(missing)}" if missing else "sudo make vm"
        print(f"vm: needs root and {', '.join(NEEDED.values())}: {wanted}", file=sys.stderr)
        return 2
    folder = FOLDER.resolve()
    shutil.rmtree(folder / "run", ignore_errors=True)
    print(f"emulator: {'with KVM' if has_kvm() else 'without KVM, some ten times slower'}", flush=True)
    site, steps = Site(folder), Steps()
    try:
        with contextlib.suppress(*BROKEN):
            _all(site, steps, told)
    finally:
        site.stop()
    print("vm: everything held" if not steps.broken else f"vm: did not hold: {', '.join(steps.broken)}")
    return bool(steps.broken)


def _all(site: Site, steps: Steps, told: argparse.Namespace) -> None:
    _install(site, steps, again=told.again, chroot=told.chroot)
    steps.must("lockerctl provision, by a claim over TLS", site.provision)
    steps.must("off and on again: lockerd is ready", site.restart)
    steps.must("its page answers", site.let_people_in)
    steps.must("the line's adapter is plugged in", site.plug_in)
    visits = Visits(site)
    steps.must("every door seen, online at the hub", visits.opens_for_business)
    steps.should("the first drop-off", visits.drop_off)
    steps.looks(site, looks.WHILE_IN_SERVICE)
    steps.should("intake", visits.intake)
    steps.should("load and pickup", visits.load_and_collect)
    steps.should("stopped with a door open", visits.stopped_with_a_door_open)
    steps.should("the screen", lambda: kiosk.draws(site, told.pictures.resolve()))
    steps.looks(site, kiosk.OF_THE_SCREEN)
    steps.looks(site, looks.AT_THE_END)
    steps.should("the whole machine hangs and is reset", lambda: looks.the_machine_hangs(site))


def _install(site: Site, steps: Steps, *, again: bool, chroot: bool) -> None:
    steps.must("a bare Debian on a disk", lambda: image.base(site.images))
    steps.must("this checkout and its packages on another", lambda: image.payload(site.images))
    steps.must("hub, broker, cabinet and phone", site.prepare)
    if chroot:
        steps.must("systemd/install, in a chroot", site.install_in_chroot)
    disk = fresh(site.images, again=again, chroot=chroot)
    steps.must("the machine starts", lambda: site.boot(disk))
    if disk.name == INSTALLED:
        steps.must("systemd/install", site.install)
    elif not chroot:
        steps.must("systemd/install --files-only, over what was installed last time", site.renew_files)
    if chroot or disk.name == INSTALLED:
        steps.must("systemd/install again: nothing to do", site.install_again)
    if disk.name == INSTALLED:
        site.keep_installed()
    if not has_kvm():
        steps.must("lockerd gets more time, under an emulator", site.be_patient)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make vm", description=__doc__)
    parser.add_argument("--pictures", type=Path, default=FOLDER, help="where pictures of the screen go")
    parser.add_argument("--again", action="store_true", help="from the disk that was installed last time")
    parser.add_argument("--chroot", action="store_true", help="install before the machine starts: quicker")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
