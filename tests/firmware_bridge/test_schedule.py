"""Whose turn it is, as a pure question."""

from firmware_bridge import boards
from firmware_bridge.happenings import Answer, Inquiry
from firmware_bridge.limits import OpeningLimits, Supply
from firmware_bridge.request import (
    Bits,
    Done,
    Fits,
    Identify,
    Pulse,
    ReadCoils,
    ReadDoors,
    Release,
)
from firmware_bridge.schedule import FRESH_S, NEVER_S, QUEUE_MAX, Schedule
from firmware_bridge.station import IDLE_S, Standing, Station
from locker.domain.ids import BoardId

LOCKS, TIMED, DOORS = BoardId("A/1"), BoardId("A/2"), BoardId("A/3")
KINDS = {LOCKS: "kerong-cu16", TIMED: "fc05-8", DOORS: "inputs-32"}
NOW_S = 100.0


def made(*wanted: BoardId) -> tuple[Schedule, dict[BoardId, Station]]:
    """Boards that serve, heard just now."""
    stations = {}
    for board in wanted or KINDS:
        profile = boards.load(KINDS[board])
        poll = ReadDoors(board, 1, profile.inputs.channels) if profile.inputs else None
        stations[board] = station = Station(board, int(board[-1]), profile, poll)
        station.standing = Standing.SERVING
        station.heard_at_s = NOW_S
        station.asked(Identify(board), NOW_S)
    return Schedule(stations, OpeningLimits(dict.fromkeys(stations, Supply()))), stations


def pulse(board: BoardId = LOCKS, channel: int = 1, deadline_s: float = NOW_S + 3) -> Pulse:
    return Pulse(board, channel, 500, deadline_s)


def inquiry() -> Inquiry:
    def done(_answer: Answer) -> None: ...

    return Inquiry(boards.load("inputs-32"), 9, Identify(DOORS), done)


def test_with_nothing_to_do_it_waits_for_the_next_poll() -> None:
    schedule, stations = made(DOORS)
    asking, from_s = schedule.turn(NOW_S, echo_known=True)
    assert asking == (stations[DOORS], stations[DOORS].poll)
    assert from_s == NOW_S + IDLE_S


def test_a_pulse_goes_before_a_poll_that_is_due() -> None:
    schedule, stations = made()
    later_s = NOW_S + 0.9
    waiting = pulse()
    assert schedule.add(waiting)
    assert schedule.turn(later_s, echo_known=True) == ((stations[LOCKS], waiting), later_s)


def test_the_end_of_a_pulse_goes_before_a_pulse() -> None:
    schedule, stations = made()
    stations[TIMED].asked(pulse(TIMED, 2), NOW_S)
    stations[LOCKS].heard_at_s = NOW_S + 0.5
    assert schedule.add(pulse())
    asking, _ = schedule.turn(NOW_S + 0.5, echo_known=True)
    assert asking == (stations[TIMED], Release(TIMED, 2))


def test_the_end_of_a_pulse_is_not_slept_through() -> None:
    schedule, stations = made(TIMED)
    stations[TIMED].asked(pulse(TIMED), NOW_S - 0.45)
    asking, from_s = schedule.turn(NOW_S, echo_known=True)
    assert asking == (stations[TIMED], Release(TIMED, 1))
    assert abs(from_s - (NOW_S + 0.05)) < 1e-9


def test_after_a_pulse_a_board_is_asked_for_its_relays_before_it_fires_again() -> None:
    schedule, stations = made(TIMED)
    station = stations[TIMED]
    station.asked(pulse(TIMED, 1), NOW_S)
    schedule.add(pulse(TIMED, 2))
    station.answered(Release(TIMED, 1), Done(), NOW_S + 0.52)
    asking, from_s = schedule.turn(NOW_S + 0.75, echo_known=True)
    assert (asking, from_s) == ((station, ReadCoils(TIMED)), NOW_S + 0.75)
    assert station.answered(ReadCoils(TIMED), Bits((False,) * 8), NOW_S + 0.78) == ()
    assert station.coils.rest


