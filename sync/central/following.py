"""What follows from the entries of lockers, in their own transaction, by their types: from most nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from locker.domain.events import CodeAskedFor, Event, HistoryReported, SubmissionDeposited, TicketOpened
from sync.central import elsewhere, histories, notices
from sync.central.complaints import heard
from sync.central.complaints import register as complaints
from sync.central.desk import Desk
from sync.central.ledger import Applied
from sync.central.personal import lost


class Following:
    """Of one transaction."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told: set[str] = set()
        self._awaiting: set[tuple[str, str]] = set()

    def of(self, kind: type[Event]) -> Sequence[Callable[[Applied], None]]:
        return [partial(each, self) for each in _FOLLOW.get(kind, ())]

    def finish(self, connection: Connection, now_ms: int) -> set[str]:
        """When all is stored; the lockers that have something new to hear."""
        for locker, epoch in sorted(self._awaiting):
            histories.say(connection, locker, epoch, now_ms)
        return self._told | {locker for locker, _ in self._awaiting}

    def notices(self, applied: Applied) -> None:
        notices.follow(applied)

    def elsewhere(self, applied: Applied) -> None:
        if told := elsewhere.follow(applied):
            self._told.add(told)

    def complaints(self, applied: Applied) -> None:
        complaints.follow(applied, self._desk)

    def heard(self, applied: Applied) -> None:
        heard.follow(applied, self._desk)

    def lost(self, applied: Applied) -> None:
        lost.follow(applied)

    def history(self, applied: Applied) -> None:
        self._awaiting.add((applied.place.locker, applied.place.epoch))


Follow = Callable[[Following, Applied], None]


def _by_type(*told: tuple[Iterable[type[Any]], Follow]) -> Mapping[type[Any], Sequence[Follow]]:
    found: dict[type[Any], list[Follow]] = {}
    for kinds, follow in told:
        for kind in kinds:
            found.setdefault(kind, []).append(follow)
    return found


_FOLLOW: Final = _by_type(
    (notices.FROM, Following.notices),
    ([SubmissionDeposited], Following.elsewhere),
    ([TicketOpened], Following.complaints),
    (heard.FROM, Following.heard),
    ([CodeAskedFor], Following.lost),
    ([HistoryReported], Following.history),
)
