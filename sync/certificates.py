"""X.509 as both ends read it: keys, requests, certificates, all PEM. What the authority does is at the hub.

P-256, because a secure element or a TPM can hold such a key and every TLS library knows it.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

RENEWED_AFTER: Final = (2, 3)
"""This part of its life a certificate is worn before the next is asked for."""
TEXT_MAX: Final = 16_384
"""Characters; no text of ours comes near."""


class BadCertificate(ValueError):
    """A key, a request or a certificate that is none of ours. The message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for; its signature held."""

    name: str
    key: ec.EllipticCurvePublicKey

    @property
    def digest(self) -> str:
        return _digest(self.key)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a certificate says. Times are wall ms."""

    serial: str
    name: str
    digest: str
    """Of its public key: SHA-256 in hex."""
    not_before_ms: int
    not_after_ms: int

    @property
    def renewal_ms(self) -> int:
        """From when on the next one is asked for."""
        part, whole = RENEWED_AFTER
        return self.not_before_ms + (self.not_after_ms - self.not_before_ms) * part // whole


def new_key() -> str:
    """A private key that nobody else has."""
    return write_key(ec.generate_private_key(ec.SECP256R1()))


def write_key(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def request_for(key: str, name: str) -> str:
    """A request for a certificate on ``key``. Raises BadCertificate."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(_private(key), SHA256()).public_bytes(Encoding.PEM).decode()


def read_request(text: str) -> Wanted:
    """Raises BadCertificate for what is no request, or not signed by the key it names."""
    try:
        request = x509.load_pem_x509_csr(_pem(text))
        if not request.is_signature_valid:
            raise BadCertificate("the request is not signed by its own key")
    except ValueError as error:
        raise BadCertificate(f"no request for a certificate: {error}") from error
    return Wanted(_name(request.subject), _public(request.public_key()))


def read(text: str) -> Facts:
    """Of the first certificate in ``text``. Raises BadCertificate."""
    found = _certificate(text)
    return Facts(
        f"{found.serial_number:x}",
        _name(found.subject),
        _digest(_public(found.public_key())),
        ms_of(found.not_valid_before_utc),
        ms_of(found.not_valid_after_utc),
    )


def is_issued_by(text: str, root: str) -> bool:
    """Whether the authority of ``root`` signed it. Of dates it says nothing. Raises BadCertificate."""
    try:
        _certificate(text).verify_directly_issued_by(_certificate(root))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def is_for(text: str, key: str) -> bool:
    """Whether a certificate is for this private key. Raises BadCertificate."""
    return read(text).digest == digest_of(key)


def digest_of(key: str) -> str:
    """Of the public half of a private key. Raises BadCertificate."""
    return _digest(_private(key).public_key())


def sign(key: str, data: bytes) -> bytes:
    """Raises BadCertificate."""
    return _private(key).sign(data, ec.ECDSA(SHA256()))


def is_signed_by(text: str, signature: bytes, data: bytes) -> bool:
    """Whether the owner of this certificate's key signed ``data``. Raises BadCertificate."""
    try:
        _public(_certificate(text).public_key()).verify(signature, data, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def fingerprint(text: str) -> bytes:
    """SHA-256 of a certificate as it is signed. Raises BadCertificate."""
    return _certificate(text).fingerprint(SHA256())


def ms_of(moment: dt.datetime) -> int:
    return int(moment.timestamp()) * 1000


def moment_of(wall_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(wall_ms // 1000, dt.UTC)


def _certificate(text: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(_pem(text))
    except ValueError as error:
        raise BadCertificate(f"no certificate: {error}") from error


def _private(text: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(_pem(text), None)
    except (ValueError, TypeError) as error:
        raise BadCertificate(f"no private key: {type(error).__name__}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadCertificate("a key on P-256 was expected")
    return key


def _public(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
        key.curve, (ec.SECP256R1, ec.SECP384R1)
    ):
        raise BadCertificate("a key on P-256 was expected")
    return key


def _pem(text: str) -> bytes:
    if len(text) > TEXT_MAX:
        raise BadCertificate(f"at most {TEXT_MAX} characters were expected")
    return text.encode()


def _name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(found) != 1 or len(list(name)) != 1:
        raise BadCertificate("one common name and nothing else was expected")
    return str(found[0].value)


def _digest(key: ec.EllipticCurvePublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
