"""Numbers of people in what somebody typed: blotted out where it is kept, refused where it is published."""

import re
import unicodedata
from typing import Final

BLOT: Final = "•••"
_NUMBERS: Final = re.compile(
    r"""
    (?<!\d)1[3-9]\d(?:[\s\-.]?\d){8}(?!\d)      # a mobile phone, however it is spaced
    | (?<!\d)0\d{2,3}[\s\-]\d{7,8}(?!\d)        # a telephone with its area
    | (?<!\d)\d{6}[\s\-]?\d{8}[\s\-]?\d{3}[\dXx](?![\dXx])  # an identity card
    | \d{7,}                                    # whatever else is as long: codes, account numbers
    """,
    re.VERBOSE,
)


def blotted(text: str) -> str:
    """``text`` without such numbers, in plain digits whatever keyboard typed them; without NULs."""
    return _NUMBERS.sub(BLOT, _plain(text))


def holds_any(text: str) -> bool:
    return _NUMBERS.search(_plain(text)) is not None


def _plain(text: str) -> str:
    """Full-width digits are digits too; everything else stays as it was typed."""
    return "".join(
        str(unicodedata.digit(letter)) if not letter.isascii() and letter.isdecimal() else letter
        for letter in text.replace("\0", "")
    )
