"""The real world behind the ports: clocks, chance, keys, threads, ports and links. The one place for them.

A world simulation brings its own `Platform`; everything above it is the same.
"""

import asyncio
import base64
import json
import os
import secrets  # noqa: TID251  # the one place that may
import shutil
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from firmware_bridge.cabinet import MakeLine
from firmware_bridge.line import SerialLine
from locker import keyfiles
from locker.config import LOCKER_ID
from locker.domain.centre_keys import CentreKeys
from locker.domain.codes import keyed_digest
from locker.domain.ids import AreaId, LockerId
from locker.journal import reserve
from sync import durable
from sync.link.link import Link
from sync.link.settings import Draw, LinkPort, LinkSettings, Waiter
from sync.seal import SealError, SigningKey, key_from_hex, keyring, open_frame, seal
from sync.trust import believed

NTP_MARKS: Final = (Path("/run/systemd/timesync/synchronized"), Path("/run/doclocker-clock/synchronized"))
"""The second is our own service's (locker-clock), who asks chrony."""
SCREEN_ENABLED: Final = Path("/etc/systemd/system/multi-user.target.wants/locker-kiosk.service")
"""Where `systemctl enable` keeps that a unit belongs to this machine."""
SCREEN_DEAD: Final = "screen-dead"
"""The wish for a fresh session of it, in the folder that systemd makes for us in memory."""
CENTRE_STEP_MS: Final = 2_000
"""Signed centre time moves our wall clock only where it differs by more: the wire has its own delay."""


class KeysError(Exception):
    """The key files do not fit. The message names the file and the remedy."""


class KeysSealed(KeysError):
    """They are not open for whoever asks."""


@dataclass(frozen=True, slots=True)
class Times:
    """What a machine's own clocks say."""

    mono_ms: Callable[[], int]
    """Since it was started, suspended time too."""
    wall_ms: Callable[[], int]
    is_ntp: Callable[[], bool]

    @classmethod
    def real(cls) -> "Times":
        return cls(
            lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000,
            lambda: time.time_ns() // 1_000_000,
            lambda: any(map(os.path.exists, NTP_MARKS)),  # what we may not look at is not there
        )


class LockerClock:
    """The port `Clock`. Where no NTP keeps it, wall time is the centre's signed word, carried on by the
    monotonic clock: what becomes of the machine's own wall clock does not matter any more."""

    def __init__(self, times: Times) -> None:
        self._times = times
        self._ahead_ms: int | None = None
        """Of the monotonic clock, by the centre's word."""

    def mono_ms(self) -> int:
        return self._times.mono_ms()

    def wall_ms(self) -> int:
        if self._ahead_ms is None or self._times.is_ntp():
            return self._times.wall_ms()
        return self._times.mono_ms() + self._ahead_ms

    def quality(self) -> str:
        if self._times.is_ntp():
            return "ntp"
        return "unset" if self._ahead_ms is None else "centre"

    def offset_ms(self) -> int:
        """How far the machine's own clock is from what we say."""
        return self._times.wall_ms() - self.wall_ms()

    def learn_centre_time(self, now_ms: int, uncertainty_ms: int) -> int:
        """Take the centre's signed time; returns the step in ms, 0 where ours was near enough or is NTP's."""
        if self.quality() == "ntp":
            return 0
        own_ms = self.wall_ms()
        step_ms = now_ms - own_ms
        if abs(step_ms) <= CENTRE_STEP_MS + uncertainty_ms:
            step_ms = 0
        self._ahead_ms = own_ms + step_ms - self.mono_ms()
        return step_ms

    def call_at(self, mono_ms: int, action: Callable[[], None]) -> Callable[[], None]:
        loop = asyncio.get_running_loop()
        return loop.call_later(max(0, mono_ms - self.mono_ms()) / 1000, action).cancel

    async def sleep_until(self, mono_ms: int) -> None:
        await asyncio.sleep(max(0, mono_ms - self.mono_ms()) / 1000)  # noqa: TID251  # the one place that may


