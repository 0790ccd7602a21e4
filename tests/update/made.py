"""Releases for tests: real files with real signatures, and little in them."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from systemd.updater.envelope import Release, listed, opened, packed
from systemd.updater.keyring import Signer
from systemd.updater.manifest import Manifest

FILES: Final = {
    "docs/updates.md": b"how",
    "requirements.lock": b"",
    "systemd/guard": b"#!/bin/sh\n",
    "systemd/install": b"#!/bin/sh\n",
    "systemd/locker/lockerd.service": b"[Unit]\n",
    "wheels/doclocker-1.1.0-py3-none-any.whl": b"wheel of ours",
    "wheels/theirs-1-py3-none-any.whl": b"wheel of theirs" * 9,
}


def signer(seed: int = 1) -> Signer:
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return Signer(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def manifest(version: str = "1.1.0", **other: object) -> Manifest:
    facts: dict[str, object] = {
        "version": version,
        "built_s": 1_790_000_000,
        "machine": "aarch64",
        "python": "3.11",
        "journal_schema": 1,
        "store_schema": "aaaaaaaaaaaa",
        "keys": (),
        "files": listed(FILES, ("systemd/guard", "systemd/install")),
    }
    return Manifest(**{**facts, **other})  # type: ignore[arg-type]  # each of its kind


def release(folder: Path, made: Manifest | None = None, by: Signer | None = None) -> Release:
    """One that is good for whoever trusts ``by``."""
    made, by = made or manifest(), by or signer()
    path = folder / f"{made.version}.release"
    path.write_bytes(b"".join(packed(made, FILES, by.sign)))
    return opened(path, (by.public,))
