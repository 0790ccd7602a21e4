"""How a batch of the centre's log lies to what is applied, and what of it is news [LKR-25 to LKR-29]."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Any, Final

from hw_sim.fleet.frames import ZERO, linked

KNOWN: Final = frozenset(
    {
        "AuthorisationGranted",
        "AuthorisationRevoked",
        "ItemAnnounced",
        "ItemRecalled",
        "StaffEnrolled",
        "StaffRevoked",
        "SettingsChanged",
    }
)


class Place(StrEnum):
    NEXT = auto()
    REPEATED = auto()
    GAP = auto()
    FOREIGN = auto()
    """Of a numbering that no hello announced."""
    FORKED = auto()
    BROKEN = auto()
    """Its own chain does not hold."""


@dataclass(slots=True)
class DownCursor:
    """How far the centre's log is applied here."""

    epoch: str = ""
    seq: int = 0
    hash: str = ZERO.hex()


@dataclass(frozen=True, slots=True)
class StateEntry:
    """One entry of the centre's log, and the log's hash behind it."""

    seq: int
    type: str
    data: Mapping[str, Any]
    hash: str

    @property
    def known(self) -> bool:
        """Whether this version can apply it; what it cannot is passed over and acknowledged [LKR-29]."""
        return self.type in KNOWN


@dataclass(frozen=True, slots=True)
class Found:
    place: Place
    cursor: DownCursor
    """How far the numbering in force is applied, before the news."""
    news: tuple[StateEntry, ...] = ()


def read(batch: Mapping[str, Any], applied: DownCursor, announced: str) -> Found:
    cursor = DownCursor(announced) if announced and announced != applied.epoch else applied
    hashes = [bytes.fromhex(batch["prev"])]
    for text in batch["entries"]:
        hashes.append(linked(hashes[-1], text))
    fits = len(batch["entries"]) == batch["to"] - batch["from"] + 1
    begins = batch["from"] > 1 or hashes[0] == ZERO
    if not fits or not begins or hashes[-1].hex() != batch["hash"]:
        return Found(Place.BROKEN, cursor)
    if batch["dn_epoch"] != cursor.epoch:
        return Found(Place.FOREIGN, cursor)
    skip = cursor.seq + 1 - batch["from"]
    if skip < 0:
        return Found(Place.GAP, cursor)
    if skip < len(hashes) and hashes[skip].hex() != cursor.hash:
        return Found(Place.FORKED, cursor)
    if batch["to"] <= cursor.seq:
        return Found(Place.REPEATED, cursor)
    return Found(Place.NEXT, cursor, tuple(_news(batch, hashes, skip)))


def _news(batch: Mapping[str, Any], hashes: list[bytes], skip: int) -> list[StateEntry]:
    """Up to the first that cannot be read: that one waits at the centre [LKR-29]."""
    news: list[StateEntry] = []
    for offset in range(skip, len(batch["entries"])):
        seq = batch["from"] + offset
        try:
            said = json.loads(batch["entries"][offset])
            if (said["v"], said["seq"]) != (1, seq):
                break
            kind, data = said["type"], said["data"]
        except (ValueError, LookupError, TypeError):
            break
        if not isinstance(kind, str) or not isinstance(data, dict):
            break
        news.append(StateEntry(seq, kind, data, hashes[offset + 1].hex()))
    return news
