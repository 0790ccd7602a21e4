"""Which entries of a journal belong to one case, and what of all others stands for them in its evidence.

Pure: from the locker's own journal or from the centre's copy of it comes the same.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from locker.domain import chain

NAMES: Final = ("case", "authorisation", "deposit", "item", "code", "grant")
"""Fields whose value ties an entry to a case, directly or over another entry."""
ENDS: Final = frozenset(
    {"SubmissionTaken", "SubmissionTakenBack", "ItemPickedUp", "ItemWithdrawn", "DepositCancelled"}
)
"""After these nothing of the case lies behind the door any more."""
SENSED: Final = frozenset({"DoorClosed", "DoorRead"})
"""Their ``item`` is what a sensor saw, and no item's name."""
SIGNS: Final = "HeadSigned"
NOBODY: Final = chain.personal_digest(b"", b"")


@dataclass(frozen=True, slots=True)
class Kept:
    """One entry as it is stored."""

    seq: int
    public: str
    personal: str
    salt: bytes
    personal_digest: bytes


class NotAnEntry(ValueError):
    """A text in a journal that is none."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(f"entry {seq}: its text is not an entry ({why})")
        self.seq = seq
        self.why = why


@dataclass(slots=True)
class Belonging:
    """Which entries belong to a case: whatever shares a name with it, and what befell its door meanwhile."""

    known: set[tuple[str, str]]
    doors: dict[str, int] = field(default_factory=dict)
    """Where each deposit of the case lies now."""

    def learn(self, kind: str, data: Mapping[str, Any]) -> None:
        if (names := _names(kind, data)) & self.known:
            self.known |= names

    def has(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Call in order, entry after entry, once all is learnt."""
        concerned = {data.get("door", 0), *data.get("doors", ())}
        belongs = bool(_names(kind, data) & self.known) or not concerned.isdisjoint(self.doors.values())
        deposit = data.get("deposit", "")
        if ("deposit", deposit) in self.known:
            if kind in ENDS:
                self.doors.pop(deposit, None)
            elif kind in ("CompartmentReserved", "DepositMoved"):
                self.doors[deposit] = data["door"]
        return belongs


def of_case(case: str) -> Belonging:
    return Belonging({("case", case)})


@dataclass(slots=True)
class Rows:
    """What a case's evidence holds of a journal, gathered in order, entry after entry."""

    personal: bool = False
    """With names and what else belongs to persons, as far as it is kept."""
    full: dict[int, dict[str, str]] = field(default_factory=dict)
    leaves: list[str] = field(default_factory=list)
    """Of every entry from the first of the case on."""
    first: int = 0
    last: int = 0
    signed: int = 0
    """The first entry that signs a head which covers the last of the case; 0 before."""

    def take(self, entry: Kept, kind: str, *, belongs: bool) -> None:
        if belongs:
            self.first, self.last, self.signed = self.first or entry.seq, entry.seq, 0
            self.full[entry.seq] = _in_full(entry, personal=self.personal)
        elif self.first and kind == SIGNS:
            self.full[entry.seq] = _in_full(entry, personal=False)
            self.signed = self.signed or entry.seq
        if self.first:
            self.leaves.append(chain.leaf(entry.public.encode(), entry.personal_digest).hex())

    def up_to(self, end: int) -> list[dict[str, str] | str]:
        """Entries in full, the others as bare leaves."""
        return [self.full.get(at, self.leaves[at - self.first]) for at in range(self.first, end + 1)]


def read(entry: Kept) -> tuple[str, dict[str, Any]]:
    """Its type and data. Raises NotAnEntry."""
    try:
        body = json.loads(entry.public)
        return str(body["type"]), dict(body["data"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotAnEntry(entry.seq, str(error)) from error


def learnt(entries: Iterable[Kept], case: str) -> Belonging:
    """What is to be known before `Belonging.has` is asked. Raises NotAnEntry."""
    found = of_case(case)
    for entry in entries:
        found.learn(*read(entry))
    return found


def _in_full(entry: Kept, *, personal: bool) -> dict[str, str]:
    row = {"public": entry.public}
    if entry.personal_digest != NOBODY:
        row["digest"] = entry.personal_digest.hex()
    if personal and entry.personal:
        row |= {"personal": entry.personal, "salt": entry.salt.hex()}
    return row


def _names(kind: str, data: Mapping[str, Any]) -> set[tuple[str, str]]:
    names = {(name, str(data[name])) for name in NAMES if data.get(name)}
    if kind in SENSED:
        names.discard(("item", str(data.get("item"))))
    record, _, value = str(data.get("record", "")).partition("/")
    return names | {(record, value)} if value else names
