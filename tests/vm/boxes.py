"""`make boxes`: a hub and a locker, each under a systemd of its own, and a new release on trial.

Where `make vm` needs an emulator, this runs at the processor's own pace; it has no drivers, no screen and no
USB, and its cabinet is at the end of a line by TCP. As root. Nothing of this machine's own network is in it.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from hw_sim import clock
from systemd.installer import plan
from tests.vm import image, releases
from tests.vm.__main__ import BROKEN, FOLDER, Steps
from tests.vm.box import Box
from tests.vm.looks import EXPOSED_MOST
from tests.vm.machine import MachineError
from tests.vm.site import must

LOCKER: Final = "hall-7"
LINE_PORT: Final = 7001
INSTALL: Final = (
    "rm -rf /opt/checkout; cp -r /srv/doclocker /opt/checkout; "
    "PIP_NO_INDEX=1 PIP_FIND_LINKS=/srv/wheels /opt/checkout/systemd/install"
)
HUB: Final = "cd /; runuser -u doclocker-central -- locker-central"
HUBS: Final = "--config /etc/doclocker/central.toml"
HEALTH: Final = (
    "python3 -c 'import ssl, urllib.request as u; "
    'c = ssl.create_default_context(cafile="/var/lib/doclocker-central/authority/root.pem"); '
    'print(u.urlopen("https://localhost:8600/healthz", context=c).read().decode())\''
)
DOCTOR: Final = "cd /; sudo -u doclocker lockerctl doctor"
REFUSED: Final = "does not take our certificate"
UPDATE: Final = "/opt/doclocker/current/systemd/update"
NIGHTLY: Final = ("verify", "check", "rehearse", "renew")
SETTLES_S: Final = 180.0
TRIED_S: Final = 1500.0
"""A release that is well stays after two minutes and a half."""
MOST: Final = {"lockerd": EXPOSED_MOST["lockerd"], "locker-central": 2.0, "mosquitto": 2.0}


class Pair:
    """The two, a cabinet, and what both see at /media."""

    def __init__(self, folder: Path, images: Path, running: ExitStack) -> None:
        self._folder, self._images, self._running = folder, images, running
        self.shared = folder / "shared"
        self.shared.mkdir(parents=True)
        self._net = self._runs("setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity")
        self.hub = Box(folder / "hub", image.base(images), self._net)
        self.locker = Box(folder / "locker", image.base(images), self._net)

    def _runs(self, *argv: str) -> int:
        log = self._running.enter_context((self._folder / "others.log").open("ab"))
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._running.callback(process.wait)
        self._running.callback(process.kill)
        return process.pid

    def starts(self) -> None:
        self.hub.add(*plan.needed("hub"))
        for box in (self.hub, self.locker):
            box.start(self._images / "payload.ext4", self.shared)
            self._running.callback(box.stop)

    def installs_the_hub(self) -> None:
        said = self.hub.does(f"{INSTALL} hub --host localhost")
        must("make role" in said and "enable mosquitto" in said, said)
        again = self.hub.does(f"{INSTALL} hub --host localhost")
        must(again.startswith("nothing to do"), f"a second installation changed something: {again}")

    def serves(self) -> str:
        """Its page by TLS, its broker, nothing failed."""
        until("the hub has its broker", lambda: '"broker":true' in self.hub.tries(HEALTH)[1])
        for unit in (*plan._UNITS_OF["hub"], "mosquitto", "postgresql"):
            self.hub.does(f"systemctl is-active {unit}")
        self.hub.does("systemctl start locker-central-renew")
        code, said = self.hub.tries("cd /; runuser -u nobody -- psql -U doclocker-central -c '' doclocker")
        must(code and "Peer authentication failed" in said, f"another user reads the ledger: {said}")
        return reached(self.hub, "locker-central", "mosquitto")

    def installs_the_locker(self) -> None:
        self.locker.does(f"{INSTALL} locker")
        self.locker.does("systemctl disable --quiet --now locker-kiosk")  # no box has a screen

    def provisions(self) -> str:
        """By a claim; the cabinet is at the end of a line by TCP."""
        cabinet = self._folder / "cabinet"
        spaced = ("nsenter", f"--net=/proc/{self._net}/ns/net", "setpriv", "--pdeathsig", "KILL")
        self._runs(*spaced, str(Path(sys.executable).with_name("hw-sim")), "cabinet", "--dir", str(cabinet))
        until("the cabinet is there", (cabinet / "ready.json").exists)
        bridge = Path(__file__).with_name("bridge.py")
        self._runs(*spaced, sys.executable, str(bridge), str(cabinet / "line-A"), str(LINE_PORT), "9600")
        wiring = (cabinet / "wiring.toml").read_text()
        wiring = re.sub(r'(?m)^url = ".*"$', f'url = "socket://127.0.0.1:{LINE_PORT}"', wiring)
        (self.shared / "plan.toml").write_text('[kiosk]\nscanner = "screen"\n' + wiring)
        asked = f"claim --locker {LOCKER} --area north --plan /media/plan.toml --out /tmp/claim.json {HUBS}"
        self.hub.does(f"{HUB} {asked}")
        (self.shared / "claim.json").write_text(self.hub.does("cat /tmp/claim.json"))
        return self.locker.does("cd /; lockerctl provision --claim /media/claim.json").splitlines()[0]

    def is_well(self) -> str:
        """As it says itself: doors, broker, centre, page."""
        self.locker.does("systemctl start lockerd")
        until(
            "doctor finds nothing",
            lambda: self.locker.tries(DOCTOR)[0] == 0,
            lambda: self.locker.tries(DOCTOR)[1],
        )
        return reached(self.locker, "lockerd")

    def hung(self) -> str:
        """Its watchdog ends it, and it is started anew."""
        began_s = clock.mono_s()
        self.locker.does("systemctl kill --kill-whom=main --signal=STOP lockerd")
        until("it runs again", lambda: self.locker.shows("lockerd", "NRestarts", "ActiveState") == AGAIN)
        must("Failed with result 'watchdog'" in self.locker.log("lockerd"), self.locker.log("lockerd"))
        took_s = clock.mono_s() - began_s
        self.is_well()
        return f"{took_s:.0f} s until it was ready again"

    def nights(self) -> None:
        for name in NIGHTLY:
            code, _ = self.locker.tries(f"systemctl start locker-{name}")
            must(code == 0, f"locker-{name}:\n{self.locker.log(f'locker-{name}')}")

    def seals_its_keys(self) -> None:
        """They lie sealed on the disk; systemd opens them for the daemon."""
        self.locker.does("cd /; lockerctl keys seal --with-key host --recovery /tmp/recovery.json")
        self.locker.does("test ! -e /etc/doclocker/keys/own.json && systemctl restart lockerd")
        self.is_well()
        self.locker.does("systemctl start locker-renew")

    def takes_a_release(self) -> str:
        """Tried by its guard, and kept."""
        release, key = releases.made(self._folder / "releases", self._images / "wheels", well=True)
        self.locker.does(f"{UPDATE} trust {key}")
        return self._update(release, 0)

    def gives_one_back(self) -> str:
        """What does not come up is left by itself."""
        release, _ = releases.made(self._folder / "releases", self._images / "wheels", well=False)
        said = self._update(release, 3)
        self.locker.does("systemctl is-active lockerd")
        return said

    def _update(self, release: Path, expected: int) -> str:
        shutil.copy(release, self.shared)
        code, said = self.locker.tries(f"cd /; timeout {TRIED_S:.0f} {UPDATE} install /media/{release.name}")
        must(
            code == expected,
            f"ended with {code}, not {expected}:\n{said}\n{self.locker.log('doclocker-trial')}",
        )
        return said.splitlines()[-1]

    def is_thrown_out(self) -> None:
        """Its certificate is revoked: who sees that is a path unit, and the broker lets it in no more."""
        before = self.hub.shows("mosquitto", "MainPID")
        self.hub.does(f"{HUB} authority revoke {LOCKER} {HUBS}")
        until("the broker is started anew", lambda: self.hub.shows("mosquitto", "MainPID") != before)
        until("the hub is back", lambda: '"broker":true' in self.hub.tries(HEALTH)[1])
        until("the locker stays outside", lambda: REFUSED in self.locker.tries(DOCTOR)[1])
        failed = self.hub.does("systemctl list-units --failed --plain --no-legend --no-pager")
        must(not failed, f"failed units: {failed}")


AGAIN: Final = {"NRestarts": "1", "ActiveState": "active"}


def until(what: str, look: Callable[[], bool], else_say: Callable[[], str] = str) -> None:
    """Raises MachineError."""
    end_s = clock.mono_s() + SETTLES_S
    while not look():
        if clock.mono_s() > end_s:
            raise MachineError(f"{what}: not within {SETTLES_S:.0f} s\n{else_say()}")
        clock.pause_s(1)


def reached(box: Box, *units: str) -> str:
    """How much could be reached, by systemd's own reckoning of what runs."""
    said = box.does("systemd-analyze security --no-pager 2>/dev/null | cat")
    found = dict(re.findall(r"^(\S+?)\.service\s+([0-9.]+)", said, re.MULTILINE))
    for unit in units:
        must(float(found[unit]) <= MOST[unit], f"{unit}: {found[unit]}")
    return ", ".join(f"{unit} {found[unit]}" for unit in units)


