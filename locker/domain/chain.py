"""Hashes that tie a log together. SHA-256 throughout.

The personal part enters only by its own salted digest, so purging it changes no verdict.
"""

import hashlib
from typing import Final

START: Final = bytes(32)
"""What the first entry of a log follows."""


def personal_digest(salt: bytes, personal: bytes) -> bytes:
    return hashlib.sha256(salt + personal).digest()


def leaf(public: bytes, personal: bytes) -> bytes:
    """``personal`` is a `personal_digest`."""
    return hashlib.sha256(b"\x00" + public + personal).digest()


def link(previous: bytes, leaf_hash: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + previous + leaf_hash).digest()
