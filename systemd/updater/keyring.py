"""Signatures of releases: Ed25519, made away from any locker, judged on each."""

import hashlib
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from systemd.updater.errors import BadKeys, BadRelease

SIGNATURE_BYTES: Final = 64
ID_BYTES: Final = 8
_DOMAIN: Final = b"doclocker release\0"
"""So that nothing else that a key may ever sign passes for a release."""


def id_of(key: str) -> bytes:
    """By which a signature names its key."""
    return hashlib.sha256(bytes.fromhex(key)).digest()[:ID_BYTES]


def verify(keys: Sequence[str], by: bytes, signature: bytes, manifest: bytes) -> None:
    """Raises BadRelease unless one of ``keys`` has signed it."""
    for key in keys:
        if id_of(key) == by:
            try:
                Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, _DOMAIN + manifest)
            except InvalidSignature:
                raise BadRelease("its signature does not fit") from None
            return
    raise BadRelease("nobody whom this machine trusts has signed it")


class Signer:
    """The secret half, away from any locker; as `openssl genpkey -algorithm ed25519` writes it."""

    def __init__(self, pem: bytes, passphrase: bytes | None = None) -> None:
        """Raises BadKeys."""
        try:
            key = load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError) as error:
            raise BadKeys(f"that is no private key, or locked by another passphrase ({error})") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise BadKeys("wanted is an Ed25519 key: openssl genpkey -algorithm ed25519")
        self._key = key

    @property
    def public(self) -> str:
        """In hex."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def sign(self, manifest: bytes) -> bytes:
        return id_of(self.public) + self._key.sign(_DOMAIN + manifest)
