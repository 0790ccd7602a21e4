"""The evidence of a case from the hub's own ledger: the file that `lockerctl evidence export` makes, for a
locker that is gone, or whose rows are purged.

The same evidence and the same page; the whole is signed by the centre, because only the locker has the
locker's key. The heads in it are those that the locker signed as it went on.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from locker.domain import chain, evidence
from locker.domain.evidence import Belonging, Kept, Rows
from locker.journal import verify_evidence
from sync import seal, wire
from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.authority.tables import FORMER_KEY
from sync.central.desk import Desk, Refusal, Refused
from sync.central.hello import WINDOW
from sync.central.store import find
from sync.central.tables import LEDGER, LOCKER, STREAM

ROWS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one journal has of a case. ``ordinal``: which of the locker's journals it is."""

    locker: str
    ordinal: int
    page: bytes


class LedgerDoesNotHold(Exception):
    """What is stored here is not what was hashed or signed. Remedy: call for help; keep the database."""


def export(connection: Connection, desk: Desk, actor: Actor, case: str) -> list[Bundle]:
    """One for each journal in which something of the case stands. Raises Refused, LedgerDoesNotHold."""
    own = LEDGER.c
    streams = (
        select(STREAM.c.locker, STREAM.c.epoch, STREAM.c.ordinal, STREAM.c.stored_to, LOCKER.c.public)
        .select_from(STREAM.join(LOCKER, LOCKER.c.locker == STREAM.c.locker))
        .where(
            select(own.seq)
            .where(own.locker == STREAM.c.locker, own.epoch == STREAM.c.epoch, own.case_number == case)
            .exists(),
            scope.sees(actor, STREAM.c.locker),
        )
        .order_by(STREAM.c.locker, STREAM.c.ordinal)
    )
    bundles = []
    found: Sequence[Any] = connection.execute(streams).all()
    for stream in found:
        rows = _gathered(connection, stream, case)
        if rows.full:
            bundles.append(Bundle(stream.locker, stream.ordinal, _page(connection, desk, stream, case, rows)))
    if not bundles:
        raise Refused(Refusal.UNKNOWN_CASE, f"no locker has told anything of case {case!r}")
    return bundles


def as_file(case: str, bundles: list[Bundle]) -> tuple[str, str, bytes]:
    """Name, media type and bytes: the page itself, or several of them packed."""
    if len(bundles) == 1:
        return f"evidence-{case}.html", "text/html; charset=ascii", bundles[0].page
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for each in bundles:
            name = zipfile.ZipInfo(f"evidence-{case}-{each.locker}-{each.ordinal}.html")
            archive.writestr(name, each.page, zipfile.ZIP_DEFLATED)
    return f"evidence-{case}.zip", "application/zip", packed.getvalue()


def _gathered(connection: Connection, stream: Row[Any], case: str) -> Rows:
    """From the first entry that was found to be of the case to the first signed head that covers the last."""
    found, told_to, first = evidence.of_case(case), 0, 0
    for entry in _entries(connection, stream, LEDGER.c.case_number == case):
        found.learn(*_read(entry))
        first, told_to = first or entry.seq, entry.seq
    rows = Rows()
    for entry in _entries(connection, stream, LEDGER.c.seq >= first):
        kind, data = _read(entry)
        rows.take(entry, kind, belongs=found.has(kind, data))
        if _is_whole(rows, found, entry.seq, told_to):
            break
    return rows


def _is_whole(rows: Rows, found: Belonging, at: int, told_to: int) -> bool:
    """Nothing of the case lies behind a door, and what the locker told is under its signature."""
    return at >= told_to and bool(rows.signed) and not found.doors


def _page(connection: Connection, desk: Desk, stream: Row[Any], case: str, rows: Rows) -> bytes:
    # Without a signed head that covers the last entry: all there is, so that the chain goes on.
    end = rows.signed or rows.first + len(rows.leaves) - 1
    own = desk.keys.sign
    said = {
        "kind": verify_evidence.KIND,
        "v": verify_evidence.BY_CENTRE,
        "locker": stream.locker,
        "epoch": stream.epoch,
        "case": case,
        "before": {"seq": rows.first - 1, "hash": _hash_at(connection, stream, rows.first - 1)},
        "rows": rows.up_to(end),
        "countersigned": _countersigned(desk, stream, end, _hash_at(connection, stream, end)).hex(),
        "keys": {"locker": _signer(connection, stream), "centre": own.public.hex()},
    }
    text = json.dumps(said, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
    signature = own.sign(verify_evidence.SIGNED_AS + text.encode()).hex()
    page = verify_evidence.page(text, signature).encode("ascii")
    if wrong := verify_evidence.check(page).wrong:
        raise LedgerDoesNotHold(f"{stream.locker}, {stream.epoch}: {wrong}")
    return page


def _signer(connection: Connection, stream: Row[Any]) -> str:
    """Whose journal it was: a locker that lost its keys has others now."""
    own = find(connection, FORMER_KEY, {"locker": stream.locker, "epoch": stream.epoch})
    return str(own.public if own else stream.public)


def _countersigned(desk: Desk, stream: Row[Any], end: int, link: str) -> bytes:
    """What the hub acknowledged long ago, said once more: the locker's own copy of it may be gone."""
    said = wire.DownAck(
        locker=stream.locker,
        up_epoch=stream.epoch,
        stored_to=end,
        hash=link,
        gap=False,
        window=WINDOW,
        now=desk.clock.wall_ms(),
    )
    return seal.frame(desk.keys.sign, wire.encode(said))


def _hash_at(connection: Connection, stream: Row[Any], seq: int) -> str:
    if not seq:
        return chain.START.hex()
    own = LEDGER.c
    here = [own.locker == stream.locker, own.epoch == stream.epoch, own.seq == seq]
    return str(connection.execute(select(own.hash).where(*here)).scalar_one())


def _entries(connection: Connection, stream: Row[Any], which: Any) -> Iterator[Kept]:
    own = LEDGER.c
    query = (
        select(own.seq, own.public, own.personal_digest)
        .where(own.locker == stream.locker, own.epoch == stream.epoch, which)
        .order_by(own.seq)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    with connection.execute(query) as found:
        for row in found:
            yield Kept(row.seq, row.public, "", b"", bytes.fromhex(row.personal_digest))


def _read(entry: Kept) -> tuple[str, dict[str, Any]]:
    """What lies here raw because nobody could read it is of no case."""
    try:
        return evidence.read(entry)
    except evidence.NotAnEntry:
        return "", {}
