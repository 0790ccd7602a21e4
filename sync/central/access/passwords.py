"""Passwords: kept as Argon2id, compared as slowly for strangers as for colleagues."""

import base64
import unicodedata
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sync.central.access.settings import Access
from sync.central.platform import RandomBytes

CHARACTERS_MIN: Final = 12
CHARACTERS_MAX: Final = 128
DIFFERENT_MIN: Final = 5
SALT_BYTES: Final = 16
NEW_BYTES: Final = 15
LANES: Final = 1
"""RFC 9106 names 4; one thread hashes at a time here, and the cost for a guesser is memory × passes."""
_KIB: Final = 1024


class WeakPassword(Exception):
    """``reason``: ``short``, ``long``, ``simple`` (few different characters) or ``name`` (holds it)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Hashing:
    memory_kib: int
    passes: int

    @classmethod
    def of(cls, settings: Access) -> "Hashing":
        return cls(settings.password_memory_mib * _KIB, settings.password_passes)


@dataclass(frozen=True, slots=True)
class Checked:
    right: bool
    better: str = ""
    """The same password hashed with today's settings, where it was kept with others; else empty."""


class Passwords:
    """Each call takes a core for some 0.1 s: never on the event loop."""

    def __init__(self, hashing: Hashing, random_bytes: RandomBytes) -> None:
        self._random_bytes = random_bytes
        self._hasher = PasswordHasher(
            time_cost=hashing.passes, memory_cost=hashing.memory_kib, parallelism=LANES, salt_len=SALT_BYTES
        )
        self._nobody = self.hash(random_bytes(SALT_BYTES).hex())

    def hash(self, plain: str) -> str:
        return self._hasher.hash(normal(plain), salt=self._random_bytes(SALT_BYTES))

    def check(self, plain: str, kept: str) -> Checked:
        """``kept`` empty: there is no such person, or no password; it takes as long and is wrong."""
        try:
            self._hasher.verify(kept or self._nobody, normal(plain))
        except (VerificationError, InvalidHashError):
            return Checked(right=False)
        if not kept:
            return Checked(right=False)
        return Checked(right=True, better=self.hash(plain) if self._hasher.check_needs_rehash(kept) else "")


def new_password(random_bytes: RandomBytes) -> str:
    """One to be given out: 24 characters ``[a-z2-7]``, 120 bits."""
    return base64.b32encode(random_bytes(NEW_BYTES)).decode().lower()


def normal(plain: str) -> bytes:
    """One password for one person's keystrokes, whichever keyboard composed them."""
    return unicodedata.normalize("NFC", plain[: CHARACTERS_MAX + 1]).encode("utf-8", "surrogatepass")


def require_strong(plain: str, name: str) -> None:
    """Length is what counts; no rules about kinds of characters. Raises WeakPassword."""
    if len(plain) < CHARACTERS_MIN:
        raise WeakPassword("short")
    if len(plain) > CHARACTERS_MAX:
        raise WeakPassword("long")
    if len(set(plain)) < DIFFERENT_MIN:
        raise WeakPassword("simple")
    if name.lower() in plain.lower():
        raise WeakPassword("name")
