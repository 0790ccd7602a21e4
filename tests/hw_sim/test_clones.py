"""Modbus boards that look like others: what differs, value by value."""

import pytest

from hw_sim.boards import Ailments, Board
from hw_sim.boards.profiles import PROFILES, Options
from tests.hw_sim.speaking import modbus
from tests.hw_sim.wired import Bench

BROADCAST_ADDRESS_9 = modbus("00 10 0000 0001 02 0009")


def board(profile: str, bench: Bench) -> Board:
    return PROFILES[profile].build(Options(1), bench.inputs, bench)


def answer(profile: str, body: str, bench: Bench | None = None) -> str:
    """What a fresh board replies, without its checksum."""
    reply = board(profile, bench or Bench([False] * 48)).answer(modbus(body), 0)
    return "" if reply is None else reply[:-2].hex(" ")


@pytest.mark.parametrize(
    ("profile", "body", "reply"),
    [
        # The time of a pulse lies in the other byte: what is right for one is a hazard for the other.
        ("relay8-high", "01 05 0200 0700", "01 05 02 00 07 00"),
        ("relay8-high", "01 05 0200 0007", "01 85 03"),
        ("relay8-high", "01 05 0208 0700", "01 85 02"),
        ("relay8-high", "01 05 0000 1234", "01 85 03"),
        ("relay8-high", "01 05 00ff 0000", "01 05 00 ff 00 00"),
        ("relay8-high", "01 06 0000 0000", "01 86 03"),
        ("relay8-high", "01 03 0001 0001", "01 83 02"),
        ("relay8-high", "00 03 0000 0001", "00 03 02 00 01"),
        ("relay8-high", "00 05 0000 ff00", ""),
        ("fc05-8", "01 05 0200 0007", "01 85 02"),
        ("fc05-8", "01 05 00ff 0000", "01 85 02"),
        ("fc05-8", "01 05 0000 5500", "01 85 03"),
        ("fc05-8", "01 05 0007 ff00", "01 05 00 07 ff 00"),
        ("fc05-8", "01 0f 0000 0008 01 81", "01 0f 00 00 00 08"),
        ("fc05-4", "01 05 0003 0100", "01 05 00 03 01 00"),
        ("fc05-4", "01 05 0004 0100", "01 05 00 00 01 00"),  # no such coil: a wrong echo, no exception
        ("fc05-4", "01 05 0000 5500", "01 85 03"),
        ("fc05-4", "01 05 0000", "01 85 03"),
        ("fc05-4", "01 05 00ff ff00", "01 05 00 03 ff 00"),
        ("fc05-4", "01 02 0000 0000", "01 02 01 00"),
        ("eletechsup-r4-8", "01 06 0001 0500", "01 06 00 01 05 00"),
        ("eletechsup-r4-8", "01 06 0009 0500", ""),  # no such channel: silence, no exception
        ("eletechsup-r4-8", "01 06 0001 0501", ""),
        ("eletechsup-r4-8", "01 06 0001 0600", ""),
        ("eletechsup-r4-8", "01 06 0001 0900", ""),
        ("eletechsup-r4-8", "01 06 0000 0500", ""),
        ("eletechsup-r4-8", "01 05 0000 ff00", ""),
        ("eletechsup-r4-8", "01 03 0081 0001", ""),
        ("eletechsup-r4-8", "01 03 00fe 0002", "01 03 04 00 01 00 03"),
        ("eletechsup-r4-8", "01 06 00ff 0004", "01 06 00 ff 00 04"),
        ("eletechsup-r4-8", "01 06 00fd 0001", ""),
        ("eletechsup-n4d3e16", "01 06 00fd 0001", "01 06 00 fd 00 01"),
        ("eletechsup-n4d3e16", "01 03 00fd 0001", "01 03 02 00 00"),
        ("eletechsup-n4d3e16", "01 02 0000 0010", ""),
        ("kerong-cu48-modbus", "01 05 0030 0000", "01 85 02"),
        ("kerong-cu48-modbus", "01 05 0000 5500", "01 85 03"),
        ("kerong-cu48-modbus", "01 01 0000 0000", "01 81 03"),
        ("kerong-cu48-modbus-ff", "01 01 0000 0000", "01 01 06 00 00 00 00 00 00"),
        ("kerong-cu48-modbus", "01 02 0000 0008", "01 82 01"),
    ],
)
def test_answers(profile: str, body: str, reply: str) -> None:
    assert answer(profile, body) == reply


