"""What only the centre may read, and what only its author may have said.

Signed frames: ``algorithm (1 byte) ‖ key id (8) ‖ signature (64) ‖ body``. The signature covers the body
bytes as they stand. Sealed texts: base64url, unpadded, of ``key id (8) ‖ ephemeral public key (32) ‖
nonce (12) ‖ ciphertext``. Nobody else imports `cryptography`,
but the checker of evidence, which is to share no code with what it checks.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ED25519: Final = 1
"""The one algorithm of today; SM2 would be the next number."""
KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 8
SIGNATURE_BYTES: Final = 64
HEAD_BYTES: Final = 1 + KEY_ID_BYTES + SIGNATURE_BYTES
"""What a frame adds to its body."""
NONCE_BYTES: Final = 12
KEYS_KEPT: Final = 2_000
"""As many as a large fleet has lockers."""
_TAG_BYTES: Final = 16
_SEAL_HEAD_BYTES: Final = KEY_ID_BYTES + KEY_BYTES + NONCE_BYTES
_SEAL_INFO: Final = b"doclocker/v1/sealed-text"

RandomBytes = Callable[[int], bytes]
"""So many unpredictable bytes."""


class SealError(Exception):
    """Base of everything that does not open."""


class BadKey(SealError, ValueError):
    """Not 32 bytes in hex. Remedy: provision the key file again."""


class BadFrame(SealError, ValueError):
    """Too short to be a frame."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a frame has at least {HEAD_BYTES} bytes, not {size}")
        self.size = size


class UnknownAlgorithm(SealError):
    """Signed in a way this version cannot check. Remedy: update the software."""

    def __init__(self, algorithm: int) -> None:
        super().__init__(f"algorithm {algorithm}")
        self.algorithm = algorithm


class UnknownKey(SealError):
    """Signed or sealed with a key that is not ours to trust. Remedy: enrol it, if it is the right one."""

    def __init__(self, key_id: bytes) -> None:
        super().__init__(f"key {key_id.hex()}")
        self.key_id = key_id


class BadSignature(SealError):
    """The body is not what the owner of the key signed."""

    def __init__(self, key_id: bytes) -> None:
        super().__init__(f"key {key_id.hex()}")
        self.key_id = key_id


class BadSeal(SealError, ValueError):
    """Not a sealed text, or not what was sealed."""


def key_id(public: bytes) -> bytes:
    """The name of a public key: the first 8 bytes of its SHA-256."""
    return hashlib.sha256(public).digest()[:KEY_ID_BYTES]


