"""The evidence of one case as one file; `verify_evidence` says what is in it, and checks it.

Read from the journal beside a running daemon. What is exported is checked before it is handed out: a journal
that does not hold gives no evidence.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from locker.domain import chain
from locker.journal import verify_evidence
from locker.journal.errors import JournalCorrupt, JournalError
from locker.journal.reader import Reader
from locker.journal.rows import NOBODY, StoredEntry

ENTRIES_AT_ONCE: Final = 500
BYTES_AT_ONCE: Final = 1 << 20
NAMES: Final = ("case", "authorisation", "deposit", "item", "code", "grant")
"""Fields whose value ties an entry to a case, directly or over another entry."""
ENDS: Final = frozenset(
    {"SubmissionTaken", "SubmissionTakenBack", "ItemPickedUp", "ItemWithdrawn", "DepositCancelled"}
)
"""After these nothing of the case lies behind the door any more."""


class NoSuchCase(JournalError):
    """No entry that is kept names it. Remedy: look up the number; for older cases ask the centre."""

    def __init__(self, case: str, oldest: int, head: int) -> None:
        super().__init__(f"no entry names case {case!r} (kept are {oldest} to {head}); ask the centre")
        self.case = case


class EvidenceDoesNotHold(JournalError):
    """The journal, or a key, is not what it was. Remedy: `lockerctl journal verify`; then call for help."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"no evidence can be made of this journal: {why}; look with: lockerctl journal verify"
        )
        self.why = why


SENSED: Final = frozenset({"DoorClosed", "DoorRead"})
"""Their ``item`` is what a sensor saw, and no item's name."""


@dataclass(frozen=True, slots=True)
class Signer:
    """The locker that says so, and whom it believes."""

    locker: str
    public: bytes
    sign: Callable[[bytes], bytes]
    centre: Mapping[bytes, bytes]
    """Public keys by id."""


@dataclass(slots=True)
class _Case:
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


def export(reader: Reader, case: str, signer: Signer, *, personal: bool = False) -> bytes:
    """The file. ``personal``: with names and what else belongs to persons, as far as it is kept.

    Raises NoSuchCase, EvidenceDoesNotHold, JournalError.
    """
    frame = reader.countersigned()
    oldest, (head, _) = reader.oldest(), reader.head()
    found = _Case({("case", case)})
    for _, kind, data in _read(reader, max(oldest - 1, 0), head):
        found.learn(kind, data)
    full, leaves, first, last, signed = _collect(reader, found, oldest, head, personal=personal)
    if not full:
        raise NoSuchCase(case, oldest, head)
    epoch = reader.epoch()
    stored_to = _stored_to(frame, epoch, signer)
    end = max(last, signed, stored_to if stored_to <= head else 0)
    before = reader.hash_at(first - 1)
    counts = first - 1 <= stored_to <= end
    evidence = {
        "kind": verify_evidence.KIND,
        "v": verify_evidence.VERSION,
        "locker": signer.locker,
        "epoch": epoch,
        "case": case,
        "before": {"seq": first - 1, "hash": before.hex()},
        "rows": [full.get(at, leaves[at - first]) for at in range(first, end + 1)],
        "countersigned": frame.hex() if counts else "",
        "keys": {
            "locker": signer.public.hex(),
            "centre": signer.centre[frame[1:9]].hex() if counts else "",
        },
    }
    return _sealed(evidence, signer)


def _sealed(evidence: Mapping[str, Any], signer: Signer) -> bytes:
    text = json.dumps(evidence, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
    signature = signer.sign(verify_evidence.SIGNED_AS + text.encode()).hex()
    data = verify_evidence.page(text, signature).encode("ascii")
    if wrong := verify_evidence.check(data).wrong:
        raise EvidenceDoesNotHold(wrong)
    return data


def _collect(
    reader: Reader, found: _Case, oldest: int, head: int, *, personal: bool
) -> tuple[dict[int, dict[str, str]], list[str], int, int, int]:
    """Entries in full by number, the leaves of all from the first of the case on, its first and last number,
    and the number of the first entry that signs a head which covers the last."""
    full: dict[int, dict[str, str]] = {}
    leaves: list[str] = []
    first = last = signed = 0
    for entry, kind, data in _read(reader, max(oldest - 1, 0), head):
        if found.has(kind, data):
            first, last, signed = first or entry.seq, entry.seq, 0
            full[entry.seq] = _in_full(entry, personal=personal)
        elif first and kind == "HeadSigned":
            full[entry.seq] = _in_full(entry, personal=False)
            signed = signed or entry.seq
        if first:
            leaves.append(chain.leaf(entry.public.encode(), entry.personal_digest).hex())
    return full, leaves, first, last, signed


def _in_full(entry: StoredEntry, *, personal: bool) -> dict[str, str]:
    row = {"public": entry.public}
    if entry.personal_digest != NOBODY:
        row["digest"] = entry.personal_digest.hex()
    if personal and entry.personal:
        row |= {"personal": entry.personal, "salt": entry.salt.hex()}
    return row


def _read(reader: Reader, after: int, head: int) -> Iterator[tuple[StoredEntry, str, dict[str, Any]]]:
    while after < head:
        for entry in reader.entries(after, min(ENTRIES_AT_ONCE, head - after), BYTES_AT_ONCE):
            try:
                body = json.loads(entry.public)
                yield entry, body["type"], body["data"]
            except (ValueError, KeyError, TypeError) as error:
                raise JournalCorrupt(entry.seq, f"its text is not an entry ({error})") from error
            after = entry.seq


def _names(kind: str, data: Mapping[str, Any]) -> set[tuple[str, str]]:
    names = {(name, str(data[name])) for name in NAMES if data.get(name)}
    if kind in SENSED:
        names.discard(("item", str(data.get("item"))))
    record, _, value = str(data.get("record", "")).partition("/")
    return names | {(record, value)} if value else names


def _stored_to(frame: bytes, epoch: str, signer: Signer) -> int:
    """What the centre's frame says that it has of this journal; -1 where it says nothing of use: it is of
    another journal, by a strange key, or no longer what was signed. A card that spoilt it spoilt nothing
    else."""
    key = signer.centre.get(frame[1:9])
    if key is None:
        return -1
    try:
        said = verify_evidence.word_in(frame, key.hex())
    except verify_evidence.Wrong:
        return -1
    return int(said["stored_to"]) if said["up_epoch"] == epoch else -1
