"""Batches of a log: made from rows, and checked link by link."""

from collections.abc import Sequence
from itertools import accumulate

from locker.domain import chain, directives
from sync.wire.errors import BrokenChain, TooLarge
from sync.wire.payloads import BATCH_BYTES_MAX, KINDS, DownBatch, Kept, Purged, UpBatch

NO_PERSON = chain.personal_digest(b"", b"")
"""The digest of an entry that never had a personal part."""


def kept(personal: str, salt: bytes, digest: bytes) -> Kept | Purged | None:
    """The personal part of a stored entry as it travels."""
    if personal:
        return Kept(salt.hex(), personal)
    return None if digest == NO_PERSON else Purged(digest.hex())


def personal_digest(part: Kept | Purged | None) -> bytes:
    """What the personal part of an entry adds to its leaf."""
    if isinstance(part, Kept):
        return chain.personal_digest(bytes.fromhex(part.salt), part.text.encode())
    return NO_PERSON if part is None else bytes.fromhex(part.digest)


def up_hashes(batch: UpBatch) -> tuple[bytes, ...]:
    """The hash of each entry. Raises BrokenChain or TooLarge."""
    _require_shape(
        batch, _size(batch.entries) + _size([p.text for p in batch.personal if isinstance(p, Kept)])
    )
    if len(batch.personal) != len(batch.entries):
        raise BrokenChain(
            KINDS[UpBatch], f"{len(batch.entries)} entries, {len(batch.personal)} personal parts"
        )
    leaves = [
        chain.leaf(text.encode(), personal_digest(part))
        for text, part in zip(batch.entries, batch.personal, strict=True)
    ]
    hashes = tuple(accumulate(leaves, chain.link, initial=bytes.fromhex(batch.prev)))[1:]
    return _ending(batch, hashes)


def down_hashes(batch: DownBatch) -> tuple[bytes, ...]:
    """The hash of each entry. Raises BrokenChain or TooLarge."""
    _require_shape(batch, _size(batch.entries))
    hashes = tuple(accumulate(batch.entries, directives.link, initial=bytes.fromhex(batch.prev)))[1:]
    return _ending(batch, hashes)


def _size(texts: Sequence[str]) -> int:
    return sum(len(text.encode()) for text in texts)


def _require_shape(batch: UpBatch | DownBatch, size: int) -> None:
    kind = KINDS[type(batch)]
    if size > BATCH_BYTES_MAX:
        raise TooLarge(kind, f"{size} bytes of entries, at most {BATCH_BYTES_MAX}")
    if not batch.entries or len(batch.entries) != batch.to_seq - batch.from_seq + 1:
        raise BrokenChain(kind, f"{len(batch.entries)} entries from {batch.from_seq} to {batch.to_seq}")
    if batch.from_seq == 1 and batch.prev != chain.START.hex():
        raise BrokenChain(kind, "nothing comes before entry 1")


def _ending(batch: UpBatch | DownBatch, hashes: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if hashes[-1].hex() != batch.hash:
        raise BrokenChain(KINDS[type(batch)], f"entry {batch.to_seq} has another hash")
    return hashes
