"""Checksum and framing against frames from elsewhere."""

import pytest

from hw_sim.boards.modbus import packed, unpacked, whole
from tests.hw_sim import golden
from tests.hw_sim.wired import Bench


def test_there_is_something_to_judge_by() -> None:
    assert len(golden.requests()) >= 20
    assert len(golden.broken()) >= 5


@pytest.mark.parametrize("frame", golden.frames(), ids=lambda frame: frame.octets.hex())
def test_the_checksum_agrees(frame: golden.Golden) -> None:
    assert whole(frame.octets) is frame.good


@pytest.mark.parametrize("frame", golden.requests(), ids=lambda frame: frame.octets.hex())
def test_every_request_is_understood(frame: golden.Golden) -> None:
    board = Bench().relays(relays=32, inputs=8)
    reply = board.answer(frame.octets, 1_000)

    broadcast, read = frame.octets[0] == 0, frame.octets[1] < 5
    if broadcast and not read:
        assert reply is None
        return
    assert reply is not None
    assert whole(reply)
    assert reply[:2] == bytes([1, frame.octets[1]])


@pytest.mark.parametrize("frame", golden.broken(), ids=lambda frame: frame.octets.hex())
def test_a_broken_frame_does_nothing(frame: golden.Golden) -> None:
    bench = Bench()
    assert bench.relays(relays=32).answer(frame.octets, 0) is None
    assert bench.edges == []


@pytest.mark.parametrize("frame", golden.requests(), ids=lambda frame: frame.octets.hex())
def test_no_single_wrong_byte_gets_through(frame: golden.Golden) -> None:
    bench = Bench()
    board = bench.relays(relays=32)
    for place in range(len(frame.octets)):
        for flip in range(1, 256):
            mutant = bytearray(frame.octets)
            mutant[place] ^= flip
            assert board.answer(bytes(mutant), 0) is None
    assert bench.edges == []


@pytest.mark.parametrize("length", range(4))
def test_a_stump_is_no_frame(length: int) -> None:
    assert not whole(bytes(length))


def test_bits_start_at_the_low_end() -> None:
    bits = [True, False, False, False, False, False, False, False, False, True]
    assert packed(bits) == b"\x01\x02"
    assert unpacked(b"\x01\x02", 10) == bits
