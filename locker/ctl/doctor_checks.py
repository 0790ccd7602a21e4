"""What `lockerctl doctor` looks at: one small function each, over what was found of the machine.

A check never changes anything, and takes nothing from the daemon that runs beside it.
"""

import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from locker import keyfiles
from locker.config import Config
from locker.ctl import provision_files as names
from locker.domain.policy import DISK_FULL_PERCENT, DISK_WARN_PERCENT
from locker.platform import Keys, KeysError, KeysSealed
from locker.watching import results
from locker.watching.troubles import LATE_DAYS, WEEKLY_LATE_DAYS
from sync import certificates
from sync.certificates import BadCertificate

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
EARLIEST_MS: Final = 1_767_225_600_000
"""2026-01-01: a clock before it was never set."""
DAYS_LEFT_MIN: Final = 30
SILENT_WARN_MS: Final = 10 * 60_000
SILENT_LONG_MS: Final = DAY_MS
UNSYNCED_WARN: Final = 1_000
MISSED_WARN: Final = 0.02
"""Share of questions to a board without a reply."""
MISSED_FROM: Final = 100


class Grade(IntEnum):
    """How bad a finding is; the worst becomes the exit code (`doctor.CODES`)."""

    WELL = 0
    LOOK = 1
    """It serves; somebody should look soon."""
    BAD = 2
    """It does not serve, or will not for long, or somebody could get in."""


@dataclass(frozen=True, slots=True)
class Finding:
    grade: Grade
    told: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """One locker as the doctor finds it."""

    config: Config
    status: Mapping[str, Any] | None
    """What the running daemon says of itself."""
    silence: str
    """Why it says nothing."""
    wall_ms: int
    is_ntp: bool
    disk_used_percent: int
    broker_takes: Callable[[], bool | None]
    """Whether the broker was reached and took us; None: not reached."""
    kiosk: Callable[[], str]
    """What is wrong with the page; empty: nothing."""
    verify: Callable[[], str]
    """What is wrong with the journal; empty: nothing."""
    packages: Callable[[], str] = str
    """Which of the system's packages are missing, and what brings them; empty: none, or nobody knows."""


Findings = Iterator[Finding]


def daemon(machine: Machine) -> Findings:
    if machine.status is None:
        yield Finding(Grade.BAD, machine.silence, "systemctl status lockerd, then journalctl -u lockerd")
    elif machine.status["journal_failing"]:
        yield Finding(Grade.BAD, "it cannot record: no door opens", "look at disk and card, then restart it")


def rights(machine: Machine) -> Findings:
    """Keys for the daemon's user alone; no configuration that others can write."""
    config = machine.config
    for path in (config.keys_dir, *sorted(config.keys_dir.glob("*"))):
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            remedy = f"chmod {700 if path.is_dir() else 600} {path}"
            yield Finding(Grade.BAD, f"{path} can be read by others", remedy)
    for path in (config.path, config.path.parent, config.state_dir):
        if path.exists() and path.stat().st_mode & stat.S_IWOTH:
            yield Finding(Grade.BAD, f"{path} can be written by everybody", f"chmod o-w {path}")


def keys(machine: Machine) -> Findings:
    config = machine.config
    try:
        Keys.load(config.keys_dir, config.locker_id, config.area)
    except KeysSealed as error:
        # Whoever is not root cannot look; a daemon that runs has them.
        if machine.status is None:
            yield Finding(Grade.BAD, str(error), "as root, lockerctl doctor; else lockerctl keys recover")
    except KeysError as error:
        yield Finding(Grade.BAD, str(error), "lockerctl provision")
    for name in (names.OWN, names.CENTRE):
        if (config.keys_dir / name).exists() and keyfiles.sealed(config.keys_dir / name).exists():
            yield Finding(Grade.LOOK, f"{name} lies open beside its sealed form", "lockerctl keys seal")
    for name in (names.PENDING, names.NEXT_KEY):
        if (config.keys_dir / name).exists():
            told = f"{name}: something was asked of the hub and is not in place yet"
            yield Finding(Grade.LOOK, told, "the same lockerctl provision again")


