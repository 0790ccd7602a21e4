"""What became of orders of new codes, of entrustments, and of what was extended."""

from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.sql.dml import UpdateBase

from locker.domain import events as ev
from sync.central import store
from sync.central import tables as t
from sync.central.bulk import BIG, TEXT, Change
from sync.central.pickups.said import Order, kept
from sync.central.pickups.tables import ENTRUSTMENT, REISSUE
from sync.central.project import rows
from sync.central.project.rows import Apply, Place


def made(at: Place, e: ev.PickupCodeMade) -> None:
    """A code that answers an order."""
    if e.order:
        _answer(at, e.order, Order.MADE)


def told(at: Place, e: ev.DirectiveApplied) -> None:
    """An order that the locker did not obey; which one it was stands in the entry of its number."""
    word, _, _ = e.outcome.partition(":")
    if word not in {Order.VOID.value, Order.REFUSED.value}:
        return
    keys: dict[str, str | int] = {"locker": at.locker, "dn_epoch": e.dn_epoch, "seq": e.dn_seq}
    row = store.find(at.connection, t.DIRECTIVE, keys)
    says = kept(row.text) if row else None
    if isinstance(says, ev.CodeReissueOrdered):
        _answer(at, says.order, Order(word))


def _answer(at: Place, order: str, state: Order) -> None:
    values = {"of_order": order, "of_locker": at.locker, "as_state": state.value, "at_ms": at.now_ms}
    at.sheet.later(_ANSWERED, values)


def _entrusted(at: Place, e: ev.AgentEntrusted) -> None:
    at.sheet.later(_KNOWN, {"of_agent": e.entrustment, "of_locker": at.locker, "at_ms": at.now_ms})


def _held_longer(at: Place, e: ev.HoldExtended) -> None:
    item = at.sheet.find(t.OUTGOING_ITEM, {"item": e.item})
    if item is None:
        return
    own = t.DEPOSIT.c
    stays = select(own.deposit).where(own.case_number == item.case_number, own.item == e.item)
    for stay in at.connection.execute(stays.where(own.locker == at.locker)).scalars().all():
        rows.change(at, t.DEPOSIT, {"deposit": stay}, overdue=False)


def _answered(told: Any) -> UpdateBase:
    own = REISSUE.c
    open_ = [own.order_name == told.of_order, own.locker == told.of_locker, own.state == Order.ORDERED.value]
    return REISSUE.update().where(*open_).values(state=told.as_state, told_ms=told.at_ms)


def _known(told: Any) -> UpdateBase:
    own = ENTRUSTMENT.c
    unknown = [own.entrustment == told.of_agent, own.locker == told.of_locker, own.known_ms == 0]
    return ENTRUSTMENT.update().where(*unknown).values(known_ms=told.at_ms)


_ANSWERED: Final = Change(_answered, ["of_order"], of_order=TEXT, of_locker=TEXT, as_state=TEXT, at_ms=BIG)
_KNOWN: Final = Change(_known, ["of_agent"], of_agent=TEXT, of_locker=TEXT, at_ms=BIG)

APPLY: Final[Apply] = MappingProxyType({ev.AgentEntrusted: _entrusted, ev.HoldExtended: _held_longer})
