"""Every kind of board in a cabinet of its own: its orders open its doors, and its status tells them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.boards import Twist
from hw_sim.boards.profiles import PROFILES, Options
from tests.hw_sim.speaking import SPEECH, modbus, summed, xored
from tests.hw_sim.wired import Bench, Wired, cabinet_of

pytestmark = pytest.mark.parametrize("profile", PROFILES)
ADDRESS = {name: 0 if kind.lowest == 0 else 1 for name, kind in PROFILES.items()}
# These answer no order: whether a door opened is asked for.
SILENT = {"kerong-cu16", "kerong-cu48"}
# These know no pulse: on until told otherwise.
UNENDING = {"fc05-8", "fc05-4"}


def shut_doors(wired: Wired, profile: str) -> list[bool]:
    """Of every compartment, as its board tells."""
    reply = wired.ask(SPEECH[profile].status(ADDRESS[profile]))
    levels = SPEECH[profile].states(reply)[: len(wired.cabinet.numbers)]
    closed = wired.layout.board(wired.layout.compartments[0].door).closed_level
    return [level is closed for level in levels]


def opened(wired: Wired, profile: str, lock: int) -> bytes:
    return wired.ask(SPEECH[profile].open(ADDRESS[profile], lock))


def test_the_last_lock_opens_and_its_own_sensor_tells(profile: str) -> None:
    wired = cabinet_of(profile)
    last = wired.cabinet.numbers[-1]
    assert shut_doors(wired, profile) == [True] * last

    request = SPEECH[profile].open(ADDRESS[profile], last)
    assert bool(wired.ask(request)) is (profile not in SILENT)
    wired.run(1.0)
    assert shut_doors(wired, profile) == [True] * (last - 1) + [False]
    (pulse,) = wired.pulses
    assert (pulse.compartment, pulse.order.channel, pulse.order.frame) == (last, last, request)
    assert wired.opened() == [last]


def test_a_lock_that_is_not_there_opens_nothing(profile: str) -> None:
    if profile == "kerong-cu16":
        return  # 16 locks in a nibble: there is no seventeenth to ask for
    wired = cabinet_of(profile)
    opened(wired, profile, len(wired.cabinet.numbers) + 1)
    wired.run(2)
    assert wired.pulses == []


def test_a_held_door_stays_shut_and_says_so(profile: str) -> None:
    wired = cabinet_of(profile)
    wired.do(1, "hold")
    opened(wired, profile, 1)
    wired.run(2)
    if profile not in UNENDING:
        wired.do(1, "release")
        assert wired.opened() == []
        assert all(shut_doors(wired, profile))
    assert len(wired.pulses) == 1


def test_every_single_wrong_byte_is_refused(profile: str) -> None:
    wired = cabinet_of(profile)
    request = SPEECH[profile].open(ADDRESS[profile], 1)
    if profile.startswith("winnsen"):
        return  # no checksum: what such a frame says is done
    for place in range(len(request)):
        for flip in (0x01, 0x80, 0xFF):
            mutant = bytearray(request)
            mutant[place] ^= flip
            assert wired.ask(bytes(mutant), patience_s=0.05) == b""
    assert wired.pulses == []


def test_a_turned_input_and_a_stuck_one(profile: str) -> None:
    wired = cabinet_of(profile)
    door = wired.layout.compartments[0].door
    count = len(wired.cabinet.numbers)
    wired.break_it({"inverted": [door.board]})
    assert shut_doors(wired, profile) == [False] * count
    wired.break_it({"inverted": [], "stuck_0": [f"{door.board}/1"], "stuck_1": [f"{door.board}/2"]})
    wired.do(1, "pry")
    wired.do(2, "pry")
    closed = wired.layout.board(door).closed_level
    assert shut_doors(wired, profile)[:3] == [not closed, closed, True]
    wired.break_it({"stuck_0": [], "stuck_1": []})
    assert shut_doors(wired, profile)[:3] == [False, False, True]


def test_status_in_the_wrong_order(profile: str) -> None:
    wired = cabinet_of(profile)
    wired.do(1, "pry")
    right = shut_doors(wired, profile)
    wired.break_it({"reordered": [wired.layout.compartments[0].door.board]})
    assert shut_doors(wired, profile) != right


def test_a_relay_that_stays_on(profile: str) -> None:
    wired = cabinet_of(profile)
    lock = wired.layout.compartments[0].lock
    for fault in ("welded", "stuck_on"):
        wired.break_it({fault: [f"{lock.board}/{lock.channel}"]})
        opened(wired, profile, 1)
        wired.run(5)
        wired.do(1, "shut")
        wired.run(0.5)
        assert wired.opened() == [1], "under power the latch does not hook in"
        assert wired.cabinet.thing(1).coil_hot
        wired.break_it({fault: []})
        wired.run(0.1)
        if profile not in UNENDING:
            wired.do(1, "shut")
            wired.run(0.5)
            assert wired.opened() == []


@pytest.mark.parametrize("twist", Twist)
def test_replies_that_are_whole_and_wrong(profile: str, twist: Twist) -> None:
    good, bad = cabinet_of(profile), cabinet_of(profile)
    bad.break_it({twist: [0, 1, 2]})
    if twist is Twist.ECHO:
        right, wrong = opened(good, profile, 1), opened(bad, profile, 1)
        if profile in SILENT:
            assert right == wrong == b""
            return
    else:
        status = SPEECH[profile].status(ADDRESS[profile])
        right, wrong = good.ask(status), bad.ask(status)
    assert len(wrong) == len(right)
    assert wrong != right
    assert sum(theirs != ours for theirs, ours in zip(wrong, right, strict=True)) <= 3  # one and the checksum


def test_garbage_before_each_reply_and_a_dead_board(profile: str) -> None:
    wired = cabinet_of(profile)
    board = wired.layout.compartments[0].door.board
    status = SPEECH[profile].status(ADDRESS[profile])
    good = wired.ask(status)
    wired.break_it({"garbage": [board]})
    assert wired.ask(status) == bytes.fromhex("FA FD 99 99") + good
    wired.break_it({"garbage": [], "dead": [board]})
    assert wired.ask(status) == b""


@settings(max_examples=25)
@given(st.lists(st.binary(max_size=12), max_size=8))
def test_whatever_comes_no_board_falls_over(profile: str, bodies: list[bytes]) -> None:
    """Frames that are whole, with anything in them: the board answers, or it does not."""
    bench = Bench([False] * 64)
    board = PROFILES[profile].build(Options(ADDRESS[profile]), bench.inputs, bench)
    for body in bodies:
        for frame in whole_frames(profile, body):
            board.answer(frame, board.next_ms() or 0)
            board.advance(0)
            board.said()


def whole_frames(profile: str, body: bytes) -> list[bytes]:
    """The body with what each family wants around it."""
    address = ADDRESS[profile]
    return [
        modbus(f"{address:02x} {body.hex()}"),
        xored(f"8a {address:02x} {body.hex()}"),
        xored(f"80 {address:02x} {body.hex()}"),
        xored(f"57 4b 4c 59 {len(body) + 7:02x} {address:02x} {body.hex()}"),
        summed(f"02 {address << 4:02x} {body.hex()} 03"),
        bytes([0x90, len(body) + 3]) + body + b"\x03",
        body,
    ]