def certificate(machine: Machine) -> Findings:
    mqtt, base = machine.config.mqtt, machine.config.path.parent
    if not mqtt.ca:
        yield Finding(Grade.LOOK, "the broker is reached without TLS", "provision this locker by a claim")
        return
    try:
        pem, root = (base / mqtt.cert).read_text("ascii"), (base / mqtt.ca).read_text("ascii")
        facts = certificates.read(pem)
        fits = certificates.is_for(pem, (base / mqtt.key).read_text("ascii"))
        fits = fits and certificates.is_issued_by(pem, root) and facts.name == machine.config.locker.id
    except (BadCertificate, OSError, UnicodeDecodeError) as error:
        yield Finding(Grade.BAD, f"{error}", "lockerctl provision, by a new claim")
        return
    if not fits:
        told = "certificate, key, authority and this locker's name do not belong together"
        yield Finding(Grade.BAD, told, "lockerctl provision, by a new claim")
    left = (facts.not_after_ms - machine.wall_ms) // DAY_MS
    renewing = "lockerctl provision --renew; does its timer run?"
    if left < 0:
        yield Finding(Grade.BAD, f"it ran out {-left} days ago", renewing)
    elif left < DAYS_LEFT_MIN:
        yield Finding(Grade.LOOK, f"{left} days left", renewing)


def clock(machine: Machine) -> Findings:
    remedy = "connect the network, or set it: date -s; a battery for the Pi's clock helps"
    if machine.wall_ms < EARLIEST_MS:
        yield Finding(Grade.BAD, "the machine's clock was never set: TLS refuses everybody", remedy)
    elif machine.status is not None and machine.status["clock"] == "unset" and not machine.is_ntp:
        yield Finding(Grade.LOOK, "nobody has confirmed the time since it was started", remedy)


def lines(machine: Machine) -> Findings:
    """Ports that are there. Whether anything answers on them, the daemon knows."""
    for name, line in machine.config.wiring.lines.items():
        if "://" not in line.url and not Path(line.url).exists():
            yield Finding(
                Grade.BAD,
                f"line {name}: {line.url} is not there",
                "look at plug and adapter, then udev's rules",
            )


def boards(machine: Machine) -> Findings:
    for line in () if machine.status is None else machine.status["lines"]:
        for board in line["boards"]:
            what = f"board {board['board']} ({board['profile']})"
            if board["standing"] != "serving":
                told = f"{what} is {board['standing']}: {board['why'] or 'no reply'}"
                yield Finding(Grade.BAD, told, "look at its power, address and wires: lockerctl bus scan")
            elif board["asked"] >= MISSED_FROM and board["missed"] / board["asked"] > MISSED_WARN:
                share = 100 * board["missed"] / board["asked"]
                told = f"{what} leaves {share:.1f} % of questions unanswered"
                yield Finding(Grade.LOOK, told, "look at termination, ground and screws: lockerctl bus watch")


def journal(machine: Machine) -> Findings:
    try:
        wrong = machine.verify()
    except (OSError, sqlite3.Error, ValueError) as error:
        yield Finding(
            Grade.BAD,
            f"{machine.config.journal_path}: {error}",
            "lockerctl journal verify; else restore a backup",
        )
        return
    if wrong:
        yield Finding(Grade.BAD, wrong, "keep the card as it is, and call whoever looks after security")


def packages(machine: Machine) -> Findings:
    """Whatever is missing may be this site's own way: it is no reason to leave a release."""
    if missing := machine.packages():
        told, _, remedy = missing.partition(": ")
        yield Finding(Grade.LOOK, told, remedy)


def disk(machine: Machine) -> Findings:
    used = machine.disk_used_percent
    if used >= DISK_FULL_PERCENT:
        told = f"{used} % used: nothing is taken in any more"
        yield Finding(Grade.BAD, told, "free it: journalctl --vacuum-size=50M")
    elif used >= DISK_WARN_PERCENT:
        yield Finding(Grade.LOOK, f"{used} % used", "free it: journalctl --vacuum-size=50M")


ANCHOR_REMEDIES: Final[Mapping[str, str]] = {
    "blank": "stop the daemon, lockerctl anchor adopt, start it again",
    "foreign": "is it this cabinet's module? Then: stop the daemon, lockerctl anchor adopt, start it again",
    "unreadable": "look at the module, its wires, its overlay and udev's rule: docs/operate/wiring.md",
    "unwritable": "look at its write protection and udev's rule: docs/operate/wiring.md; else exchange it",
}


