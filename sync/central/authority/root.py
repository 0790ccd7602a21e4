"""The authority's files: the root for everybody, its key for nobody, the list of revoked ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sync import durable
from sync.central.authority.issuing import Authority

ROOT: Final = "root.pem"
KEY: Final = "root.key"
REVOKED: Final = "revoked.pem"
THROWN_OUT: Final = "thrown-out"
"""Renewed when a person ended somebody's certificates: who is connected by one must go. A list that only
grew by renewals needs no more than to be read."""
ISSUED: Final = "issued"
"""Renewed when certificates of the hub or of servers were: who wears them has to read them."""
_OTHERS: Final = 0o077
PASSPHRASE_CHARACTERS_MIN: Final = 12


class CannotSign(Exception):
    """The authority cannot be made or opened. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the authority lies. ``passphrase_file``: where its passphrase is to be had, as from systemd's
    credentials; empty: its key has none, or the operator signs by hand."""

    folder: Path
    passphrase_file: Path | None = None

    @property
    def is_there(self) -> bool:
        return (self.folder / ROOT).exists()

    def root(self) -> str:
        """The root's PEM. Raises CannotSign."""
        try:
            return (self.folder / ROOT).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise CannotSign(f"{self.folder}: {error}. `locker-central authority init` makes one") from error

    def passphrase(self) -> str:
        """Raises CannotSign."""
        if self.passphrase_file is None:
            return ""
        try:
            return self.passphrase_file.read_text(encoding="utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CannotSign(
                f"{self.passphrase_file}: {error}. Correct [authority] passphrase_file"
            ) from error

    def make(self, authority: Authority, passphrase: str) -> None:
        """Never over one that is there. Raises CannotSign, OSError."""
        if passphrase and len(passphrase) < PASSPHRASE_CHARACTERS_MIN:
            raise CannotSign(f"the passphrase must have {PASSPHRASE_CHARACTERS_MIN} characters at least")
        durable.make_folder(self.folder)
        self.folder.chmod(0o700)
        locked = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
        raw = authority.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
        durable.write_new(self.folder / KEY, raw.decode())
        durable.write_new(self.folder / ROOT, authority.pem, mode=0o644)

    def open(self, passphrase: str = "") -> Authority:
        """With ``passphrase``, or the one of the file. Raises CannotSign."""
        path = self.folder / KEY
        root = self.root()
        try:
            if path.stat().st_mode & _OTHERS:
                raise CannotSign(f"{path}: others may read it. `chmod 600` it, and ask who did")
            raw = path.read_bytes()
        except OSError as error:
            raise CannotSign(f"{path}: {error.strerror}. Take it from where you keep it") from error
        word = passphrase or self.passphrase()
        try:
            key = load_pem_private_key(raw, word.encode() or None)
        except (ValueError, TypeError) as error:
            raise CannotSign(f"{path}: it is locked; the passphrase is wrong or lacking") from error
        found = x509.load_pem_x509_certificate(root.encode())
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != found.public_key():
            raise CannotSign(f"{path}: not the key of {ROOT}. Take both from one backup")
        return Authority(found, key)

    def put_revoked(self, text: str) -> Path:
        """The list, in place of the one before. Raises OSError."""
        return self._replace(REVOKED, text)

    def throw_out(self, name: str) -> None:
        """Mark that a person ended this one's certificates. Raises OSError."""
        self._replace(THROWN_OUT, f"{name}\n")

    def issued(self, names: str) -> None:
        """Mark that these have new certificates. Raises OSError."""
        self._replace(ISSUED, f"{names}\n")

    def _replace(self, name: str, text: str) -> Path:
        path = self.folder / name
        fresh = path.with_name(f"{name}.fresh")
        fresh.unlink(missing_ok=True)
        durable.write_new(fresh, text, mode=0o644)
        fresh.replace(path)
        durable.sync_folder(self.folder)
        return path
