"""Open codes: format, check digit, digests, tokens."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locker.domain import codes
from locker.domain.codes import ScanKind
from locker.domain.compartment import Size
from locker.domain.tokens import TEXTS_MAX, BadToken, Scope, Token, TokenPurpose, pack, unpack

DIGITS = st.text(string.digits, min_size=10, max_size=10)


def test_the_published_check_digit() -> None:
    assert codes.check_digit("572") == "4"  # Damm's own example
    assert codes.check_digit("5724") == "0"


@given(DIGITS)
def test_a_typed_code_survives_spaces_and_hyphens(ten: str) -> None:
    text = codes.typed_text(ten[:3], ten[3:])
    shown = f"{text[:3]} {text[3:7]}-{text[7:]}"
    assert codes.parse_typed(shown) == codes.TypedCode(ten[:3], ten[3:])


@given(DIGITS, st.integers(0, 10), st.integers(1, 9))
def test_every_single_slip_is_noticed(ten: str, place: int, by: int) -> None:
    text = codes.typed_text(ten[:3], ten[3:])
    wrong = text[:place] + str((int(text[place]) + by) % 10) + text[place + 1 :]
    assert codes.parse_typed(wrong) is None


@given(DIGITS, st.integers(0, 9))
def test_every_swap_of_neighbours_is_noticed(ten: str, place: int) -> None:
    text = codes.typed_text(ten[:3], ten[3:])
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert swapped == text or codes.parse_typed(swapped) is None


@given(st.text(max_size=400))
def test_whatever_is_scanned_is_parsed_or_refused(text: str) -> None:
    codes.parse_typed(text)
    found = codes.parse_scanned(text)
    assert found is None or codes.is_digits(text)


@pytest.mark.parametrize(
    "text", ["", "1", "²" * 11, "٣" * 11, "4" + "0" * 40, "1" + "0" * 38, "2" + "9" * 365]
)
def test_other_digits_and_lengths_are_none_of_ours(text: str) -> None:
    assert codes.parse_typed(text) is None
    assert codes.parse_scanned(text) is None


@given(st.integers(0, 2**128 - 1))
def test_a_bearer_is_read_back(bits: int) -> None:
    text = codes.bearer_text(ScanKind.PICKUP, bits)
    found = codes.parse_scanned(text)
    assert found is not None
    assert (found.kind, int(found.body), len(text)) == (ScanKind.PICKUP, bits, 41)


@given(st.binary(max_size=150))
def test_bytes_pass_through_digits(data: bytes) -> None:
    assert codes.digits_to_bytes(codes.bytes_to_digits(data)) == data


@given(st.text(string.digits, min_size=1, max_size=360))
def test_other_digits_give_other_bytes_or_none(digits: str) -> None:
    data = codes.digits_to_bytes(digits)
    assert data is None or codes.bytes_to_digits(data) == digits


def test_digests_keep_uses_apart() -> None:
    key = bytes(32)
    kinds = ("drop_off", "pick_up", "scan", "badge", "pin:h-1")
    assert len({codes.keyed_digest(key, kind, "1234567890") for kind in kinds}) == len(kinds)
    assert not codes.matches("", "")


TOKENS = st.builds(
    Token,
    st.sampled_from(TokenPurpose),
    st.sampled_from(Scope),
    st.text(string.ascii_lowercase, max_size=24),
    st.text(string.ascii_lowercase, max_size=24),
    st.text(string.ascii_uppercase + string.digits + "-", max_size=24),
    st.sampled_from(Size),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(min_size=8, max_size=8),
)


@given(TOKENS)
def test_a_token_is_read_back_and_fits_a_symbol(token: Token) -> None:
    if len(token.where + token.reference + token.case) > TEXTS_MAX:
        with pytest.raises(BadToken):
            pack(token)
        return
    data = pack(token)
    assert unpack(data) == token
    frame = b"\xff" * 73 + data
    assert len(ScanKind.TOKEN + codes.bytes_to_digits(frame)) <= codes.SCAN_DIGITS_MAX


@given(st.binary(max_size=120))
def test_any_bytes_are_a_token_or_refused(data: bytes) -> None:
    try:
        token = unpack(data)
    except BadToken:
        return
    if len(token.where + token.reference + token.case) <= TEXTS_MAX:
        assert pack(token) == data


def test_there_is_no_token_for_taking_something_out() -> None:
    assert {purpose.name for purpose in TokenPurpose} == {"DROP_OFF", "LOAD"}


def test_a_long_text_is_no_token() -> None:
    with pytest.raises(BadToken):
        pack(Token(TokenPurpose.LOAD, Scope.AREA, "a" * 25, "", "", Size.S, 0, 0, bytes(8)))