def main() -> int:
    """0: everything held; 1: something did not."""
    images = FOLDER.resolve()
    folder = images / "boxes"
    shutil.rmtree(folder, ignore_errors=True)
    steps = Steps()
    with ExitStack() as running, suppress(*BROKEN):
        steps.must("a bare Debian on a disk", lambda: image.base(images))
        steps.must("this checkout and its packages on another", lambda: image.payload(images))
        pair = Pair(folder, images, running)
        steps.must("both start", pair.starts)
        steps.must("systemd/install hub, and again", pair.installs_the_hub)
        steps.must("the hub serves", pair.serves)
        steps.must("systemd/install locker", pair.installs_the_locker)
        steps.must("lockerctl provision, by a claim over TLS", pair.provisions)
        steps.must("lockerd is ready, doctor finds nothing", pair.is_well)
        steps.should("it hangs", pair.hung)
        steps.should("what runs at night", pair.nights)
        steps.should("its keys are sealed", pair.seals_its_keys)
        steps.should("systemd/update install: a good release", pair.takes_a_release)
        steps.should("systemd/update install: one that does not come up", pair.gives_one_back)
        steps.should("its certificate is revoked", pair.is_thrown_out)
    print("boxes: everything held" if not steps.broken else f"boxes: did not hold: {', '.join(steps.broken)}")
    return bool(steps.broken)


if __name__ == "__main__":
    raise SystemExit(main())
