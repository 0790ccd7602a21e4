"""What a release says of itself: its version, for which machines it is, and every file in it."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from systemd.updater.errors import BadRelease

PRODUCT: Final = "doclocker"
FORMAT: Final = 1
BYTES_MAX: Final = 1 << 20
FILES_MAX: Final = 10_000
PAYLOAD_MAX: Final = 1 << 30
_VERSION: Final = re.compile(r"\d{1,6}\.\d{1,6}\.\d{1,6}")
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.+!-]*)*")
_WORD: Final = re.compile(r"[a-z0-9_.]{1,32}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class File:
    """One file of the payload; ``sha256`` in hex."""

    name: str
    bytes: int
    sha256: str
    is_program: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """``machine``: as `uname -m` says it; ``python``: as in "3.11"; ``built_s``: tells builds of one version
    apart; ``journal_schema``: to which it brings a journal; ``store_schema``: what tells schemas of a hub's
    store apart; ``keys``: whom to trust once it has proved itself (in hex; none: as before)."""

    version: str
    built_s: int
    machine: str
    python: str
    journal_schema: int
    store_schema: str
    keys: tuple[str, ...]
    files: tuple[File, ...]

    def encoded(self) -> bytes:
        """The one form that is signed."""
        said = {"product": PRODUCT, "format": FORMAT, **asdict(self)}
        return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    @property
    def order(self) -> tuple[tuple[int, ...], int]:
        """Greater is newer."""
        return order_of(self.version), self.built_s


def order_of(version: str) -> tuple[int, ...]:
    """Of a version alone."""
    return tuple(int(part) for part in version.split("."))


def decoded(data: bytes) -> Manifest:
    """Raises BadRelease for everything but the one form of a sound manifest."""
    try:
        said = json.loads(data)
        product, form = said.pop("product"), said.pop("format")
        files = tuple(File(**each) for each in said.pop("files"))
        manifest = Manifest(files=files, keys=tuple(said.pop("keys")), **said)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadRelease(f"its manifest cannot be read ({error})") from error
    if (product, form) != (PRODUCT, FORMAT):
        raise BadRelease(f"it is of {product!r}, form {form!r}; this is {PRODUCT!r}, form {FORMAT}")
    if not _sound(manifest) or manifest.encoded() != data:
        raise BadRelease("its manifest says what no manifest says")
    return manifest


def _sound(manifest: Manifest) -> bool:
    names = [each.name for each in manifest.files]
    return (
        _fits(_VERSION, manifest.version)
        and _is_count(manifest.built_s, 1 << 40)
        and _fits(_WORD, manifest.machine)
        and _fits(_WORD, manifest.python)
        and _is_count(manifest.journal_schema, 10_000)
        and _fits(_WORD, manifest.store_schema)
        and len(manifest.keys) <= 2  # noqa: PLR2004 -- one, or two while one follows the other
        and all(_fits(_HASH, key) for key in manifest.keys)
        and 0 < len(names) <= FILES_MAX
        and all(_fits(_NAME, each.name) and _fits(_HASH, each.sha256) for each in manifest.files)
        and all(
            _is_count(each.bytes, PAYLOAD_MAX) and each.is_program in (True, False) for each in manifest.files
        )
        and sum(each.bytes for each in manifest.files) <= PAYLOAD_MAX
        and _distinct(names)
    )


def _distinct(names: list[str]) -> bool:
    """No name twice, and none that is another's folder."""
    every = set(names)
    folders = {name[:at] for name in names for at, sign in enumerate(name) if sign == "/"}
    return len(every) == len(names) and not every & folders


def _fits(form: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _is_count(value: Any, below: int) -> bool:
    return type(value) is int and 0 <= value < below


def told(manifest: Manifest) -> Mapping[str, Any]:
    """For people."""
    return {
        "version": manifest.version,
        "machine": manifest.machine,
        "python": manifest.python,
        "journal schema": manifest.journal_schema,
        "files": len(manifest.files),
        "bytes": sum(each.bytes for each in manifest.files),
    }