@pytest.mark.parametrize(
    ("profile", "body", "orders"),
    [
        ("relay8-high", "01 05 0203 ff00", [(4, 25_500)]),
        ("relay8-high", "01 05 0003 0100", [(4, None)]),
        ("relay8-high", "01 05 0000 5a00", [(channel, None) for channel in range(1, 9)]),
        ("fc05-8", "01 05 0003 ff00", [(4, None)]),
        ("fc05-8", "01 05 0003 0000", []),
        ("fc05-4", "01 05 0004 0100", []),
        ("eletechsup-r4-8", "01 06 0004 0500", [(4, 1_000)]),
        ("eletechsup-r4-8", "01 06 0004 060a", [(4, 10_000)]),
        ("eletechsup-r4-8", "01 06 0004 0300", [(4, None)]),
        ("eletechsup-r4-8", "01 06 0004 0400", [(4, None)]),
        ("eletechsup-r4-8", "01 06 0000 0700", [(channel, None) for channel in range(1, 9)]),
        ("eletechsup-r4-8", "01 06 0004 0200", []),
        ("kerong-cu48-modbus", "01 05 0003 0000", [(4, 500)]),
        ("kerong-cu48-modbus", "01 05 0003 ff00", []),
        ("kerong-cu48-modbus-ff", "01 05 0003 ff00", [(4, 500)]),
        ("kerong-cu48-modbus-ff", "01 05 0003 0000", []),
        ("kerong-cu48-modbus", "01 0f 0000 0008 01 fe", [(1, 500)]),
    ],
)
def test_orders(profile: str, body: str, orders: list[tuple[int, int | None]]) -> None:
    bench = Bench()
    answer(profile, body, bench)
    assert [(order.channel, order.pulse_ms) for order in bench.orders] == orders


def test_a_latch_lets_the_others_go() -> None:
    bench = Bench()
    station = board("eletechsup-r4-8", bench)
    station.answer(modbus("01 06 0001 0100"), 0)
    station.answer(modbus("01 06 0002 0400"), 10)
    assert sorted(bench.edges) == [(1, False, 10), (1, True, 0), (2, True, 10)]
    station.answer(modbus("01 06 0000 0800"), 20)
    assert bench.edges[-1] == (2, False, 20)


def test_a_momentary_pulse_is_over_by_itself() -> None:
    bench = Bench()
    station = board("eletechsup-r4-8", bench)
    station.answer(modbus("01 06 0002 0500"), 0)
    assert station.answer(modbus("01 03 0001 0002"), 999) == modbus("01 03 04 0000 0001")
    station.advance(1_000)
    assert bench.edges == [(2, True, 0), (2, False, 1_000)]


def test_inputs_of_the_n4d3e16_as_registers_and_as_bits() -> None:
    bench = Bench()
    bench.levels[0] = bench.levels[9] = True
    station = board("eletechsup-n4d3e16", bench)
    assert station.answer(modbus("01 03 00c0 0001"), 0) == modbus("01 03 02 0201")
    assert station.answer(modbus("01 03 008a 0001"), 0) == modbus("01 03 02 0001")


def test_an_address_set_by_broadcast() -> None:
    station = board("relay8-high", Bench())
    assert station.answer(BROADCAST_ADDRESS_9, 0) is None
    assert station.answer(modbus("01 01 0000 0008"), 0) is None
    assert station.answer(modbus("09 01 0000 0008"), 0) == modbus("09 01 01 00")


def test_what_a_board_believes_of_a_broken_relay() -> None:
    """Stuck, it reads as on; welded, the board knows nothing, and only the lock tells."""
    for ailments, reads in (
        (Ailments(stuck_on=frozenset({1})), "01 01 01 01"),
        (Ailments(welded=frozenset({1})), "01 01 01 00"),
    ):
        bench = Bench()
        station = board("fc05-8", bench)
        station.ail(ailments)
        assert station.next_ms() == 0
        station.advance(0)
        assert bench.edges == []
        station.answer(modbus("01 05 0000 ff00"), 10)
        station.answer(modbus("01 05 0000 0000"), 20)
        assert station.answer(modbus("01 01 0000 0008"), 30) == modbus(reads)
        assert bench.edges == [(1, True, 10)]
        station.ail(Ailments())
        station.advance(40)
        assert bench.edges == [(1, True, 10), (1, False, 40)]
