"""A release as one file: the manifest, who vouches for it, and the files themselves one after the other.

====================  ==================================================================
``MAGIC``             20 bytes
length                4 bytes, the first the greatest; of the
manifest              `manifest.Manifest.encoded`
key, signature        8 + 64 bytes (Ed25519 over a prefix of its own and the manifest)
files                 in the manifest's order, nothing between them, nothing after them
====================  ==================================================================

There is no archive to be taken apart before it is known whose it is, and no byte that nobody vouches for.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from systemd.updater import manifest as manifests
from systemd.updater.errors import BadRelease
from systemd.updater.keyring import ID_BYTES, SIGNATURE_BYTES, verify
from systemd.updater.manifest import File, Manifest

MAGIC: Final = b"doclocker release 1\n"
_LENGTH_BYTES: Final = 4
_AT_ONCE: Final = 1 << 20


def name_of(manifest: Manifest) -> str:
    """The version, and what tells two builds of one version apart."""
    return f"{manifest.version}-{hashlib.sha256(manifest.encoded()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Release:
    """A genuine one. ``begins``: where in the file the payload stands."""

    path: Path
    manifest: Manifest
    begins: int

    @property
    def name(self) -> str:
        """Of its folder."""
        return name_of(self.manifest)

    def contents(self) -> Iterator[tuple[File, bytes]]:
        """Each file, looked at again: what is handed out is what was signed. Raises BadRelease, OSError."""
        with self.path.open("rb") as source:
            source.seek(self.begins)
            for file in self.manifest.files:
                content = source.read(file.bytes)
                if hashlib.sha256(content).hexdigest() != file.sha256:
                    raise BadRelease(f"{file.name} in it is not what was signed")
                yield file, content


def opened(path: Path, keys: Sequence[str]) -> Release:
    """A release of which every byte was looked at. Raises BadRelease, OSError."""
    with path.open("rb") as source:
        manifest, begins = judged(source, keys)
    return Release(path, manifest, begins)


def judged(source: IO[bytes], keys: Sequence[str]) -> tuple[Manifest, int]:
    """What it says, and where its payload begins. Raises BadRelease."""
    manifest, begins = head(source, keys)
    for file in manifest.files:
        _check(source, file)
    if source.read(1):
        raise BadRelease("something follows it that nobody signed")
    return manifest, begins


def head_bytes(beginning: bytes) -> int:
    """So many hold all that comes before the payload, as far as the beginning tells."""
    measured = len(MAGIC) + _LENGTH_BYTES
    length = int.from_bytes(beginning[len(MAGIC) : measured]) if len(beginning) >= measured else 0
    return measured + min(length, manifests.BYTES_MAX) + ID_BYTES + SIGNATURE_BYTES


def head(source: IO[bytes], keys: Sequence[str]) -> tuple[Manifest, int]:
    """The same by its beginning alone: whose it is, before any of the files is there. Raises BadRelease."""
    if _taken(source, len(MAGIC)) != MAGIC:
        raise BadRelease("it does not begin like one")
    length = int.from_bytes(_taken(source, _LENGTH_BYTES))
    if length > manifests.BYTES_MAX:
        raise BadRelease("its manifest has no end")
    said = _taken(source, length)
    by, signature = _taken(source, ID_BYTES), _taken(source, SIGNATURE_BYTES)
    verify(keys, by, signature, said)
    return manifests.decoded(said), source.tell()


def _check(source: IO[bytes], file: File) -> None:
    left, digest = file.bytes, hashlib.sha256()
    while left:
        part = _taken(source, min(left, _AT_ONCE))
        digest.update(part)
        left -= len(part)
    if digest.hexdigest() != file.sha256:
        raise BadRelease(f"{file.name} in it is not what was signed")


def _taken(source: IO[bytes], count: int) -> bytes:
    data = source.read(count)
    if len(data) != count:
        raise BadRelease("it ends too soon")
    return data


def packed(manifest: Manifest, files: Mapping[str, bytes], sign: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """The bytes of a release file, in parts; the same for the same input and key."""
    said = manifest.encoded()
    yield MAGIC + len(said).to_bytes(_LENGTH_BYTES) + said + sign(said)
    for file in manifest.files:
        yield files[file.name]


def listed(files: Mapping[str, bytes], programs: Sequence[str]) -> tuple[File, ...]:
    """As a manifest lists them."""
    return tuple(
        File(name, len(content), hashlib.sha256(content).hexdigest(), name in programs)
        for name, content in sorted(files.items())
    )