def anchor(machine: Machine) -> Findings:
    """Of the running daemon: it alone holds the place and its journal against each other."""
    said = {} if machine.status is None else machine.status.get("anchor", {})
    remedy = ANCHOR_REMEDIES.get(said.get("standing", ""))
    if remedy:
        told = f"it is {said['standing']} ({said['why']}): an older card shows at the next hello only"
        yield Finding(Grade.LOOK, told, remedy)


def night(machine: Machine) -> Findings:
    """How the work of the last nights ended; what was never done may not be wanted."""
    for name, result in results.read(machine.config.state_dir).items():
        days = (machine.wall_ms - result.when_ms) // DAY_MS
        late = WEEKLY_LATE_DAYS if name == "rehearse" else LATE_DAYS
        log = f"journalctl -u {'doclocker-trial' if name == 'update' else f'locker-{name}'}"
        if not result.ok:
            grade = Grade.BAD if name in ("verify", "rehearse") else Grade.LOOK
            yield Finding(grade, f"{name}: {result.told or 'it failed'}", f"{log}; docs/operate/watching.md")
        elif days > late and name != "update":
            told = f"{name}: last done {days} days ago"
            yield Finding(Grade.LOOK, told, f"systemctl status locker-{name}.timer")


def broker(machine: Machine) -> Findings:
    """Said beside the daemon's own connection, which it leaves alone."""
    mqtt = machine.config.mqtt
    taken = machine.broker_takes()
    if taken is None:
        told = f"{mqtt.host}:{mqtt.port} cannot be reached"
        yield Finding(
            Grade.LOOK, told, "look at network, name and port; the locker goes on without for 30 days"
        )
    elif not taken:
        told = f"{mqtt.host}:{mqtt.port} does not take our certificate, or is not whom we trust"
        yield Finding(Grade.BAD, told, "locker-central authority list, at the hub; then a new claim")


def centre(machine: Machine) -> Findings:
    if machine.status is None:
        return
    said = machine.status["centre"]
    if said["fork"]:
        told = f"the hub knows another history ({said['fork']}): nothing is sent"
        yield Finding(Grade.BAD, told, "call whoever looks after the hub")
    last = said["last_hello_wall_ms"]
    if last is None:
        told = f"the hub has not answered since the daemon's start ({said['last_loss'] or 'no reason known'})"
        yield Finding(Grade.LOOK, told, "look at broker and hub")
    elif not said["centre_online"] and machine.wall_ms - last > SILENT_WARN_MS:
        grade = Grade.BAD if machine.wall_ms - last > SILENT_LONG_MS else Grade.LOOK
        hours = (machine.wall_ms - last) / HOUR_MS
        yield Finding(grade, f"the hub was last heard {hours:.1f} hours ago", "look at broker and hub")
    if said["unsynced"] > UNSYNCED_WARN:
        told = f"{said['unsynced']} entries are not acknowledged by the hub"
        yield Finding(Grade.LOOK, told, "look at broker and hub; nothing is lost")


def kiosk(machine: Machine) -> Findings:
    wrong = machine.kiosk()
    if wrong:
        yield Finding(
            Grade.BAD, f"the page: {wrong}", "systemctl restart lockerd; then systemctl restart locker-kiosk"
        )
    screen = machine.status.get("screen") if machine.status else None
    if screen and screen["is_dead"]:
        told = f"no sign of life from the page at the screen for {screen['quiet_s']} s"
        told += f"; fresh sessions so far: {screen['renewed']}"
        remedy = "is the screen plugged in? systemctl status locker-kiosk seatd; journalctl -u locker-kiosk"
        yield Finding(Grade.BAD, told, remedy)


CHECKS: Final[Mapping[str, Callable[[Machine], Findings]]] = {
    "daemon": daemon,
    "rights": rights,
    "keys": keys,
    "certificate": certificate,
    "clock": clock,
    "lines": lines,
    "boards": boards,
    "journal": journal,
    "anchor": anchor,
    "packages": packages,
    "disk": disk,
    "night": night,
    "broker": broker,
    "centre": centre,
    "kiosk": kiosk,
}
"""In the order in which they are told: what explains other findings comes first."""
