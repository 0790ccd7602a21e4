"""The hashes, against figures worked out apart from the code, and what they do and do not cover."""

import hashlib

from hypothesis import assume, given
from hypothesis import strategies as st

from locker.domain import chain

bits = st.binary(max_size=40)


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def test_a_chain_by_hand() -> None:
    """Known answer: two entries, the first of which names somebody."""
    digest = sha(b"0123456789abcdef" + b'{"name":"x"}')
    first = sha(b"\x01" + bytes(32) + sha(b"\x00" + b'{"seq":1}' + digest))
    second = sha(b"\x01" + first + sha(b"\x00" + b'{"seq":2}' + sha(b"")))
    assert second.hex() == "760ab4d2516cd78f856011fb8529fd9fbdbb3fca07ec4b6d7637e4e70e2d35d1"
    assert chain.personal_digest(b"0123456789abcdef", b'{"name":"x"}') == digest
    assert chain.link(chain.START, chain.leaf(b'{"seq":1}', digest)) == first
    assert chain.link(first, chain.leaf(b'{"seq":2}', chain.personal_digest(b"", b""))) == second


@given(a=st.tuples(bits, bits), b=st.tuples(bits, bits))
def test_different_entries_have_different_links(a: tuple[bytes, bytes], b: tuple[bytes, bytes]) -> None:
    assume(a != b)
    links = {chain.link(chain.START, chain.leaf(public, sha(personal))) for public, personal in (a, b)}
    assert len(links) == 2


@given(public=bits, digest=st.binary(min_size=32, max_size=32))
def test_a_leaf_is_never_a_link(public: bytes, digest: bytes) -> None:
    """Their first bytes differ, so that no entry can be made to stand for a piece of the chain."""
    assert chain.leaf(public, digest) != chain.link(public, digest)