@dataclass(frozen=True, slots=True)
class Keys:
    """What the key directory holds: our own signing key, and what the centre gave us."""

    own: SigningKey
    code_key: bytes
    centre_sign: Mapping[bytes, bytes]
    centre_seal: bytes
    known: bool = False
    """Whether the centre had heard of this locker when it gave them."""

    @classmethod
    def load(cls, directory: Path, locker: LockerId, area: AreaId) -> "Keys":
        """The keys of just this locker. Raises KeysError."""
        own = _read_json(directory / "own.json", "Make it with: lockerctl keys new")
        centre = _read_json(directory / "centre.json", "Take it from: locker-central enrol")
        _check_name(directory / "own.json", own, "locker", locker)
        _check_name(directory / "centre.json", centre, "locker", locker)
        _check_name(directory / "centre.json", centre, "area", area)
        try:
            return cls(
                SigningKey.from_seed(key_from_hex(str(own["sign_seed"]))),
                key_from_hex(str(centre["code_key"])),
                keyring(*(key_from_hex(key["public"]) for key in centre["centre_sign"])),
                key_from_hex(centre["centre_seal"]["public"]),
                centre.get("known") is True,
            )
        except (KeyError, TypeError, SealError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise KeysError(
                f"{directory}: the keys do not fit ({problem}). Provision the locker again"
            ) from error


def _read_json(path: Path, remedy: str) -> dict[str, Any]:
    try:
        value = json.loads(keyfiles.text(path))
    except keyfiles.SealedKey as error:
        raise KeysSealed(f"{error}. Ask as root; else lockerctl keys recover, or a new claim") from error
    except PermissionError as error:
        raise KeysError(f"{error}. It is there: ask as root, or as the locker's own user") from error
    except (OSError, ValueError, RecursionError) as error:
        raise KeysError(f"{path}: {error}. {remedy}") from error
    if not isinstance(value, dict):
        raise KeysError(f"{path}: an object was expected. {remedy}")
    return value


def _check_name(path: Path, keys: Mapping[str, Any], what: str, configured: str) -> None:
    if keys.get(what) != configured:
        problem = f"made for {what} {keys.get(what)!r}, the configuration says {configured!r}"
        raise KeysError(f"{path}: {problem}. Correct the configuration, or provision the locker again")


class LockerSecrets:
    """The port `Secrets` on real keys and the system's randomness."""

    def __init__(
        self,
        keys: Keys,
        random_bytes: Callable[[int], bytes],
        told: Callable[[], CentreKeys] = CentreKeys,
    ) -> None:
        """``told``: what the centre has said of its keys, as it is now."""
        self._keys = keys
        self._random_bytes = random_bytes
        self._told = told

    def draw(self, below: int) -> int:
        # Far more bits than asked for: what is left of the modulo's bias is below 2**-64.
        return int.from_bytes(self._random_bytes(below.bit_length() // 8 + 9)) % below

    def new_id(self) -> str:
        return base64.b32encode(self._random_bytes(10)).decode("ascii").lower()

    def digest(self, kind: str, text: str) -> str:
        return keyed_digest(self._keys.code_key, kind, text)

    def signed_by_centre(self, frame: bytes) -> bytes | None:
        try:
            return open_frame(frame, believed(self._keys.centre_sign, self._told()))
        except SealError:
            return None

    def seal(self, plain: str) -> str:
        return seal(self._keys.centre_seal, plain, self._random_bytes)

    def sign(self, text: str) -> tuple[str, str]:
        return self._keys.own.id.hex(), self._keys.own.sign(text.encode()).hex()


class MakeLink(Protocol):
    """`sync.link.link.Link` fits."""

    def __call__(self, settings: LinkSettings, waiter: Waiter, draw: Draw, /) -> LinkPort: ...


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the machine tells of itself."""

    temperature_c: float | None = None
    """Of its processor; None where it tells none."""
    under_voltage: bool = False

    @classmethod
    def read(cls, folder: Path = Path("/sys/class")) -> "Vitals":
        """Never raises: what cannot be read is not known."""
        heat = _number(folder / "thermal/thermal_zone0/temp")
        # A Raspberry Pi has this alarm; it stays on until the next start.
        weak = any(_number(path) for path in folder.glob("hwmon/*/in0_lcrit_alarm"))
        return cls(None if heat is None else heat / 1000, weak)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class ScreenSession:
    """The browser at this machine's own screen, which a unit of its own runs (locker-kiosk)."""

    belongs: Callable[[], bool]
    """Whether it is to run here: to a machine without a screen none belongs."""
    renew: Callable[[], None]
    """Wish for a fresh one. We may do no more: locker-screen.path sees the wish, and systemd grants it."""

    @classmethod
    def real(cls, enabled: Path = SCREEN_ENABLED) -> "ScreenSession | None":
        """None without systemd, which makes us the folder for such wishes."""
        folder = os.environ.get("RUNTIME_DIRECTORY", "")
        return cls(lambda: os.path.lexists(enabled), partial(_wish, Path(folder))) if folder else None


def _wish(folder: Path) -> None:
    with suppress(OSError):  # nobody hears it; the screen stays dead, and that is told
        (folder / SCREEN_DEAD).touch()


@dataclass(frozen=True, slots=True)
class Platform:
    """What `daemon.build` needs of the world."""

    clock: LockerClock
    random_bytes: Callable[[int], bytes]
    journal_thread: Executor
    """One thread: the journal is written nowhere else."""
    reader_thread: Executor
    make_line: MakeLine
    make_link: MakeLink
    disk_used_percent: Callable[[Path], int]
    vitals: Callable[[], Vitals] = Vitals
    keep_reserve: Callable[[Path], None] = lambda _folder: None
    """Hold space back on the disk of that folder, where there is plenty."""
    screen: ScreenSession | None = None

    @classmethod
    def real(cls) -> "Platform":
        return cls(
            LockerClock(Times.real()),
            secrets.token_bytes,
            ThreadPoolExecutor(1, "journal"),
            ThreadPoolExecutor(1, "reader"),
            SerialLine,
            Link,
            _disk_used_percent,
            Vitals.read,
            reserve.keep,
            ScreenSession.real(),
        )

    def close(self) -> None:
        for executor in (self.journal_thread, self.reader_thread):
            executor.shutdown()


def _disk_used_percent(path: Path) -> int:
    usage = shutil.disk_usage(path)
    return usage.used * 100 // usage.total


def write_own_key(directory: Path, locker: str) -> str:
    """Make the locker's own signing key; returns its public half in hex, and then no cut loses the key.

    Raises KeysError where there is one already, where it cannot be written, and for no locker's name.
    """
    path = directory / "own.json"
    if not LOCKER_ID.fullmatch(locker):
        raise KeysError(f"{locker!r} is no name for a locker. Use 1 to 32 of a to z, 0 to 9 and -")
    key = SigningKey.generate(secrets.token_bytes)
    if keyfiles.sealed(path).exists():
        raise KeysError(
            f"{path} is sealed here already. Remove it only if this locker is to get a new identity"
        )
    try:
        durable.make_folder(directory)
        durable.write_new(path, json.dumps({"locker": locker, "sign_seed": key.seed.hex()}))
    except OSError as error:
        remedy = "Name a folder that can be written"
        if path.exists():
            remedy = "Remove it only if this locker is to get a new identity"
        raise KeysError(f"{path}: {error.strerror}. {remedy}") from error
    return key.public.hex()


def notify(text: str) -> None:
    """Tell systemd (sd_notify(3)): ``READY=1``, ``WATCHDOG=1``, ``STOPPING=1``; nothing without it.

    Where it does not listen just now, nothing is said: no door depends on it.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect("\0" + address[1:] if address.startswith("@") else address)
        sock.sendall(text.encode())


def watchdog_ms() -> int:
    """How soon systemd wants to hear from us again; 0 where it does not ask."""
    return int(os.environ.get("WATCHDOG_USEC", "0")) // 1000
