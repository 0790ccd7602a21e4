"""The relay boards and the input board, byte by byte."""

import pytest

from tests.hw_sim.wired import Bench, frame


def ask(bench: Bench, text: str, relays: int = 8) -> str:
    """What a fresh board replies, without its checksum."""
    reply = bench.relays(relays).answer(frame(text), 0)
    return "" if reply is None else reply[:-2].hex(" ")


def test_a_flash_switches_on_and_off_by_itself() -> None:
    bench = Bench()
    board = bench.relays(32)
    request = bytes.fromhex("01 05 02 00 00 07 8D B0")

    assert board.answer(request, 1_000) == request
    assert board.next_ms() == 1_700
    board.advance(1_699)
    assert bench.edges == [(1, True, 1_000)]
    board.advance(1_705)
    assert bench.edges == [(1, True, 1_000), (1, False, 1_700)]
    assert board.next_ms() is None
    assert [(order.channel, order.pulse_ms, order.frame) for order in bench.orders] == [(1, 700, request)]


def test_a_second_flash_is_a_second_order_and_starts_anew() -> None:
    bench = Bench()
    board = bench.relays()
    board.answer(frame("01 05 02 03 00 05"), 0)
    board.answer(frame("01 05 02 03 00 05"), 300)
    board.advance(1_000)
    assert bench.edges == [(4, True, 0), (4, False, 800)]
    assert len(bench.orders) == 2


def test_off_ends_a_flash() -> None:
    bench = Bench()
    board = bench.relays()
    board.answer(frame("01 05 02 03 7F FF"), 0)
    board.answer(frame("01 05 00 FF 00 00"), 10)
    assert bench.edges == [(4, True, 0), (4, False, 10)]
    assert board.next_ms() is None


def test_a_flash_off_comes_back_on() -> None:
    bench = Bench()
    board = bench.relays()
    board.answer(frame("01 05 00 02 FF 00"), 0)
    board.answer(frame("01 05 04 02 00 01"), 50)
    board.advance(500)
    assert bench.edges == [(3, True, 0), (3, False, 50), (3, True, 150)]


def test_relays_read_as_they_are() -> None:
    bench = Bench()
    board = bench.relays()
    board.answer(frame("01 0F 00 00 00 08 01 0F"), 0)
    assert board.answer(frame("01 01 00 00 00 08"), 0) == bytes.fromhex("01 01 01 0F 11 8C")
    board.answer(frame("01 05 00 FF FF 00"), 0)
    assert board.answer(frame("01 01 00 00 00 08"), 0) == bytes.fromhex("01 01 01 FF 11 C8")
    board.answer(frame("01 05 00 FF 55 00"), 0)
    assert board.answer(frame("01 01 00 00 00 08"), 0) == bytes.fromhex("01 01 01 00 51 88")


def test_inputs_read_as_they_are() -> None:
    bench = Bench()
    bench.levels[5] = True
    assert bench.relays().answer(frame("01 02 00 00 00 08"), 0) == bytes.fromhex("01 02 01 20 A0 50")
    bench.levels[31] = True
    reply = bench.input_board().answer(frame("02 02 00 00 00 20"), 0)
    assert reply == frame("02 02 04 20 00 00 80")


@pytest.mark.parametrize(
    ("request_body", "reply_body"),
    [
        ("01 04 00 00 00 01", "01 84 01"),  # unknown function
        ("01 05 00 08 FF 00", "01 85 02"),  # no such relay
        ("01 05 02 08 00 05", "01 85 02"),
        ("01 05 00 00 12 34", "01 85 03"),  # neither on, off nor toggle
        ("01 05 02 00 00 00", "01 85 03"),  # a flash of no length
        ("01 05 02 00 80 00", "01 85 03"),
        ("01 01 00 00 00 00", "01 81 03"),
        ("01 01 00 01 00 08", "01 81 02"),
        ("01 02 00 00 00 09", "01 82 02"),
        ("01 02 00 00", "01 82 03"),  # cut short, though its checksum is right
        ("01 06 10 00 00 04", "01 86 03"),  # no such mode
        ("01 06 40 00 00 00", "01 86 03"),
        ("01 06 20 00 00 08", "01 86 03"),
        ("01 06 50 00 00 01", "01 86 02"),
        ("01 03 50 00 00 01", "01 83 02"),
        ("01 0F 00 00 00 09 02 FF 01", "01 8f 02"),
        ("01 0F 00 00 00 08 02 FF 01", "01 8f 03"),
        ("01 10 10 00 00 02 02 00 00", "01 90 03"),
        ("01 03 80 00 00 01", "01 03 02 00 c8"),
        ("01 03 40 00 00 01", "01 03 02 00 01"),
        ("00 03 40 00 00 01", "01 03 02 00 01"),  # answered although sent to all
        ("00 05 00 00 FF 00", ""),
        ("02 05 00 00 FF 00", ""),
    ],
)
def test_answers(request_body: str, reply_body: str) -> None:
    assert ask(Bench(), request_body) == reply_body


def test_an_input_board_has_no_relays() -> None:
    board = Bench().input_board()
    assert board.answer(frame("02 05 00 00 FF 00"), 0) == frame("02 85 01")
    assert board.answer(frame("02 01 00 00 00 01"), 0) == frame("02 81 01")


def test_a_new_address_counts_from_the_next_frame() -> None:
    board = Bench().relays()
    assert board.answer(frame("01 06 40 00 00 07"), 0) == frame("01 06 40 00 00 07")
    assert board.answer(frame("01 03 40 00 00 01"), 0) is None
    assert board.answer(frame("07 03 40 00 00 01"), 0) == frame("07 03 02 00 07")


def test_in_linkage_the_door_contact_drives_the_lock() -> None:
    bench = Bench()
    board = bench.relays()
    board.answer(frame("01 06 10 02 00 01"), 0)
    bench.levels[2] = True
    board.advance(40)
    bench.levels[2] = False
    board.advance(80)
    assert bench.edges == [(3, True, 40), (3, False, 80)]
    assert board.answer(frame("01 03 10 00 00 04"), 80) == frame("01 03 08 00 00 00 00 00 01 00 00")


@pytest.mark.parametrize(("mode", "edges"), [(2, [(1, True, 10)]), (3, [(1, True, 10), (1, False, 20)])])
def test_toggle_and_edge_modes(mode: int, edges: list[tuple[int, bool, int]]) -> None:
    bench = Bench()
    board = bench.relays()
    board.answer(frame(f"01 10 10 00 00 01 02 00 0{mode}"), 0)
    bench.levels[0] = True
    board.advance(10)
    bench.levels[0] = False
    board.advance(20)
    assert bench.edges == edges
