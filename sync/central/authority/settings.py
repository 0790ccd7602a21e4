"""``[authority]``: where the certificate authority lies, and what lockers are told of their way here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sync.central.authority.root import Place

PORT_MAX: Final = 65_535
CLAIM_HOURS_MAX: Final = 30 * 24
RELEASE_KEYS_MAX: Final = 2
_KEY: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Authority:
    folder: str = "authority"
    """From the configuration's folder."""
    passphrase_file: str = ""  # the path of one
    """Empty: the key has none, or the operator signs by `locker-central authority sign`."""
    url: str = ""
    """https://…, where lockers reach this hub. Empty: that of ``[web]``."""
    broker_host: str = ""
    """Where lockers reach the broker. Empty: that of ``[broker]``."""
    broker_port: int = 8883
    claim_hours: int = 72
    """So long a claim is good."""
    release_keys: tuple[str, ...] = ()
    """Whose releases a locker is to believe that has no word on it yet: one or two public keys, in hex."""

    def problems(self) -> Iterator[tuple[str, str]]:
        if self.url and not self.url.startswith("https://"):
            yield "url", "an https:// address"
        if not 0 < self.broker_port <= PORT_MAX:
            yield "broker_port", f"1 to {PORT_MAX}"
        if not 0 < self.claim_hours <= CLAIM_HOURS_MAX:
            yield "claim_hours", f"1 to {CLAIM_HOURS_MAX}"
        if len(self.release_keys) > RELEASE_KEYS_MAX or not all(map(_KEY.fullmatch, self.release_keys)):
            yield "release_keys", "at most two, 64 digits of hex each, as `systemd/pack key` prints them"


@dataclass(frozen=True, slots=True)
class Bureau:
    """Who signs, and what every locker is told."""

    place: Place
    hub: str
    broker_host: str
    broker_port: int
    release_keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Authority, base: Path, web_url: str, broker_host: str) -> "Bureau":
        word = base / settings.passphrase_file if settings.passphrase_file else None
        return cls(
            Place(base / settings.folder, word),
            (settings.url or web_url).rstrip("/"),
            settings.broker_host or broker_host,
            settings.broker_port,
            settings.release_keys,
        )
