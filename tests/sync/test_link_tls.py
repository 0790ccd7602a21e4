"""Mutual TLS 1.3: who is believed, and who is not."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from sync.link.settings import TlsFiles
from tests.sync.links import CONNACK, Remembering, read_packet, serving, settings_for, started

DAY: Final = dt.timedelta(days=1)


# Python 3.13 judges by RFC 5280 to the letter: an authority must say that it may sign.
SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """Signs certificates into a directory."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self._pem(self._sign(self.name, self.key, authority=True)))

    def issue(self, name: str, address: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate, secret = self.directory / f"{name}.crt", self.directory / f"{name}.key"
        certificate.write_bytes(self._pem(self._sign(subject, key, address=address)))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate, secret

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        address: str = "",
        *,
        authority: bool = False,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        public = key.public_key()
        builder = (
            x509.CertificateBuilder(
                self.name, subject, public, x509.random_serial_number(), now - DAY, now + DAY
            )
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if authority:
            builder = builder.add_extension(SIGNS_CERTIFICATES, critical=True)
        if address:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, SHA256())

    def _pem(self, certificate: x509.Certificate) -> bytes:
        return certificate.public_bytes(serialization.Encoding.PEM)


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_packet(reader)
    writer.write(CONNACK)
    # A record that holds many packets: what TLS has decrypted already shows in no poll.
    writer.write(b"".join(b"\x30\x04\x00\x01t\x00" for _ in range(300)))
    await reader.read()


def server_context(authority: Authority, certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    return context


@pytest.mark.rule("LKR-39")
@pytest.mark.parametrize("wrong", ["", "server's authority", "server's name", "our authority"])
async def test_who_is_believed(tmp_path: Path, wrong: str) -> None:
    good, other = Authority(tmp_path, "good"), Authority(tmp_path, "other")
    server = (other if wrong == "server's authority" else good).issue(
        "broker", "127.0.0.2" if wrong == "server's name" else "127.0.0.1"
    )
    ours = (other if wrong == "our authority" else good).issue("loc-1", "127.0.0.1")
    listener = Remembering()
    async with serving(talk, server_context(good, *server)) as port:
        link = await started(settings_for(port, tls=TlsFiles(good.file, *ours)), listener)
        if wrong:
            await listener.until(lambda: bool(listener.losses))
            assert not listener.connections
        else:
            await listener.until(lambda: len(listener.messages) == 300)
            assert listener.connections == [False]
            assert link._connection._client.socket().version() == "TLSv1.3"  # type: ignore[union-attr]
        await link.stop()
