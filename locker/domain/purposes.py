"""What a name is kept for here, and when that ended. Wall milliseconds; 0: it has not, or nobody can say."""

from collections.abc import Iterator, Sequence
from typing import Final

from locker.domain.codes import Authorisation
from locker.domain.deposit import Deposit
from locker.domain.ids import ItemId, Seq
from locker.domain.state import AnnouncedItem, LockerState

NEVER: Final = 0


def right_ended_ms(s: LockerState, right: Authorisation) -> int:
    """A right's purpose ends with what was handed in by it; unused, when it is revoked or runs out."""
    deposit = s.deposits.get(right.deposit)
    if deposit is not None:
        return deposit.since_ms if deposit.ended else NEVER
    return right.ended_ms if right.ended else right.valid_until_ms


def item_ended_ms(s: LockerState, item: AnnouncedItem) -> int:
    """An item's ends when it has left the locker, or was called back before it lay in one."""
    return _ended_ms(item, [each for each in s.deposits.values() if each.item == item.item])


def _ended_ms(item: AnnouncedItem, stays: Sequence[Deposit]) -> int:
    if any(not each.ended for each in stays):
        return NEVER
    return max((each.since_ms for each in stays), default=item.recalled_ms)


def ended(s: LockerState) -> Iterator[tuple[int, Seq]]:
    """When, and in which entry, of every name in the journal whose purpose has an end, past or to come."""
    for each in s.named.ended:
        yield each.at_ms, each.seq
    for right in s.authorisations.values():
        yield right_ended_ms(s, right), right.seq
    stays: dict[ItemId, list[Deposit]] = {}
    for deposit in s.deposits.values():
        stays.setdefault(deposit.item, []).append(deposit)
    for item in s.items.values():
        yield _ended_ms(item, stays.get(item.item, ())), item.seq
    for staff in s.staff.values():
        yield staff.until_ms, staff.seq
    for agent in s.entrustments.known:
        yield agent.valid_until_ms, agent.seq
