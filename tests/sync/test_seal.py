"""Frames and seals: the published vectors, and everything that must not open."""

import base64
import os
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import seal

DOC: Final = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()
KEY: Final = seal.SigningKey.from_seed(bytes(range(32)))
KEYS: Final = seal.keyring(KEY.public)
SEAL: Final = seal.SealKey.from_private(bytes(range(64, 96)))
OTHER: Final = seal.SealKey.from_private(bytes(range(32)))


@pytest.mark.rule("LKR-33")
def test_the_published_frame() -> None:
    made = seal.frame(KEY, b'{"v":1}')
    assert made.hex() in DOC
    assert KEY.public.hex() in DOC
    assert KEY.id.hex() in DOC
    assert seal.open_frame(made, KEYS) == b'{"v":1}'


@pytest.mark.rule("LKR-36")
def test_the_published_seal() -> None:
    parts = iter([bytes(range(96, 128)), bytes(range(128, 140))])
    made = seal.seal(SEAL.public, '{"typed":"40012345674"}', lambda _size: next(parts))
    assert made in DOC
    assert SEAL.public.hex() in DOC
    assert seal.unseal(SEAL, made) == '{"typed":"40012345674"}'


@pytest.mark.rule("LKR-33")
@given(st.binary(max_size=40), st.data())
def test_no_byte_of_a_frame_may_change(body: bytes, data: st.DataObject) -> None:
    good = seal.frame(KEY, body)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(seal.SealError):
        seal.open_frame(bytes(bad), KEYS)


@pytest.mark.rule("LKR-33")
@pytest.mark.parametrize("size", [0, 1, 72])
def test_a_cut_frame(size: int) -> None:
    with pytest.raises(seal.BadFrame) as raised:
        seal.open_frame(seal.frame(KEY, b"")[:size], KEYS)
    assert raised.value.size == size


def test_whose_frame_it_is() -> None:
    stranger = seal.SigningKey.generate(os.urandom)
    with pytest.raises(seal.UnknownKey) as unknown:
        seal.open_frame(seal.frame(stranger, b"x"), KEYS)
    assert unknown.value.key_id == stranger.id
    with pytest.raises(seal.UnknownAlgorithm) as algorithm:
        seal.open_frame(b"\x02" + bytes(100), KEYS)
    assert algorithm.value.algorithm == 2


@pytest.mark.rule("LKR-36")
@given(st.text(max_size=40), st.data())
def test_no_character_of_a_seal_may_change(plain: str, data: st.DataObject) -> None:
    good = seal.seal(SEAL.public, plain, os.urandom)
    assert seal.unseal(SEAL, good) == plain
    at = data.draw(st.integers(0, len(good) - 1))
    letter = data.draw(st.sampled_from("ABCabc019-_+/= ").filter(lambda c: c != good[at]))
    with pytest.raises(seal.SealError):
        seal.unseal(SEAL, good[:at] + letter + good[at + 1 :])


@pytest.mark.rule("LKR-36")
def test_a_seal_is_for_one() -> None:
    made = seal.seal(SEAL.public, "x", os.urandom)
    with pytest.raises(seal.UnknownKey):
        seal.unseal(OTHER, made)
    for bad in ("", "A", "AAAA", made + "=", made + "A", made[:-1], "ü" * 100):
        with pytest.raises(seal.SealError):
            seal.unseal(SEAL, bad)
    zero_point = base64.urlsafe_b64encode(SEAL.id + bytes(32) + bytes(12) + bytes(16)).rstrip(b"=").decode()
    with pytest.raises(seal.BadSeal):
        seal.unseal(SEAL, zero_point)
    with pytest.raises(seal.BadKey):
        seal.seal(bytes(32), "x", os.urandom)


def test_keys() -> None:
    assert seal.key_from_hex("00" * 32) == bytes(32)
    for bad in ("", "00", "zz" * 32, "00" * 33):
        with pytest.raises(seal.BadKey):
            seal.key_from_hex(bad)
    with pytest.raises(seal.BadKey):
        seal.SigningKey.from_seed(b"short")
    assert KEY.seed.hex() not in repr(KEY)
    assert "seed" not in repr(KEY)
    assert "private" not in repr(SEAL)
