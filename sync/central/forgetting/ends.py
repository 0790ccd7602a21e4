"""When a case has ended, as far as the centre can know: then nobody has to be told anything any more."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, select

from locker.domain.deposit import ENDED, Phase
from sync.central.forgetting.settings import Personal
from sync.central.intake import stages
from sync.central.intake.tables import OWED, STANDING
from sync.central.onward import ways
from sync.central.onward.tables import ONWARD
from sync.central.pickups.tables import RECALL
from sync.central.tables import AUTHORISATION, DEPOSIT, OUTGOING_ITEM

_ENDED: Final = frozenset(phase.value for phase in ENDED)
_OWED_OVER: Final = frozenset({stages.State.CHECKED, stages.State.RETURNED, stages.State.REJECTED})
_REFUSED: Final = frozenset({stages.Standing.RETURNED, stages.Standing.REJECTED})
_COLLECTED: Final = "collected"
_ARRIVED: Final = frozenset({ways.State.HANDED_OUT, ways.State.DELIVERED})
_NOT_LOADED: Final = "announced"
_Rows = Mapping[str, Sequence[Row[Any]]]


def over(connection: Connection, cases: Collection[str], settings: Personal, now_ms: int) -> tuple[str, ...]:
    """Those of ``cases`` that ended so long ago that nothing personal in them is needed."""
    look = _Look(connection, cases, now_ms)
    return tuple(case for case in sorted(cases) if look.is_over(case, settings))


class _Look:
    """What lies here of some cases, read in one go."""

    def __init__(self, connection: Connection, cases: Collection[str], now_ms: int) -> None:
        self._now_ms = now_ms
        self._rights = _by_case(connection, AUTHORISATION, cases)
        self._items = _by_case(connection, OUTGOING_ITEM, cases)
        self._stays = _by_case(connection, DEPOSIT, cases)
        self._owed = _by_case(connection, OWED, cases)
        self._standings = _by_case(connection, STANDING, cases)
        items = [row.item for rows in self._items.values() for row in rows]
        self._onward = _by_item(connection, ONWARD, items)
        self._recalls = _by_item(connection, RECALL, items)

    def is_over(self, case: str, settings: Personal) -> bool:
        if self._lives(case):
            return False
        waited_ms = self._now_ms - max(self._moments(case), default=0)
        return waited_ms >= (settings.kept_ms if self._is_finished(case) else settings.unfinished_ms)

    def _lives(self, case: str) -> bool:
        """Whether somebody still waits for something here, or may still come."""
        return (
            any(stay.phase not in _ENDED for stay in self._stays[case])
            or any(row.valid_until_ms > self._now_ms and not row.ended for row in self._rights[case])
            or any(row.state not in _OWED_OVER for row in self._owed[case])
            or any(self._is_under_way(item) for item in self._items[case])
        )

    def _is_under_way(self, item: Row[Any]) -> bool:
        onward = self._onward.get(item.item)
        if onward is not None and onward.state != ways.State.NOWHERE:
            return onward.state not in _ARRIVED
        if item.state == _NOT_LOADED:
            return item.item not in self._recalls and item.valid_until_ms > self._now_ms
        return False

    def _is_finished(self, case: str) -> bool:
        """Whether it ended by what is known here; else nobody told us, and it is kept for longer."""
        if any(row.standing in _REFUSED for row in self._standings[case]):
            return True
        if not self._items[case]:
            return all(stay.phase != Phase.TAKEN_IN for stay in self._stays[case])
        return all(self._has_arrived(item) for item in self._items[case])

    def _has_arrived(self, item: Row[Any]) -> bool:
        called_back = item.state == _NOT_LOADED and item.item in self._recalls
        onward = self._onward.get(item.item)
        arrived = onward is not None and onward.state in _ARRIVED
        return item.state == _COLLECTED or arrived or called_back

    def _moments(self, case: str) -> Iterable[int]:
        for row in (*self._rights[case], *self._items[case]):
            yield row.made_ms
        for right in self._rights[case]:
            yield right.ended_ms or right.valid_until_ms
        for row in (*self._stays[case], *self._owed[case]):
            yield row.since_ms
        for row in self._standings[case]:
            yield row.at_ms
        for item in self._items[case]:
            for known in (self._onward.get(item.item), self._recalls.get(item.item)):
                if known is not None:
                    yield known.at_ms


def _by_case(
    connection: Connection, table: Table, cases: Collection[str]
) -> Mapping[str, Sequence[Row[Any]]]:
    found = defaultdict[str, list[Row[Any]]](list)
    for row in connection.execute(select(table).where(table.c.case_number.in_(sorted(cases)))):
        found[row.case_number].append(row)
    return found


def _by_item(connection: Connection, table: Table, items: Collection[str]) -> Mapping[str, Row[Any]]:
    query = select(table).where(table.c.item.in_(sorted(items)))
    return {row.item: row for row in connection.execute(query)}