def key_from_hex(text: str) -> bytes:
    """32 raw bytes. Raises BadKey."""
    try:
        raw = bytes.fromhex(text)
    except ValueError as error:
        raise BadKey(f"not hex: {error}") from error
    if len(raw) != KEY_BYTES:
        raise BadKey(f"{KEY_BYTES} bytes were expected, not {len(raw)}")
    return raw


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key pair; the seed never shows in a repr."""

    seed: bytes = field(repr=False)
    public: bytes
    id: bytes

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """Raises BadKey unless ``seed`` has 32 bytes."""
        _require_key(seed)
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        return cls(seed, public, key_id(public))

    @classmethod
    def generate(cls, random_bytes: RandomBytes) -> "SigningKey":
        return cls.from_seed(random_bytes(KEY_BYTES))

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return _private_key(self.seed).sign(data)


@dataclass(frozen=True, slots=True)
class SealKey:
    """An X25519 key pair that opens what was sealed for it; its secret never shows in a repr."""

    private: bytes = field(repr=False)
    public: bytes
    id: bytes

    @classmethod
    def from_private(cls, private: bytes) -> "SealKey":
        """Raises BadKey unless ``private`` has 32 bytes."""
        _require_key(private)
        public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        return cls(private, public, key_id(public))

    @classmethod
    def generate(cls, random_bytes: RandomBytes) -> "SealKey":
        return cls.from_private(random_bytes(KEY_BYTES))


# Reading a key takes a third as long as signing with it; each end has one of its own and knows a few.
_public_key = lru_cache(maxsize=KEYS_KEPT)(Ed25519PublicKey.from_public_bytes)
_private_key = lru_cache(maxsize=4)(Ed25519PrivateKey.from_private_bytes)


def keyring(*publics: bytes) -> Mapping[bytes, bytes]:
    """Public keys by their ids, as `open_frame` wants them."""
    return {key_id(public): public for public in publics}


def verify(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the owner of ``public`` signed exactly ``data``."""
    try:
        _public_key(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def frame(key: SigningKey, body: bytes) -> bytes:
    """``body`` with its author's signature before it."""
    return bytes([ED25519]) + key.id + key.sign(body) + body


def open_frame(data: bytes, keys: Mapping[bytes, bytes]) -> bytes:
    """The body of a frame signed by one of ``keys`` (public keys by id).

    Raises BadFrame, UnknownAlgorithm, UnknownKey or BadSignature.
    """
    if len(data) < HEAD_BYTES:
        raise BadFrame(len(data))
    if data[0] != ED25519:
        raise UnknownAlgorithm(data[0])
    name = data[1 : 1 + KEY_ID_BYTES]
    signature, body = data[1 + KEY_ID_BYTES : HEAD_BYTES], data[HEAD_BYTES:]
    public = keys.get(name)
    if public is None:
        raise UnknownKey(name)
    if not verify(public, signature, body):
        raise BadSignature(name)
    return body


def seal(public: bytes, plain: str, random_bytes: RandomBytes) -> str:
    """Text that only the owner of ``public`` (X25519) can open; the writer cannot open it again.

    Raises BadKey for a public key that no honest owner has.
    """
    _require_key(public)
    ephemeral = SealKey.generate(random_bytes)
    key = _shared_key(ephemeral.private, public, ephemeral.public, public)
    head = key_id(public) + ephemeral.public + random_bytes(NONCE_BYTES)
    cipher = ChaCha20Poly1305(key).encrypt(head[-NONCE_BYTES:], plain.encode(), head)
    return _base64url(head + cipher)


def unseal(key: SealKey, text: str) -> str:
    """What was sealed for ``key``. Raises UnknownKey (sealed for another) or BadSeal."""
    raw = _sealed_bytes(text)
    name, ephemeral = raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES : KEY_ID_BYTES + KEY_BYTES]
    head, cipher = raw[:_SEAL_HEAD_BYTES], raw[_SEAL_HEAD_BYTES:]
    if name != key.id:
        raise UnknownKey(name)
    try:
        shared = _shared_key(key.private, ephemeral, ephemeral, key.public)
        plain = ChaCha20Poly1305(shared).decrypt(head[-NONCE_BYTES:], cipher, head)
        return plain.decode()
    except (InvalidTag, BadKey, UnicodeDecodeError) as error:
        raise BadSeal("not what was sealed") from error


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _sealed_bytes(text: str) -> bytes:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSeal("not base64url") from error
    if _base64url(raw) != text:
        raise BadSeal("not the one way to write it")
    if len(raw) < _SEAL_HEAD_BYTES + _TAG_BYTES:
        raise BadSeal("too short")
    return raw


def _shared_key(own: bytes, other: bytes, ephemeral: bytes, recipient: bytes) -> bytes:
    """Both public keys enter the derivation, so that a seal belongs to exactly one exchange."""
    try:
        secret = X25519PrivateKey.from_private_bytes(own).exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError as error:
        raise BadKey(f"no key agreement: {error}") from error
    return HKDF(SHA256(), KEY_BYTES, salt=ephemeral + recipient, info=_SEAL_INFO).derive(secret)


def _require_key(raw: bytes) -> None:
    if len(raw) != KEY_BYTES:
        raise BadKey(f"{KEY_BYTES} bytes were expected, not {len(raw)}")
