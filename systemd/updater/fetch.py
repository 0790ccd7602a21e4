"""The next release from the hub to this locker: fetched, verified and laid down. Nothing is installed by it.

It may end at any moment: then there is a part, which the next try goes on with or throws away, or a whole
release that somebody trusted has signed. It takes no right, no lock and no line from what serves people.
"""

import errno
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from itertools import chain
from pathlib import Path
from typing import Final

from systemd.updater import releases, trusted
from systemd.updater.admit import Here, admit
from systemd.updater.disk import Disk, folder_of, move
from systemd.updater.envelope import Release, head, head_bytes, judged, name_of
from systemd.updater.errors import BadRelease, HubAway, HubBusy, Unfit
from systemd.updater.host import Host
from systemd.updater.manifest import Manifest
from systemd.updater.offers import Hub, Offer, newest
from systemd.updater.unpack import ROOM_LEFT

FOLDER: Final = "/var/lib/doclocker-releases"
KEPT_MAX: Final = 2
"""What waits to be installed; each is some 30 MB."""
FULL_PERCENT: Final = 90
"""There a locker takes nothing in any more (`locker.domain.policy`): no release may bring it so far."""
RATE_KIB: Final = 512
"""A second. A locker's line also carries its entries, and the hub's carries everybody's."""
TRIES: Final = 10
LATER_S: Final = 120
"""Between them, where the hub says that others are fetching."""
WHOLE: Final = ".release"
PART: Final = ".part"
FREE_IT: Final = "journalctl --vacuum-size=50M"


def fetch(host: Host, hub: Hub, here: Here, rate_kib: int = RATE_KIB) -> str:
    """The newest release that waits here, whole, once the hub was asked; empty: there is none.

    Raises UpdateError, OSError; what waited before goes on waiting.
    """
    for _ in range(TRIES - 1):
        with suppress(HubBusy):
            return _fetched(host, hub, here, rate_kib)
        host.sleep(LATER_S)
    return _fetched(host, hub, here, rate_kib)


def _fetched(host: Host, hub: Hub, here: Here, rate_kib: int) -> str:
    disk, keys = host.disk, trusted.load(host.disk)
    disk.make_folder(FOLDER)
    disk.sync_folder(folder_of(FOLDER))
    with host.alone_in(FOLDER):
        offer = newest(hub.listed(), disk, here)
        _tidy(disk, keys, here, offer)
        if offer and offer.release not in waiting(disk, keys):
            _Taking(host, hub, here, keys, offer, rate_kib).take()
        disk.sync_folder(FOLDER)  # also of a name that an earlier try gave, before it was ended
        return next(iter(waiting(disk, keys)), "")


def waiting(disk: Disk, keys: Sequence[str]) -> list[str]:
    """Whole releases that wait to be installed, the newest first. Raises OSError."""
    found = [
        (manifest.order, name.removesuffix(WHOLE))
        for name in disk.names(FOLDER)
        if name.endswith(WHOLE) and (manifest := _said(disk, f"{FOLDER}/{name}", keys))
    ]
    return [name for _, name in sorted(found, reverse=True)]


def file_of(release: str) -> str:
    """Where it waits."""
    return f"{FOLDER}/{release}{WHOLE}"


def _tidy(disk: Disk, keys: Sequence[str], here: Here, offer: Offer | None) -> None:
    """Room for the one that comes: what is no newer than what runs goes, and all but the newest."""
    release = offer.release if offer else ""
    there = waiting(disk, keys)
    newer = [name for name in there if _order(disk, keys, name) > releases.order(disk, here.running)]
    kept = newer[: KEPT_MAX if not offer or release in newer else KEPT_MAX - 1]
    wanted = {f"{release}{PART}", *(f"{name}{WHOLE}" for name in kept)}
    for name in disk.names(FOLDER):
        if name.endswith((PART, WHOLE)) and name not in wanted:
            disk.unlink(f"{FOLDER}/{name}")


