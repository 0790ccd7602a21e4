"""The evidence of one case as one file; `verify_evidence` says what is in it, and checks it.

Read from the journal beside a running daemon. What is exported is checked before it is handed out: a journal
that does not hold gives no evidence.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from locker.domain import evidence
from locker.domain.evidence import Kept
from locker.journal import verify_evidence
from locker.journal.errors import JournalCorrupt, JournalError
from locker.journal.reader import Reader

ENTRIES_AT_ONCE: Final = 500
BYTES_AT_ONCE: Final = 1 << 20


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


@dataclass(frozen=True, slots=True)
class Signer:
    """The locker that says so, and whom it believes."""

    locker: str
    public: bytes
    sign: Callable[[bytes], bytes]
    centre: Mapping[bytes, bytes]
    """Public keys by id."""


def export(reader: Reader, case: str, signer: Signer, *, personal: bool = False) -> bytes:
    """The file. ``personal``: with names and what else belongs to persons, as far as it is kept.

    Raises NoSuchCase, EvidenceDoesNotHold, JournalError.
    """
    frame = reader.countersigned()
    oldest, (head, _) = reader.oldest(), reader.head()
    rows = _gathered(reader, case, max(oldest - 1, 0), head, personal=personal)
    if not rows.full:
        raise NoSuchCase(case, oldest, head)
    epoch = reader.epoch()
    stored_to = _stored_to(frame, epoch, signer)
    end = max(rows.last, rows.signed, stored_to if stored_to <= head else 0)
    before = reader.hash_at(rows.first - 1)
    counts = rows.first - 1 <= stored_to <= end
    said = {
        "kind": verify_evidence.KIND,
        "v": verify_evidence.VERSION,
        "locker": signer.locker,
        "epoch": epoch,
        "case": case,
        "before": {"seq": rows.first - 1, "hash": before.hex()},
        "rows": rows.up_to(end),
        "countersigned": frame.hex() if counts else "",
        "keys": {
            "locker": signer.public.hex(),
            "centre": signer.centre[frame[1:9]].hex() if counts else "",
        },
    }
    return _sealed(said, signer)


def _gathered(reader: Reader, case: str, after: int, head: int, *, personal: bool) -> evidence.Rows:
    rows = evidence.Rows(personal)
    try:
        found = evidence.learnt(_read(reader, after, head), case)
        for entry in _read(reader, after, head):
            kind, data = evidence.read(entry)
            rows.take(entry, kind, belongs=found.has(kind, data))
    except evidence.NotAnEntry as error:
        raise JournalCorrupt(error.seq, f"its text is not an entry ({error.why})") from error
    return rows


def _sealed(said: Mapping[str, Any], signer: Signer) -> bytes:
    text = json.dumps(said, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
    signature = signer.sign(verify_evidence.SIGNED_AS + text.encode()).hex()
    data = verify_evidence.page(text, signature).encode("ascii")
    if wrong := verify_evidence.check(data).wrong:
        raise EvidenceDoesNotHold(wrong)
    return data


def _read(reader: Reader, after: int, head: int) -> Iterator[Kept]:
    while after < head:
        for entry in reader.entries(after, min(ENTRIES_AT_ONCE, head - after), BYTES_AT_ONCE):
            yield Kept(entry.seq, entry.public, entry.personal, entry.salt, entry.personal_digest)
            after = entry.seq


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
