"""Files with keys in them, as they lie on the card: open, or sealed to this machine by systemd-creds(1).

Of a sealed one only what systemd has made of it can be read: by the daemon, for whom systemd opens it at the
start (``LoadCredentialEncrypted=``), and by root, who may have it opened.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from sync import durable

SUFFIX: Final = ".sealed"
WITH: Final = ("auto", "host", "tpm2", "host+tpm2")
"""What it is sealed with, in systemd's words; auto: host, and the TPM as well where there is one."""
PROGRAM: Final = "systemd-creds"
PATIENCE_S: Final = 60
"""A TPM on a slow bus takes seconds."""


class SealedKey(Exception):
    """It is sealed, and cannot be opened here; or it cannot be sealed. The message says why."""


def sealed(path: Path) -> Path:
    """Where the sealed form of a key file lies."""
    return path.with_name(path.name + SUFFIX)


def is_there(path: Path) -> bool:
    """Open or sealed."""
    return path.exists() or sealed(path).exists()


def text(path: Path) -> str:
    """What it says. One that lies open counts: it is the newer, for sealing removes it.

    Raises FileNotFoundError and other OSErrors, UnicodeDecodeError, SealedKey.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        opened = Path(os.environ.get("CREDENTIALS_DIRECTORY", path.parent)) / path.name
        if opened != path and opened.exists():
            return opened.read_text(encoding="utf-8")
        if sealed(path).exists():
            return _opened(path)
        raise


def seal(path: Path, content: str, kind: str, owner: tuple[int, int] | None) -> None:
    """Put the sealed form of ``content`` beside ``path``, durable, once it was seen that it can be opened.
    What lies open stays. Raises SealedKey, OSError."""
    words = ("encrypt", f"--name={path.name}", f"--with-key={kind}", "-", "-")
    made = _ran(path, words, content.encode()).decode("ascii")
    fresh = path.with_name(f"{path.name}.fresh")
    fresh.unlink(missing_ok=True)
    durable.write_new(fresh, made)
    if _ran(path, ("decrypt", f"--name={path.name}", str(fresh), "-")) != content.encode():
        raise SealedKey(f"{path}: sealed and opened again it is another")
    if owner:
        os.chown(fresh, *owner)
    fresh.replace(sealed(path))
    durable.sync_folder(path.absolute().parent)


def _opened(path: Path) -> str:
    if os.geteuid() != 0:
        raise SealedKey(f"{path} is sealed: systemd opens it for the daemon, and for root alone")
    return _ran(path, ("decrypt", f"--name={path.name}", str(sealed(path)), "-")).decode()


def _ran(path: Path, words: tuple[str, ...], given: bytes = b"") -> bytes:
    program = shutil.which(PROGRAM)
    if program is None:
        raise SealedKey(f"{path}: there is no {PROGRAM} on this machine")
    try:
        done = subprocess.run(  # noqa: S603  # systemd's own program, and our words
            [program, *words], input=given, capture_output=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SealedKey(f"{path}: {PROGRAM} does not answer ({error})") from error
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SealedKey(f"{path}: {PROGRAM} {words[0]} refuses: {why[-1] if why else done.returncode}")
    return done.stdout
