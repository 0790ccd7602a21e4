"""Tokens signed by the centre: what they say, in as few bytes as a scanner likes.

They open vacant compartments only: there is no purpose for taking something out.
Layout: ``version, purpose, scope, size, from u32, until u32 (minutes since 1970), nonce 8 bytes``, then three
length-prefixed ASCII texts: where (locker or area), reference, case.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from locker.domain.compartment import Size
from locker.domain.errors import DomainError

VERSION: Final = 1
MINUTE_MS: Final = 60_000
TEXT_MAX: Final = 24
TEXTS_MAX: Final = 54
"""All three together: with head and signature still a version 8-M symbol (`codes.SCAN_DIGITS_MAX`)."""
_HEAD: Final = struct.Struct(">BBBBII8s")


class TokenPurpose(IntEnum):
    DROP_OFF = 1
    LOAD = 2


class Scope(IntEnum):
    LOCKER = 1
    AREA = 2


class BadToken(DomainError, ValueError):
    """Not a token of this version. Remedy: none; the person sees the one refusal for all bad codes."""


@dataclass(frozen=True, slots=True)
class Token:
    purpose: TokenPurpose
    scope: Scope
    where: str
    reference: str
    """Authorisation or item."""
    case: str
    size: Size
    from_minute: int
    until_minute: int
    nonce: bytes

    @property
    def valid_from_ms(self) -> int:
        return self.from_minute * MINUTE_MS

    @property
    def valid_until_ms(self) -> int:
        return self.until_minute * MINUTE_MS

    def meant_for(self, locker: str, area: str) -> bool:
        return self.where == (locker if self.scope is Scope.LOCKER else area)


def pack(token: Token) -> bytes:
    """The bytes that are signed. Raises BadToken for texts that are too long or not ASCII."""
    if len(token.where) + len(token.reference) + len(token.case) > TEXTS_MAX:
        raise BadToken(f"more than {TEXTS_MAX} characters in all")
    head = _HEAD.pack(
        VERSION,
        token.purpose,
        token.scope,
        token.size,
        token.from_minute,
        token.until_minute,
        token.nonce,
    )
    return head + b"".join(_pack_text(text) for text in (token.where, token.reference, token.case))


def unpack(data: bytes) -> Token:
    """What signed bytes say. Raises BadToken."""
    try:
        version, purpose, scope, size, start, end, nonce = _HEAD.unpack_from(data)
        if version != VERSION:
            raise BadToken(f"version {version}")
        texts: list[str] = []
        rest = data[_HEAD.size :]
        for _ in range(3):
            length = rest[0]
            if len(rest) < 1 + length:
                raise BadToken("cut short")
            texts.append(rest[1 : 1 + length].decode("ascii"))
            rest = rest[1 + length :]
        if rest:
            raise BadToken("too long")
        where, reference, case = texts
        return Token(
            TokenPurpose(purpose), Scope(scope), where, reference, case, Size(size), start, end, nonce
        )
    except (struct.error, IndexError, ValueError) as error:
        raise BadToken(str(error)) from error


def _pack_text(text: str) -> bytes:
    if not text.isascii() or len(text) > TEXT_MAX:
        raise BadToken(f"at most {TEXT_MAX} ASCII characters: {text!r}")
    return bytes([len(text)]) + text.encode("ascii")