def test_a_board_not_heard_of_late_is_asked_what_it_is_before_its_pulse() -> None:
    schedule, stations = made(LOCKS)
    waiting = pulse()
    schedule.add(waiting)
    now = NOW_S + FRESH_S + 0.1
    asking, _ = schedule.turn(now, echo_known=True)
    assert asking == (stations[LOCKS], stations[LOCKS].poll)
    stations[LOCKS].answered(ReadDoors(LOCKS, 1, 32), Bits((True,) * 32), now)
    assert schedule.turn(now, echo_known=True) == ((stations[LOCKS], waiting), now)
    asking, _ = schedule.turn(now, echo_known=False)
    assert asking == (stations[LOCKS], stations[LOCKS].poll)


def test_questions_and_polls_take_turns_and_no_question_goes_while_a_pulse_waits() -> None:
    schedule, stations = made(DOORS, LOCKS)
    for station in stations.values():
        station.attend(NEVER_S, NOW_S)
    for _ in range(3):
        assert schedule.add_inquiry(inquiry())
    kinds = []
    for n in range(6):
        asking, _ = schedule.turn(NOW_S + n, echo_known=True)
        assert asking is not None
        assert schedule.take(asking, NOW_S + n)
        kinds.append(isinstance(asking, Inquiry))
    assert kinds == [True, False] * 3
    schedule.add_inquiry(inquiry())
    schedule.add(pulse(deadline_s=NOW_S + 20))
    for station in stations.values():
        station.heard_at_s = NOW_S + 6
    asking, _ = schedule.turn(NOW_S + 6, echo_known=True)
    assert not isinstance(asking, Inquiry)


def test_a_pulse_that_waits_for_its_supply_lets_polls_pass() -> None:
    schedule, stations = made(LOCKS)
    schedule.add(first := pulse())
    schedule.add(pulse(channel=2))
    assert schedule.take((stations[LOCKS], first), NOW_S)
    asking, from_s = schedule.turn(NOW_S + 0.5, echo_known=True)
    assert asking == (stations[LOCKS], stations[LOCKS].poll)
    assert from_s == NOW_S + 0.5


def test_reasons_against_a_pulse() -> None:
    schedule, stations = made()
    late, locked_out, lost, good = pulse(deadline_s=NOW_S), pulse(TIMED), pulse(DOORS), pulse()
    for each in (late, locked_out, lost, good):
        schedule.add(each)
    stations[TIMED].unfit("strange", NOW_S)
    assert list(schedule.hopeless(NOW_S)) == [
        (late, "late"),
        (locked_out, "board_locked_out"),
        (lost, "board_lost"),
    ]
    assert schedule.deadline_s == good.deadline_s
    assert list(schedule.cleared()) == [good]
    assert schedule.deadline_s == NEVER_S


def test_only_so_many_wait() -> None:
    schedule, _ = made()
    assert all(schedule.add(pulse()) for _ in range(QUEUE_MAX))
    assert not schedule.add(pulse())


def test_without_boards_there_are_questions_only() -> None:
    schedule = Schedule({}, OpeningLimits({}))
    assert schedule.turn(NOW_S, echo_known=False) == (None, NEVER_S)
    waiting = inquiry()
    schedule.add_inquiry(waiting)
    assert schedule.turn(NOW_S, echo_known=False) == (waiting, NOW_S)


def test_a_board_that_starts_is_asked_what_it_is() -> None:
    schedule, stations = made(LOCKS)
    stations[LOCKS].give_up("silence", NOW_S)
    asking, from_s = schedule.turn(NOW_S, echo_known=True)
    assert asking == (stations[LOCKS], Identify(LOCKS))
    assert from_s > NOW_S
    stations[LOCKS].answered(Identify(LOCKS), Fits(), NOW_S + 1)
    assert stations[LOCKS].standing is Standing.SERVING
