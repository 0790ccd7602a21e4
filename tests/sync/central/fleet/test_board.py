"""The fleet at a glance: what it tells, and which rows it tells again."""

from collections.abc import Sequence
from functools import partial

import pytest

from locker.domain.deposit import Proof
from locker.domain.events import CompartmentBlocked, CompartmentDoubted, CompartmentFaulted, SubmissionTaken
from locker.domain.ids import CompartmentNumber, StaffId
from sync.central import queries
from sync.central.access.actor import Role, person
from sync.central.alarms import Trouble, raise_alarm
from sync.central.desk import Refusal, Refused
from sync.central.fleet import alarms, sites
from sync.central.fleet.board import Board, Glance, Room
from sync.central.tables import LOCKER
from tests.sync.central.conftest import Parts
from tests.sync.central.test_ledger import BIRTH, CABINET, STAY, VISIT

OPERATOR = person("Zhao", [Role.FLEET_OPERATOR], ["north"])
STRANGER = person("Qian", [Role.FLEET_OPERATOR], ["south"])
TROUBLE = Trouble("door_forced", "2", "door 2")


def refreshed(board: Board, parts: Parts) -> list[Glance]:
    return parts.store.read_now(lambda c: board.refresh(c, parts.clock.now_ms))


def heard(parts: Parts, *, online: bool = True) -> None:
    now_ms = parts.clock.now_ms
    values = {
        "last_heard_ms": now_ms,
        "online": online,
        "epoch": parts.locker.epoch,
        "head": parts.locker.head,
    }
    parts.store.write_now(lambda c: c.execute(LOCKER.update().values(values)))


def raised(parts: Parts) -> int:
    parts.store.write_now(lambda c: raise_alarm(c, "hall-1", TROUBLE, parts.clock.now_ms))
    return int(parts.store.read_now(lambda c: alarms.listed(c, OPERATOR, seen=True))[0].number)


def test_a_row_tells_what_the_locker_s_own_page_tells(parts: Parts) -> None:
    doubt = CompartmentDoubted(CompartmentNumber(2), "cancelled")
    parts.locker.add(BIRTH, CABINET, *VISIT, doubt)
    parts.ingest()
    heard(parts)
    board = Board()
    (row,) = refreshed(board, parts)
    view = parts.store.read_now(lambda c: queries.overview(c, "hall-1", parts.clock.now_ms))
    told = {
        size: {"doors": r.doors, "used": r.used, "broken": r.broken, "vacant": r.free}
        for size, r in row.rooms.items()
    }
    assert told == view.room()
    assert row.room.used == 2
    assert (row.presence, row.unsynced, row.area, row.alarms) == ("online", 0, "north", 0)


@pytest.mark.parametrize(
    ("event", "room"),
    [
        (CompartmentFaulted(CompartmentNumber(2), "stuck"), (1, 1)),
        (CompartmentBlocked(CompartmentNumber(2), "wet", StaffId("t")), (1, 1)),
        # Broken goes first: what lies behind it cannot be reached by a person with a code either.
        (CompartmentFaulted(CompartmentNumber(1), "stuck"), (0, 1)),
    ],
)
def test_broken_doors_are_not_room(parts: Parts, event: object, room: tuple[int, int]) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT, event)  # type: ignore[arg-type]
    parts.ingest()
    (row,) = refreshed(Board(), parts)
    assert (row.room.used, row.room.broken) == room


def test_only_what_changed_is_told_again(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    heard(parts)
    board = Board()
    assert len(refreshed(board, parts)) == 1
    assert refreshed(board, parts) == []
    parts.locker.add(SubmissionTaken(STAY, StaffId("h"), Proof.SENSED, "complete"))
    parts.ingest(parts.locker.head)
    (row,) = refreshed(board, parts)
    assert row.room.used == 0
    parts.clock.now_ms += 200_000
    (row,) = refreshed(board, parts)
    assert row.presence == "stale"


def test_an_alarm_is_open_until_somebody_takes_note_and_opens_when_it_comes_again(parts: Parts) -> None:
    board = Board()
    refreshed(board, parts)
    number = raised(parts)
    (row,) = refreshed(board, parts)
    assert (row.alarms, row.latest_alarm) == (1, "door_forced")
    now_ms = parts.clock.now_ms
    parts.store.write_now(lambda c: alarms.acknowledge(c, OPERATOR, number, "a child", now_ms))
    (row,) = refreshed(board, parts)
    assert (row.alarms, row.latest_alarm) == (0, "")
    assert not parts.store.read_now(lambda c: alarms.listed(c, OPERATOR, seen=False))
    raised(parts)
    (row,) = refreshed(board, parts)
    assert row.alarms == 1
    (listed,) = parts.store.read_now(lambda c: alarms.listed(c, OPERATOR, seen=False))
    assert (listed.times, listed.who, listed.note) == (2, "person:Zhao", "a child")


def test_an_alarm_of_another_area_does_not_exist(parts: Parts) -> None:
    number = raised(parts)
    now_ms = parts.clock.now_ms
    assert not parts.store.read_now(lambda c: alarms.listed(c, STRANGER, seen=True))
    for asked in (number, number + 1):
        act = partial(alarms.acknowledge, actor=STRANGER, number=asked, note="", now_ms=now_ms)
        with pytest.raises(Refused) as refused:
            parts.store.write_now(act)
        assert (refused.value.reason, refused.value.detail) == (Refusal.UNKNOWN_ALARM, "no such alarm")


# --- places ------------------------------------------------------------------------------------------------


def glance(name: str, used: int, *, area: str = "north", presence: str = "online") -> Glance:
    rooms = {"M": Room(10, used, 0)}
    return Glance(name, area, presence, 0, rooms, 0, "", 0, 0, "ntp", 1, "", "")


def known(*names: str) -> dict[str, sites.Place]:
    """One after the other along a meridian, a hundredth of a degree apart."""
    points = [sites.Point(30 + n / 100, 120.0) for n in range(len(names))]
    return {name: sites.Place(name, name, "", point) for name, point in zip(names, points, strict=True)}


def names(found: Sequence[sites.Near]) -> list[str]:
    return [each.place.locker for each in found]


def test_distances_are_those_of_the_earth() -> None:
    """Shanghai to Hangzhou, city centres: 164 km by any great-circle table."""
    metres = sites.Point(31.2304, 121.4737).metres_to(sites.Point(30.2741, 120.1551))
    assert metres == pytest.approx(164_500, rel=0.01)
    assert sites.Point(0, 0).metres_to(sites.Point(0, 180)) == pytest.approx(
        3.14159 * sites.EARTH_M, rel=1e-4
    )


def test_near_is_who_is_in_service_and_has_room() -> None:
    fleet = [
        glance("a", 0),
        glance("b", 10),
        glance("c", 9),
        glance("d", 0, presence="stale"),
        glance("e", 0),
    ]
    found = sites.near(sites.Point(30.0, 120.0), fleet, known("d", "b", "c", "a"), size="M")
    assert names(found) == ["c", "a"]
    assert [each.free for each in found] == [1, 10]
    assert not sites.near(sites.Point(30.0, 120.0), fleet, known("a"), size="L")


def test_the_fullest_are_emptied_first_and_people_sent_to_the_nearest_with_room() -> None:
    fleet = [glance("a", 8), glance("b", 10), glance("c", 2), glance("d", 1, area="south"), glance("e", 7)]
    found = sites.full(fleet, known("b", "d", "e", "c"))
    assert [each.glance.locker for each in found] == ["b", "a"]
    assert found[0].instead is not None
    assert found[0].instead.place.locker == "e"
    assert found[1].instead is None