def _order(disk: Disk, keys: Sequence[str], release: str) -> tuple[tuple[int, ...], int]:
    manifest = _said(disk, file_of(release), keys)
    return manifest.order if manifest else ((), 0)


def _said(disk: Disk, path: str, keys: Sequence[str]) -> Manifest | None:
    """By its head; ``None`` where nobody whom we trust has signed that."""
    try:
        with disk.reader(path) as source:
            return head(source, keys)[0]
    except (BadRelease, FileNotFoundError):
        return None


@dataclass(frozen=True, slots=True)
class _Taking:
    """One release on its way."""

    host: Host
    hub: Hub
    here: Here
    keys: tuple[str, ...]
    offer: Offer
    rate_kib: int

    @property
    def path(self) -> str:
        return f"{FOLDER}/{self.offer.release}{PART}"

    def take(self) -> None:
        """From where an earlier try ended, or from the beginning."""
        with suppress(BadRelease, PermissionError):  # it was cut while it was written; it is root's
            if have := self._kept():
                self._bring(have)
                return
        self.host.disk.unlink(self.path)
        self._bring(0)

    def _kept(self) -> int:
        """So much of it is there, and begins as it must. Raises BadRelease."""
        try:
            with self.host.disk.reader(self.path) as source:
                self._judge(*head(source, self.keys))
                return source.seek(0, SEEK_END)
        except FileNotFoundError:
            return 0

    def _judge(self, manifest: Manifest, begins: int) -> int:
        """How long all of it is, if it is what the hub says, and for us. Raises BadRelease, Unfit."""
        if name_of(manifest) != self.offer.release:
            raise BadRelease(f"the hub says that {self.offer.file} is {self.offer.release}")
        admit(self.host.disk, Release(Path(self.path), manifest, begins), self.here, forced=False)
        return begins + sum(file.bytes for file in manifest.files)

    def _bring(self, have: int) -> None:
        disk, stream = self.host.disk, self.hub.parts(self.offer.file, have)
        with closing(stream), _without_a_rest(disk, self.path):
            beginning = b"" if have else _beginning(stream)
            with disk.reader(self.path) if have else BytesIO(beginning) as source:
                total = self._judge(*head(source, self.keys))
            check_room(self.host, total - have)
            for part in chain([beginning] if beginning else [], stream):
                have += len(part)
                if have > total:
                    raise BadRelease("something follows it that nobody signed")
                disk.append(self.path, part)
                self.host.sleep(len(part) / (self.rate_kib << 10))
            if have < total:
                raise HubAway(self.offer.file, f"it ended after {have} of {total} bytes")
            disk.sync_file(self.path)
            with disk.reader(self.path) as source:
                judged(source, self.keys)
        move(disk, self.path, file_of(self.offer.release))


def _beginning(stream: Iterator[bytes]) -> bytes:
    """All of its head, or what there is of it: nothing is written before it is known whose it is."""
    beginning = b""
    for part in stream:
        beginning += part
        if len(beginning) >= head_bytes(beginning):
            break
    return beginning


@contextmanager
def _without_a_rest(disk: Disk, path: str) -> Iterator[None]:
    """What is not what it should be is not gone on with; a full disk is not left full."""
    try:
        yield
    except BadRelease:
        disk.unlink(path)
        raise
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        disk.unlink(path)
        raise Unfit(f"the disk is full, nothing of it is kept: {FREE_IT}") from error


def check_room(host: Host, wanted: int) -> None:
    """Raises Unfit: a full disk would take the locker out of service."""
    room = host.room(FOLDER)
    used = 100 * (room.total - room.free + wanted) // room.total
    if used >= FULL_PERCENT or room.free - wanted < ROOM_LEFT:
        raise Unfit(f"with it {used} % of the disk would be used, {room.free >> 20} MiB are free: {FREE_IT}")
