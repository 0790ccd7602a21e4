"""What the centre remembers of a locker, said to one whose journal cannot: after a fork, or on a new disk.

Said as state entries, with everything that is still valid. It ends rights and codes that
ended in what was lost, and gives back deposits and codes that were lost; it never ends what the locker holds
and nobody revoked.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, or_, select

from locker.domain import chain
from locker.domain.deposit import ENDED, Kind, Phase
from locker.domain.directives import StateEntry
from locker.domain.events import (
    AuthorisationRevoked,
    CodeReported,
    CodeRestored,
    DepositReported,
    DepositRestored,
    HistoryConfirmed,
    HistoryRestored,
    ItemRecalled,
    PickupCodeMade,
    StaffRevoked,
)
from locker.domain.ids import (
    AuthorisationId,
    CaseNumber,
    CodeId,
    CompartmentNumber,
    DepositId,
    EntrustmentId,
    Epoch,
    ItemId,
    StaffId,
)
from sync.central import directives, store
from sync.central.desk import Refusal, Refused
from sync.central.ledger import current_epoch
from sync.central.platform import Chance
from sync.central.staff import TAKEN_AWAY
from sync.central.tables import (
    AUTHORISATION,
    DEPOSIT,
    LEDGER,
    OUTGOING_ITEM,
    PICKUP_CODE,
    STAFF_GRANT,
    STREAM,
)

_REMEMBERED_MS: Final = 30 * 86_400_000
"""So long after its end a signed token may still be honoured, by a clock that nobody trusts."""
_ENDED: Final = tuple(phase.value for phase in ENDED)
_GONE: Final = ("recalled", "collected")


def in_force(connection: Connection, locker: str) -> tuple[str, int, str]:
    """The latest epoch of a locker, how far it is stored, and the hash there."""
    row = store.find(connection, STREAM, {"locker": locker, "epoch": current_epoch(connection, locker)})
    return (row.epoch, row.stored_to, row.hash) if row else ("", 0, chain.START.hex())


def say_to_new_disk(connection: Connection, locker: str, epoch: str, chance: Chance, now_ms: int) -> None:
    """Number the down-log anew; see `say`."""
    directives.begin(connection, locker, chance)
    say(connection, locker, epoch, now_ms)


def say(connection: Connection, locker: str, epoch: str, now_ms: int) -> None:
    """All that is valid, what ended, what lies where, and that this is all: behind what was said before."""
    for says in (
        *directives.still_valid(connection, locker, now_ms),
        *_memory(connection, locker, epoch, now_ms),
        HistoryRestored(Epoch(epoch)),
    ):
        directives.append(connection, locker, says, now_ms)


def confirm(connection: Connection, locker: str, epoch: str, by: str, now_ms: int) -> None:
    """Somebody has seen that the card with this epoch is the true one: acts go on. Raises Refused."""
    current, _, _ = in_force(connection, locker)
    if epoch != current:
        raise Refused(
            Refusal.UNFIT, f"{epoch[:8]} is not in force at {locker}: look again which card is there"
        )
    directives.append(connection, locker, HistoryConfirmed(Epoch(epoch), by), now_ms)


def _memory(connection: Connection, locker: str, epoch: str, now_ms: int) -> Iterator[StateEntry]:
    yield from _staff_gone(connection, locker)
    yield from _rights(connection, locker, now_ms)
    yield from _items_gone(connection, locker, now_ms)
    deposits = list(_deposits(connection, locker, epoch))
    yield from deposits
    yield from _codes(connection, locker, {each.deposit for each in deposits})


def _staff_gone(connection: Connection, locker: str) -> Iterator[StaffRevoked]:
    own = STAFF_GRANT.c
    query = select(own.staff).where(own.locker == locker, own.until_ms == TAKEN_AWAY).order_by(own.staff)
    for staff in connection.execute(query).scalars():
        yield StaffRevoked(StaffId(staff))


def _rights(connection: Connection, locker: str, now_ms: int) -> Iterator[StateEntry]:
    """Those of what lies there, and those that ended here; an end with the right itself, or it would not be
    remembered against its token."""
    own, stay = AUTHORISATION.c, DEPOSIT.c
    lying = select(stay.authorisation).where(stay.locker == locker, stay.phase.not_in(_ENDED))
    known = select(stay.authorisation).where(stay.locker == locker)
    query = select(own.authorisation, own.ended, own.directive).order_by(own.made_ms)
    for text in connection.execute(query.where(own.authorisation.in_(lying))):
        yield directives.read_one(text.directive)
    here = or_(own.locker == locker, own.authorisation.in_(known))
    ended = [here, own.authorisation.not_in(lying), own.ended != ""]
    for row in connection.execute(query.where(*ended, own.valid_until_ms > now_ms - _REMEMBERED_MS)):
        yield directives.read_one(row.directive)
        yield AuthorisationRevoked(AuthorisationId(row.authorisation), row.ended)


def _items_gone(connection: Connection, locker: str, now_ms: int) -> Iterator[StateEntry]:
    item = OUTGOING_ITEM.c
    gone = [item.locker == locker, item.state.in_(_GONE), item.valid_until_ms > now_ms - _REMEMBERED_MS]
    query = select(item.item, item.state, item.directive).where(*gone).order_by(item.made_ms)
    for row in connection.execute(query):
        yield directives.read_one(row.directive)
        yield ItemRecalled(ItemId(row.item), row.state)


def _deposits(connection: Connection, locker: str, epoch: str) -> Iterator[DepositRestored]:
    """What lies there by our knowledge, and what does not any more although the locker thinks so."""
    believed = {says["deposit"] for says in _told(connection, locker, DepositReported.__name__, epoch)}
    own = DEPOSIT.c
    query = select(DEPOSIT).where(own.locker == locker).order_by(own.since_ms, own.deposit)
    living = connection.execute(query.where(own.phase.not_in(_ENDED))).all()
    over = connection.execute(query.where(own.phase.in_(_ENDED), own.deposit.in_(believed))).all()
    for row in (*living, *over):
        yield DepositRestored(
            DepositId(row.deposit),
            Kind(row.kind),
            CompartmentNumber(row.door),
            CaseNumber(row.case_number),
            AuthorisationId(row.authorisation),
            ItemId(row.item),
            Phase(row.phase),
            row.since_ms,
            row.receipt,
        )


def _codes(connection: Connection, locker: str, deposits: set[DepositId]) -> Iterator[CodeRestored]:
    """The codes of these deposits; their digests stand in the entries that made or told them."""
    own = PICKUP_CODE.c
    found = connection.execute(select(own.code, own.deposit, own.ended).where(own.locker == locker)).all()
    wanted = {row.code: row for row in found if row.deposit in deposits}
    made: dict[str, Mapping[str, Any]] = {}
    heard = _told(connection, locker, PickupCodeMade.__name__)
    for says in (*heard, *_told(connection, locker, CodeReported.__name__)):
        if says["code"] in wanted:
            made[says["code"]] = says
    over = _superseded(heard)
    for code, says in made.items():
        row = wanted[code]
        yield CodeRestored(
            CodeId(code),
            DepositId(row.deposit),
            says["locator"],
            says["typed_digest"],
            says["scan_digest"],
            row.ended or ("reissued" if code in over else ""),
            EntrustmentId(says.get("entrustment", "")),
        )


def _superseded(made: Iterable[Mapping[str, Any]]) -> set[str]:
    """Codes that gave way to a later one in the same hands, of which we have the seal, oldest first."""
    over: set[str] = set()
    held: dict[tuple[str, str], list[str]] = {}
    for says in made:
        before = held.setdefault((says["deposit"], says.get("entrustment", "")), [])
        if says.get("order"):
            over |= set(before)
        before.append(says["code"])
    return over


def _told(connection: Connection, locker: str, kind: str, epoch: str = "") -> Iterable[Mapping[str, Any]]:
    """The data of the locker's entries of one kind, oldest first; of one epoch, or of all."""
    own = LEDGER.c
    where = [own.locker == locker, own.kind == kind, own.problem == ""]
    if epoch:
        where.append(own.epoch == epoch)
    query = select(own.public).where(*where).order_by(own.received_ms, own.seq)
    return [json.loads(text)["data"] for text in connection.execute(query).scalars()]
