"""The records, byte for byte, and a write that is cut anywhere."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locker.anchor.record import NOWHERE, SIZE, SLOTS_MAX, Mark, NoPlace, Sight, Standing, look, record

LOCKER = "loc-1"
BLANK = b"\xff"
GOLDEN = (
    "d101 60cc 00000003 000102030405060708090a0b0c0d0e0f 000004d2"
    " a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf 348b942b"
)


def mark(n: int) -> Mark:
    return Mark(f"{n % 3 + 1:032x}", n, bytes([n % 256]) * 32)


def written(content: bytes, said: Mark) -> tuple[bytes, bytes, int]:
    """The whole place after one more record; that record, and where it went."""
    sight = look(content, LOCKER)
    text, offset = record(LOCKER, sight.turn + 1, said), sight.next_offset()
    return content[:offset] + text + content[offset + SIZE :], text, offset


def test_a_record_is_these_bytes() -> None:
    said = Mark(bytes(range(16)).hex(), 1234, bytes(range(0xA0, 0xC0)))
    assert record(LOCKER, 3, said) == bytes.fromhex(GOLDEN)
    assert look(bytes.fromhex(GOLDEN) + BLANK * SIZE, LOCKER) == Sight(Standing.KEPT, 2, said, 3, 0)


@pytest.mark.parametrize("slots", [2, 5, SLOTS_MAX])
def test_every_page_is_used_in_turn_and_the_last_counts(slots: int) -> None:
    content, used = BLANK * SIZE * slots, []
    for n in range(1, 2 * slots + 2):
        content, _, offset = written(content, mark(n))
        used.append(offset // SIZE)
        assert look(content, LOCKER).mark == mark(n)
    assert used == [n % slots for n in range(2 * slots + 1)]


@pytest.mark.parametrize("before", [1, 2, 3, 4])
def test_a_write_cut_at_any_byte_leaves_the_record_before_or_the_new_one(before: int) -> None:
    content = BLANK * SIZE * 3
    for n in range(1, before + 1):
        content, *_ = written(content, mark(n))
    _, text, offset = written(content, mark(99))
    for cut in range(SIZE + 1):
        torn = content[:offset] + text[:cut] + content[offset + cut :]
        assert look(torn, LOCKER).mark == (mark(99) if cut == SIZE else mark(before)), cut
        after, *_ = written(torn, mark(100))
        assert look(after, LOCKER).mark == mark(100), "and it goes on from there"


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 6), st.integers(1, 12), st.binary(min_size=SIZE, max_size=SIZE))
def test_whatever_a_cut_leaves_in_its_page_the_record_before_stands(
    slots: int, before: int, rubbish: bytes
) -> None:
    content = BLANK * SIZE * slots
    for n in range(1, before + 1):
        content, *_ = written(content, mark(n))
    _, _, offset = written(content, mark(99))
    assert look(content[:offset] + rubbish + content[offset + SIZE :], LOCKER).mark == mark(before)


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_a_new_module_is_blank(byte: int) -> None:
    assert look(bytes([byte]) * 4096, LOCKER) == Sight(Standing.BLANK, SLOTS_MAX)


def test_what_is_not_ours_is_foreign_and_the_next_record_may_stand_beside_it() -> None:
    content, *_ = written(BLANK * SIZE * 3, mark(7))
    assert look(content, "loc-2").standing is Standing.FOREIGN
    assert look(b"config of some clock" * 20, LOCKER).standing is Standing.FOREIGN
    ours = record("loc-2", 1, mark(8))
    assert look(content[:SIZE] + ours + content[2 * SIZE :], "loc-2").mark == mark(8)


def test_before_the_first_entry_there_is_something_to_write_as_well() -> None:
    content, *_ = written(BLANK * SIZE * 2, NOWHERE)
    assert look(content, LOCKER).mark == NOWHERE


def test_one_record_alone_could_be_lost() -> None:
    with pytest.raises(NoPlace, match="128 are the least"):
        look(BLANK * (2 * SIZE - 1), LOCKER)
