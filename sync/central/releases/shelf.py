"""What lies in the folder, and what each file says of itself.

Its signature is not judged here: the hub needs no key for that, and no locker would take its word.

The head of a file is `systemd.updater.envelope`'s: a line, a length, the manifest.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

log = logging.getLogger(__name__)

OFFERED_MAX: Final = 20
"""Versions for a few kinds of machines; more is somebody's whole archive."""
BYTES_MAX: Final = 1 << 30
MANIFEST_BYTES_MAX: Final = 1 << 20
MAGIC: Final = b"doclocker release 1\n"
_LENGTH_BYTES: Final = 4
_SIGNED_BYTES: Final = 72
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,120}\.release")


class NoRelease(Exception):
    """This file is not offered; the message says why."""


@dataclass(frozen=True, slots=True)
class Offer:
    """``file``: its name here; ``release``: what lockers call it; the rest as its manifest says it."""

    file: str
    release: str
    version: str
    built_s: int
    machine: str
    python: str
    bytes: int


@dataclass(slots=True)
class Shelf:
    """``folder``: ``None`` where the configuration names none."""

    folder: Path | None
    _read: dict[tuple[str, int, int], Offer | None] = field(default_factory=dict)
    """By name, size and time: a file is read once."""

    def offers(self) -> tuple[Offer, ...]:
        """The latest first. What is no whole release is passed over, and logged once."""
        if self.folder is None or not self.folder.is_dir():
            return ()
        read: dict[tuple[str, int, int], Offer | None] = {}
        for path, about in _newest(self.folder):
            key = (path.name, about.st_size, about.st_mtime_ns)
            read[key] = self._read[key] if key in self._read else _offer(path, about.st_size)
        self._read = read
        return tuple(offer for offer in read.values() if offer)

    def path(self, file: str) -> Path | None:
        """Of one that is offered; nothing else is reached by any name."""
        known = any(offer.file == file for offer in self.offers())
        return self.folder / file if self.folder and known else None


def _newest(folder: Path) -> list[tuple[Path, os.stat_result]]:
    found = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # somebody takes it away just now
            if _NAME.fullmatch(path.name):
                found.append((path, path.stat()))
    return sorted(found, key=lambda each: (-each[1].st_mtime_ns, each[0].name))[:OFFERED_MAX]


def _offer(path: Path, size: int) -> Offer | None:
    try:
        return read(path, size)
    except (NoRelease, OSError) as error:
        log.warning("%s is not offered to lockers: %s", path, error)
        return None


def read(path: Path, size: int) -> Offer:
    """Raises NoRelease, OSError."""
    with path.open("rb") as file:
        head = file.read(len(MAGIC) + _LENGTH_BYTES)
        length = int.from_bytes(head[len(MAGIC) :])
        if not head.startswith(MAGIC) or length > MANIFEST_BYTES_MAX:
            raise NoRelease("it does not begin like a release")
        said = file.read(length)
    facts = _facts(said)
    whole = len(head) + length + _SIGNED_BYTES + facts.pop("payload")
    if size != whole or size > BYTES_MAX:
        raise NoRelease(f"it has {size} bytes, {whole} were expected: is it still being copied?")
    release = f"{facts['version']}-{hashlib.sha256(said).hexdigest()[:12]}"
    return Offer(path.name, release, **facts, bytes=size)


def _facts(said: bytes) -> dict[str, Any]:
    try:
        told = json.loads(said)
        facts = {name: str(told[name]) for name in ("version", "machine", "python")}
        payload = sum(int(each["bytes"]) for each in told["files"])
        return {**facts, "built_s": int(told["built_s"]), "payload": payload}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NoRelease(f"its manifest cannot be read ({type(error).__name__})") from error
