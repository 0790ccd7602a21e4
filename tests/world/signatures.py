"""Signatures are made in truth; what this very process has made is mostly known without checking it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

from sync import seal

KEPT: Final = 4_000
CHECKED_OF: Final = 50
"""So many that are known to one that is checked all the same."""


@contextmanager
def known() -> Iterator[None]:
    """Whatever else differs by a bit, or was made by nobody here, is checked as ever."""
    made: dict[tuple[bytes, bytes, bytes], None] = {}
    sign, verify, asked = seal.SigningKey.sign, seal.verify, 0

    def signs(key: seal.SigningKey, data: bytes) -> bytes:
        signature = sign(key, data)
        made[key.public, signature, data] = None
        if len(made) > KEPT:
            del made[next(iter(made))]
        return signature

    def verifies(public: bytes, signature: bytes, data: bytes) -> bool:
        nonlocal asked
        asked += 1
        if asked % CHECKED_OF and (public, signature, data) in made:
            return True
        return verify(public, signature, data)

    with patch.object(seal.SigningKey, "sign", signs), patch.object(seal, "verify", verifies):
        yield
