"""The machine among what stands outside of it: how it becomes a locker, and what is asked of it then."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from hw_sim import clock
from tests.vm import image
from tests.vm.machine import Machine, MachineError, has_kvm
from tests.vm.outside import LINE, SEEN_AT, Outside

FROM_DISK: Final = "PIP_NO_INDEX=1 PIP_FIND_LINKS=/srv/wheels"
INSTALL: Final = f"{FROM_DISK} /opt/checkout/systemd/install locker"
CTL: Final = "sudo -u doclocker lockerctl"
WAY_IN: Final = (
    f"systemd-run --quiet --unit=way-in systemd-socket-activate --listen={SEEN_AT} "
    "/lib/systemd/systemd-socket-proxyd 127.0.0.1:8080"
)
"""The page answers on the machine's own loopback alone; the visitors of this test stand outside."""
UNITS: Final = "/etc/systemd/system"
ASK: Final = "python3 /srv/doclocker/tests/vm/ask.py"
DRAWN_SLOWLY: Final = (
    "--disable-gpu --in-process-gpu --disable-gpu-watchdog --enable-features=NetworkServiceInProcess2"
)
"""Of the browser: a process of its own that is not there within 15 s is given up, and with it the page."""
SLOWLY: Final = (
    (f"{UNITS}/lockerd.service.d", "slow.conf", "[Service]\\nTimeoutStartSec=900\\nWatchdogSec=120\\n"),
    (f"{UNITS}/locker-kiosk.service.d", "slow.conf", "[Service]\\nEnvironment=WLR_RENDERER=pixman\\n"),
    ("/etc/chromium.d", "slow", f'export CHROMIUM_FLAGS="$CHROMIUM_FLAGS {DRAWN_SLOWLY}"\\n'),
)
INSTALL_S: Final = 3600.0
DISK, INSTALLED, KEPT = "disk.qcow2", "installed.qcow2", "installed.whole"
SETTLES_S: Final = 300.0
T = TypeVar("T")


