"""The hub's own certificates and its servers': made anew at two thirds of their life, where they lie.

A folder is looked through for pairs ``NAME.pem`` and ``NAME.key``. What another authority signed is left
alone: whoever put it there renews it. The key stays; names and addresses are those of the one before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync import certificates
from sync.central.authority.issuing import DAY_MS, LIFE_DAYS, Purpose, uses_of

LEFT_MS: Final = LIFE_DAYS * DAY_MS // 3
"""A third of their life. A server's is good from the root's first day, so its first day says nothing."""


@dataclass(frozen=True, slots=True)
class Worn:
    """One that lies in a folder."""

    path: Path
    purpose: Purpose
    hosts: tuple[str, ...]
    facts: certificates.Facts

    @property
    def name(self) -> str:
        return self.path.stem

    def is_due(self, now_ms: int) -> bool:
        return self.facts.not_after_ms - now_ms <= LEFT_MS


def worn(folders: Iterable[Path], root: str) -> Iterator[Worn]:
    """Of this authority, with their keys. Raises BadCertificate, OSError."""
    for folder in folders:
        for path in sorted(folder.glob("*.pem")):
            if not path.with_suffix(".key").exists():
                continue
            text = path.read_text(encoding="ascii")
            if not certificates.is_issued_by(text, root):
                continue
            purpose, hosts = uses_of(text)
            yield Worn(path, purpose, hosts, certificates.read(text))
