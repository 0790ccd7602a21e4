"""What the authority signs: its own root, certificates for one purpose each, the list of revoked ones.

The profile is narrow, and the same for all: X.509 v3, no intermediate, one name, one extended usage, ids of
both keys. OpenSSL's strict mode and Python 3.13 take it. docs/decisions/0023-certificates.md tells why these
lives.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sync import certificates
from sync.certificates import Wanted

DAY_MS: Final = 86_400_000
ROOT_DAYS: Final = 20 * 365
"""Longer than a cabinet stands."""
LIFE_DAYS: Final = 365
"""Renewed after 243: four months are left, twice as long as a locker may be without a network."""
EARLIER_MS: Final = DAY_MS
"""A certificate is good for a day before it is made: clocks differ."""


class Purpose(StrEnum):
    """What a certificate may be used for; nothing else."""

    LOCKER = "locker"
    HUB = "hub"
    SERVER = "server"


_USAGE: Final = {
    Purpose.LOCKER: ExtendedKeyUsageOID.CLIENT_AUTH,
    Purpose.HUB: ExtendedKeyUsageOID.CLIENT_AUTH,
    Purpose.SERVER: ExtendedKeyUsageOID.SERVER_AUTH,
}


@dataclass(frozen=True, slots=True)
class Authority:
    """The root with its key: open only while something is signed."""

    root: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> str:
        return self.root.public_bytes(Encoding.PEM).decode()


def new_authority(name: str, now_ms: int) -> Authority:
    """A root that signs leaves only (path length 0)."""
    key = ec.generate_private_key(ec.SECP384R1())
    subject = _name(name)
    usage = _usages(key_cert_sign=True, crl_sign=True)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    root = (
        _builder(now_ms - EARLIER_MS, now_ms + ROOT_DAYS * DAY_MS)
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(own, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False)
        .sign(key, SHA384())
    )
    return Authority(root, key)


def issue(
    authority: Authority,
    wanted: Wanted,
    purpose: Purpose,
    now_ms: int,
    *,
    hosts: Sequence[str] = (),
    days: int = LIFE_DAYS,
) -> str:
    """A certificate, PEM. ``hosts``: names and addresses by which a server is reached.

    A server's is good from the root's first day: a locker whose clock stood still for two months would refuse
    a newer one, and the broker is how it learns the time.
    """
    root = authority.root
    begins_ms = now_ms - EARLIER_MS
    if purpose is Purpose.SERVER:
        begins_ms = certificates.ms_of(root.not_valid_before_utc)
    ends_ms = min(now_ms + days * DAY_MS, certificates.ms_of(root.not_valid_after_utc))
    names = [_host(host) for host in hosts] or [x509.DNSName(wanted.name.lstrip("_"))]
    signer = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _builder(begins_ms, ends_ms)
        .subject_name(_name(wanted.name))
        .issuer_name(root.subject)
        .public_key(wanted.key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usages(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([_USAGE[purpose]]), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(wanted.key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer), critical=False)
        .sign(authority.key, SHA384())
    )
    return certificate.public_bytes(Encoding.PEM).decode()


def uses_of(pem: str) -> tuple[Purpose, tuple[str, ...]]:
    """What one of ours is for, and for a server the names and addresses. Raises BadCertificate."""
    found = x509.load_pem_x509_certificate(pem.encode())
    try:
        usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise certificates.BadCertificate(f"none of ours: {error}") from error
    if ExtendedKeyUsageOID.SERVER_AUTH in usage:
        return Purpose.SERVER, tuple(str(each.value) for each in names)
    return Purpose.HUB, ()


def revocations(authority: Authority, revoked: Iterable[tuple[str, int]], now_ms: int) -> str:
    """The list for brokers, PEM: serial in hex and moment of each.

    It runs out with the root and not before: a broker with a list that ran out lets nobody in.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.root.subject)
        .last_update(certificates.moment_of(now_ms))
        .next_update(authority.root.not_valid_after_utc)
        .add_extension(x509.CRLNumber(now_ms), critical=False)
    )
    for serial, at_ms in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16))
        builder = builder.add_revoked_certificate(
            entry.revocation_date(certificates.moment_of(at_ms)).build()
        )
    signer = authority.root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    named = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer)
    signed = builder.add_extension(named, critical=False).sign(authority.key, SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


def _builder(begins_ms: int, ends_ms: int) -> x509.CertificateBuilder:
    """Serials are random, 159 bits: none tells how many there are."""
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(certificates.moment_of(begins_ms))
        .not_valid_after(certificates.moment_of(ends_ms))
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usages(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
