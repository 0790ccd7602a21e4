"""Frames, hashes and seals as docs/wire.md has them, written a second time.

The only user of `cryptography` in the simulator.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ED25519: Final = 1
ID_BYTES: Final = 8
SIGNATURE_BYTES: Final = 64
HEAD_BYTES: Final = 1 + ID_BYTES + SIGNATURE_BYTES
ZERO: Final = bytes(32)
"""What the first entry of a log follows."""
SEAL_INFO: Final = b"doclocker/v1/sealed-text"

_SPELL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class NotSignedError(Exception):
    """A frame that no key we trust has signed."""


def spelled(value: object) -> str:
    """The one spelling: names sorted, no spaces, nothing escaped that need not be."""
    return _SPELL.encode(value)


def key_id(public: bytes) -> bytes:
    return hashlib.sha256(public).digest()[:ID_BYTES]


@dataclass(frozen=True, slots=True)
class Signer:
    """Whoever has this seed."""

    public: bytes
    id: bytes
    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, seed: bytes) -> "Signer":
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key().public_bytes_raw()
        return cls(public, key_id(public), private)

    def sign(self, data: bytes) -> bytes:
        return self._private.sign(data)

    def frame(self, body: bytes) -> bytes:
        return bytes([ED25519]) + self.id + self.sign(body) + body


@dataclass(frozen=True, slots=True)
class Trusted:
    """The keys of the centre, by their ids."""

    _keys: Mapping[bytes, Ed25519PublicKey]

    @classmethod
    def of(cls, *publics: bytes) -> "Trusted":
        return cls({key_id(public): Ed25519PublicKey.from_public_bytes(public) for public in publics})

    def opened(self, frame: bytes) -> bytes:
        """The body. Raises NotSignedError."""
        if len(frame) < HEAD_BYTES or frame[0] != ED25519:
            raise NotSignedError("no frame of algorithm 1")
        key = self._keys.get(frame[1 : 1 + ID_BYTES])
        if key is None:
            raise NotSignedError(f"key {frame[1 : 1 + ID_BYTES].hex()}")
        body = frame[HEAD_BYTES:]
        try:
            key.verify(frame[1 + ID_BYTES : HEAD_BYTES], body)
        except InvalidSignature as error:
            raise NotSignedError("signature") from error
        return body


def personal_digest(salt: bytes, personal: str) -> bytes:
    return hashlib.sha256(salt + personal.encode()).digest()


NOBODY: Final = personal_digest(b"", "")
"""Where there never was a personal part."""


def linked(previous: bytes, public: str, personal: bytes = NOBODY) -> bytes:
    """The hash of the entry after the one whose hash is ``previous``; ``personal`` is a `personal_digest`."""
    leaf = hashlib.sha256(b"\x00" + public.encode() + personal).digest()
    return hashlib.sha256(b"\x01" + previous + leaf).digest()


def keyed_digest(key: bytes, kind: str, text: str) -> str:
    """What a locker keeps of a code."""
    return hmac.new(key, f"{kind}:{text}".encode(), hashlib.sha256).hexdigest()


def sealed(plain: Any, centre: bytes, private: bytes, nonce: bytes) -> str:
    """``plain`` as only the centre can read it; ``private`` (32 bytes) and ``nonce`` (12) serve once."""
    own = X25519PrivateKey.from_private_bytes(private)
    public = own.public_key().public_bytes_raw()
    shared = own.exchange(X25519PublicKey.from_public_bytes(centre))
    key = HKDF(SHA256(), 32, salt=public + centre, info=SEAL_INFO).derive(shared)
    head = key_id(centre) + public + nonce
    cipher = ChaCha20Poly1305(key).encrypt(nonce, spelled(plain).encode(), head)
    return base64.urlsafe_b64encode(head + cipher).rstrip(b"=").decode("ascii")