class Site(Outside):
    """One installation; its steps in the order in which they are written here."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "run")
        self.images = folder
        self.machine: Machine
        self._running = False

    def boot(self, disk: Path, *, plugged: bool = False) -> None:
        """Until somebody can type. ``plugged``: the lines' adapters are."""
        images, words = self.images, self.words(plugged=plugged)
        self.machine = Machine(self.folder / "machine", disk, images / "payload.ext4", images / "boot", words)
        self._running = True
        self.machine.boot()

    def unplug(self) -> None:
        """As a power cut does it."""
        self._running = False
        self.machine.close()

    def power_off(self) -> None:
        """In good order."""
        self._running = False
        self.machine.power_off()

    def hang(self) -> None:
        """Until its watchdog has reset it."""
        self._running = False
        self.machine.hang()

    def stop(self) -> None:
        """Everything."""
        if self._running:
            self.unplug()
        super().stop()

    # --- a locker -------------------------------------------------------------------------------------------

    def install(self) -> None:
        self.machine.does(self._install_words(), INSTALL_S)

    def install_in_chroot(self) -> None:
        """By the same program, before the machine starts; its start tells the system what is new."""
        image.in_chroot(self.images, self._install_words())

    def _install_words(self) -> str:
        lines = " ".join(f"--line {name}={LINE}{name.upper()}" for name in self.lines())
        return f"rm -rf /opt/checkout; cp -r /srv/doclocker /opt/checkout; {INSTALL} {lines}"

    def renew_files(self) -> None:
        """On a disk of an earlier run: units and rules as they are now, the software as it was."""
        self.machine.does(f"rm -rf /opt/checkout; cp -r /srv/doclocker /opt/checkout; {INSTALL} --files-only")

    def install_again(self) -> None:
        """Raises MachineError where it found anything to do."""
        said = self.machine.does(INSTALL)
        if not said.startswith("nothing to do"):
            raise MachineError(f"a second installation changed something: {said}")

    def keep_installed(self) -> None:
        """For a quicker try: `fresh` begins with it."""
        self.machine.keep(self.images / DISK)
        (self.images / KEPT).touch()

    def restart(self) -> None:
        """Off in good order, and on again, with no adapter plugged in. What is enabled starts."""
        self.power_off()
        self.boot(self.images / DISK)
        self.eventually("lockerd is ready", self.is_ready)
        if not has_kvm():  # a browser would leave nothing of two emulated cores; `looks.screen` starts it
            self.machine.does("systemctl disable --quiet --now locker-kiosk")

    def is_ready(self) -> bool | None:
        """By its own word. Raises MachineError where it ended instead."""
        unit = self.shows("lockerd", "ActiveState", "NRestarts")
        if unit["NRestarts"] != "0" or unit["ActiveState"] == "failed":
            raise MachineError(f"{unit}\n{self.log('lockerd')}")
        return unit["ActiveState"] == "active" or None

    def provision(self) -> str:
        self.machine.does(f"(umask 077; cat > /run/claim.json) <<'END'\n{self.claim()}\nEND")
        said = self.machine.does("lockerctl provision --claim /run/claim.json")
        self.machine.does("rm /run/claim.json")
        return said

    def let_people_in(self) -> None:
        """Visitors, who stand outside the machine."""
        self.machine.does(WAY_IN)
        self.eventually("the page answers", self.page_answers)

    def start_locker(self) -> None:
        """By hand; ready on return. Raises MachineError with its log."""
        code, said = self.machine.tries("systemctl start lockerd")
        if code:
            raise MachineError(f"{said}\n{self.log('lockerd')}")

    def be_patient(self) -> None:
        """With services under an emulator: what takes a second on a board takes it a minute. A browser draws
        without a graphics processor, with as few processes as may be."""
        for folder, name, words in SLOWLY:
            self.machine.does(f"mkdir -p {folder} && printf '{words}' > {folder}/{name}")
        self.machine.does("systemctl daemon-reload")

    def plug_in(self) -> None:
        """The lines' adapters, as somebody does it who comes to them last. Every door is seen then."""
        for name, plug in self.plugs().items():
            self.machine.plug("usb-serial", name, **plug)
        self.eventually("every door is seen", lambda: self.doors_seen() or None)

    def doors_seen(self) -> bool:
        """As the locker says it."""
        return all(door["door"] != "unknown" for door in self.status()["compartments"].values())

    # --- what it says ---------------------------------------------------------------------------------------

    def status(self) -> Mapping[str, Any]:
        said: Mapping[str, Any] = json.loads(self.machine.does(ASK))
        return said

    def lockerctl(self, *words: str) -> str:
        return self.machine.does(f"{CTL} {' '.join(words)} --config /etc/doclocker/locker.toml")

    def log(self, unit: str, lines: int = 40) -> str:
        """The last of it."""
        return self.machine.tries(f"journalctl -b -u {unit} --no-pager -o cat | tail -n {lines}")[1]

    def shows(self, unit: str, *names: str) -> dict[str, str]:
        """Properties of a unit."""
        said = self.machine.does(f"systemctl show {unit} -p {','.join(names)}")
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)

    def eventually(self, what: str, look: Callable[[], T | None], patience_s: float = SETTLES_S) -> T:
        """The first answer that is neither None nor False. Raises MachineError."""
        until_s = clock.mono_s() + patience_s
        while True:
            found = look()
            if found is not None and found is not False:
                return found
            if clock.mono_s() > until_s:
                raise MachineError(f"{what}: not within {patience_s:.0f} s")
            clock.pause_s(0.5)


def must(held: object, otherwise: str) -> None:
    """Raises MachineError."""
    if not held:
        raise MachineError(otherwise)


def fresh(folder: Path, *, again: bool, chroot: bool) -> Path:
    """The disk to start with: bare, or with a locker installed on it: last time, or just now in a chroot."""
    if chroot:
        return image.overlay(folder / "chroot.ext4", "raw", folder / DISK)
    installed, kept = folder / INSTALLED, folder / KEPT
    if again and kept.exists():
        return image.overlay(installed, "qcow2", folder / DISK)
    kept.unlink(missing_ok=True)
    return image.overlay(image.base(folder), "raw", installed)
