"""Open codes: their format, their check digit, their keyed digests. Nothing here keeps a code.

A typed code is 3 digits of locator, 7 of secret, 1 check digit, shown 3-4-4. A scanned code starts with
one digit that says what it is: a bearer (pickup or badge; 128 bits) or a token signed by the centre.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from locker.domain.compartment import Size
from locker.domain.ids import AuthorisationId, CaseNumber, CodeId, DepositId, EntrustmentId, OrderId, Seq

TYPED_DIGITS: Final = 11
LOCATOR_DIGITS: Final = 3
SECRET_DIGITS: Final = 7
BEARER_BITS: Final = 128
BEARER_DIGITS: Final = 39
"""Decimal digits of 2**128 - 1."""
SCAN_DIGITS_MAX: Final = 365
BAG_KIND: Final = "4"
"""First digit of a numbered bag's label: no code, and no kind of `ScanKind`."""
BAG_DIGITS: Final = (6, 20)
"""At least and at most, after it."""
"""Capacity of a version 8-M symbol in numeric mode: a longer scan is none of ours."""
CENTRE_LOCATORS: Final = range(400)
"""Drop-off codes: drawn by the centre."""
LOCKER_LOCATORS: Final = range(400, 1000)
"""Pickup codes: drawn by the locker."""


class Form(StrEnum):
    TYPED = "typed"
    SCANNED = "scanned"


class ScanKind(StrEnum):
    """The first digit of everything scanned."""

    PICKUP = "1"
    TOKEN = "2"  # noqa: S105  # a kind, not a secret
    BADGE = "3"


@dataclass(frozen=True, slots=True)
class TypedCode:
    locator: str
    secret: str


@dataclass(frozen=True, slots=True)
class ScannedCode:
    kind: ScanKind
    body: str
    """Digits after the kind."""


@dataclass(frozen=True, slots=True)
class CodeRecord:
    """A pickup code as the locker keeps it: digests only."""

    code: CodeId
    deposit: DepositId
    locator: str
    typed_digest: str
    scan_digest: str
    failures: int = 0
    phone_failures: int = 0
    ended: str = ""
    ended_ms: int = 0
    seq: Seq = Seq(0)
    """The entry that made it; 0: one of an earlier epoch."""
    entrustment: EntrustmentId = EntrustmentId("")
    """Whose it is; empty: the recipient's."""
    order: OrderId = OrderId("")
    """The re-issue that made it; empty: it was made at the loading."""
    heir: CodeId = CodeId("")
    """The code made in its place: it ends when the centre has that one."""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A drop-off right as the locker keeps it. Names stay in the journal entry ``seq``, purgeable."""

    authorisation: AuthorisationId
    seq: Seq
    case: CaseNumber
    service_item: str
    papers: tuple[str, ...]
    deferred: tuple[str, ...]
    size: Size
    valid_from_ms: int
    valid_until_ms: int
    locator: str
    typed_digest: str
    phone4_digest: str
    failures: int = 0
    phone_failures: int = 0
    deposit: DepositId = DepositId("")
    ended: str = ""
    """``taken_in``, ``revoked``; empty while it may be used."""
    ended_ms: int = 0
    papers_due_ms: int = 0
    """By when what was deferred, or is owed, is to come; 0 where the centre has not said."""


# The quasigroup of order 10 published by H. Michael Damm (2004): catches every single wrong digit and
# every swap of neighbours.
_DAMM: Final = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


def check_digit(digits: str) -> str:
    """The Damm check digit of a string of digits."""
    state = 0
    for digit in digits:
        state = int(_DAMM[state][int(digit)])
    return str(state)


def parse_typed(text: str) -> TypedCode | None:
    """The typed code in ``text`` (spaces and hyphens are ignored); None for any other form or a slip."""
    digits = text.replace(" ", "").replace("-", "")
    if len(digits) != TYPED_DIGITS or not is_digits(digits) or check_digit(digits) != "0":
        return None
    return TypedCode(digits[:LOCATOR_DIGITS], digits[LOCATOR_DIGITS:-1])


def parse_scanned(text: str) -> ScannedCode | None:
    """The scanned code in ``text``, by its kind and length; None for anything else."""
    if not is_digits(text) or not 1 < len(text) <= SCAN_DIGITS_MAX or text[0] not in set(ScanKind):
        return None
    kind, body = ScanKind(text[0]), text[1:]
    if kind is not ScanKind.TOKEN and (len(body) != BEARER_DIGITS + 1 or check_digit(body) != "0"):
        return None
    return ScannedCode(kind, body[:-1] if kind is not ScanKind.TOKEN else body)


def parse_bag(text: str) -> str:
    """The number on a bag's label: `BAG_KIND`, the number, a check digit. Empty for anything else."""
    digits = text[1:]
    if text[:1] != BAG_KIND or not is_digits(text) or not BAG_DIGITS[0] <= len(digits) <= BAG_DIGITS[1]:
        return ""
    return digits[:-1] if check_digit(digits) == "0" else ""


def is_digits(text: str) -> bool:
    """ASCII digits only: `str.isdigit` alone takes superscripts and other scripts."""
    return text.isascii() and text.isdigit()


def typed_text(locator: str, secret: str) -> str:
    """The eleven digits a person types."""
    return locator + secret + check_digit(locator + secret)


def bearer_text(kind: ScanKind, bits: int) -> str:
    """The digits a scanner reads for a bearer of `BEARER_BITS` random bits."""
    body = f"{bits:0{BEARER_DIGITS}d}"
    return kind + body + check_digit(body)


def bytes_to_digits(data: bytes) -> str:
    """Bytes as digits; a leading one keeps leading zero bytes."""
    return str(int.from_bytes(b"\x01" + data))


def digits_to_bytes(digits: str) -> bytes | None:
    """The bytes of `bytes_to_digits`; None where the digits are none of its."""
    number = int(digits)
    raw = number.to_bytes((number.bit_length() + 7) // 8 or 1)
    return raw[1:] if raw[0] == 1 and str(number) == digits else None


def keyed_digest(key: bytes, kind: str, text: str) -> str:
    """Hex HMAC-SHA256. ``kind`` keeps uses apart: ``drop_off``, ``pick_up``, ``scan``, ``badge``,
    ``pin:STAFF``, ``phone4``."""
    return hmac.new(key, f"{kind}:{text}".encode(), hashlib.sha256).hexdigest()


def matches(digest: str, expected: str) -> bool:
    """Constant-time comparison; an empty expectation matches nothing."""
    return hmac.compare_digest(digest.encode(), expected.encode()) and bool(expected)


def free_locator(taken: frozenset[str], pool: range, draw: Callable[[int], int]) -> str | None:
    """A locator of ``pool`` that is not taken, by ``draw(n)`` in ``0..n-1``; None where all are taken."""
    free = [number for number in pool if f"{number:03d}" not in taken]
    return f"{free[draw(len(free))]:03d}" if free else None
