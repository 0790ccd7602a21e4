"""What the control socket says of a door's last opening: what the journal told, in its order."""

import pytest

from locker.commands.bus import LastOpenings, Seen
from locker.domain.door import Presence
from locker.domain.entry import Entry, Stamp
from locker.domain.events import DoorClosed, DoorForced, DoorOpened, DoorStuck, Event, OpeningRequested
from locker.domain.ids import CompartmentNumber, DepositId, GrantId, Seq, StaffId
from locker.domain.opening import Purpose
from locker.domain.state import LockerState

DOOR, GRANT = CompartmentNumber(3), GrantId("g")
ASKED = OpeningRequested(GRANT, DOOR, Purpose.SERVICE, DepositId(""), StaffId("t"), 1)
OPENED = DoorOpened(DOOR, GRANT)
CLOSED = DoorClosed(DOOR, GRANT, Presence.UNKNOWN)


def seen(*events: Event) -> Seen | None:
    """After these, 100 ms apart from 1000 on."""
    openings = LastOpenings()
    for n, event in enumerate(events):
        stamp = Stamp(1, 1_000 + 100 * n, 5_000 + 100 * n, "ntp")
        entry = Entry(Seq(n + 1), stamp, "test", event, "", "", b"", b"")
        openings.entries_committed(LockerState(), (entry,))
    return openings.seen.get(DOOR)


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ((), None),
        # Before the daemon started, or of nobody's doing: there is nothing to measure from.
        ((OPENED, CLOSED), None),
        ((ASKED,), Seen(1_000, 5_000)),
        ((ASKED, OPENED), Seen(1_000, 5_000, 1_100)),
        ((ASKED, OPENED, CLOSED), Seen(1_000, 5_000, 1_100, 1_200)),
        ((ASKED, DoorStuck(DOOR, GRANT)), Seen(1_000, 5_000, how="stuck")),
        ((DoorForced(DOOR), CLOSED), Seen(1_000, 5_000, 1_000, 1_100, "forced")),
        # A new one makes the old one forgotten.
        ((ASKED, OPENED, CLOSED, ASKED), Seen(1_300, 5_300)),
    ],
)
def test_the_last_opening_is_as_the_journal_told_it(events: tuple[Event, ...], wanted: Seen | None) -> None:
    assert seen(*events) == wanted
