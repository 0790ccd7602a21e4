"""Where somebody finds their case without signing in: a name that nobody can guess, and that nobody stores.

A link is a reference and 128 bits of a digest keyed by the hub: whoever reads the database cannot make one,
and a database that was restored, or moved, knows every link that was ever sent. Only characters that an SMS
holds without escapes: one that it does not hold would make every English message twice as long.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sync.central.desk import Desk

ROOT: Final = "/p"
MAC_BYTES: Final = 16
_MAC_CHARACTERS: Final = 26
_PURPOSE: Final = b"doclocker/personal-page/1\n"
_LINK: Final = re.compile(rf"([aic])([A-Za-z0-9._-]{{1,24}})\.([a-z2-7]{{{_MAC_CHARACTERS}}})")


class Kind(StrEnum):
    AUTHORISATION = "authorisation"
    ITEM = "item"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class About:
    kind: Kind
    reference: str


def path_of(desk: Desk, kind: str, reference: str) -> str:
    """The path of somebody's own page."""
    about = About(Kind(kind), reference)
    return f"{ROOT}/{about.kind[0]}{reference}.{_mac(desk, about)}"


def read(desk: Desk, link: str) -> About | None:
    """What a link is about; None for one that we never made."""
    match = _LINK.fullmatch(link)
    if match is None:
        return None
    kind = next(kind for kind in Kind if kind[0] == match[1])
    about = About(kind, match[2])
    return about if hmac.compare_digest(match[3], _mac(desk, about)) else None


def _mac(desk: Desk, about: About) -> str:
    said = f"{about.kind}\n{about.reference}".encode()
    key = hmac.digest(desk.keys.seal.private, _PURPOSE, hashlib.sha256)
    digest = hmac.digest(key, said, hashlib.sha256)[:MAC_BYTES]
    return base64.b32encode(digest).decode().rstrip("=").lower()
