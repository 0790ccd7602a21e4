"""From the bytes of a code scanner to scans, and when its beam is on. Pure: bytes and times in, texts out.

What a scanner sends is believed only as a whole: one wrong character, one too many or too few, and the scan
is dropped and counted. So the barcodes that set a scanner up, and its own answers, never reach the product.
No text of a scan is kept longer than it takes to hand it on: it may open a door.
"""

import binascii
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from locker.domain.codes import SCAN_DIGITS_MAX, TYPED_DIGITS

SILENCE_S: Final = 0.05
"""Ends a scan where the scanner is not set to send a terminator. At 9600 baud some 50 characters' time."""
REPEAT_S: Final = 2.0
"""A code that is still held before the scanner is read again and again: one sighting of it."""
SHORTEST: Final = TYPED_DIGITS
"""Shorter digits than any code of ours are most likely a barcode that sets the scanner up."""
LONGEST: Final = SCAN_DIGITS_MAX

_CR, _LF, _TAB, _STX = 0x0D, 0x0A, 0x09, 0x02
_TAIL: Final = frozenset({_CR, _LF, _TAB})
ENDS: Final[Mapping[str, frozenset[int]]] = MappingProxyType(
    {
        "any": _TAIL,
        "cr": frozenset({_CR}),
        "lf": frozenset({_LF}),
        "crlf": frozenset({_LF}),  # the carriage return before it is a tail
        "tab": frozenset({_TAB}),
        "none": frozenset(),
    }
)
"""What ends a scan at once. The other line ends may stand at its end, never inside it."""
_DIGITS: Final = frozenset(b"0123456789")


class Drop(StrEnum):
    """Why something that came is not a scan."""

    FOREIGN = "foreign"
    """A character that no code of ours has."""
    SHORT = "short"
    LONG = "long"
    REPEAT = "repeat"
    ANSWER = "answer"
    """The scanner's own answer to a command."""


# --- the scanner's own answers -----------------------------------------------------------------------------

_ANSWER_HEAD: Final = b"\x02\x00\x00"
_ANSWER_DATA_MAX: Final = 64
_LENGTH_AT, _DATA_AT, _CHECK_BYTES = 3, 4, 2


def answer_length(begun: bytes) -> int | None:
    """Of a GM65 answer ``02 00 00 length data CRC`` that begins so: its whole length, 0 while more bytes must
    tell; None where it is none. The check is CRC-16/XMODEM over kind, length and data."""
    if begun[: len(_ANSWER_HEAD)] != _ANSWER_HEAD[: len(begun)]:
        return None
    if len(begun) <= _LENGTH_AT:
        return 0
    data_end = _DATA_AT + begun[_LENGTH_AT]
    if begun[_LENGTH_AT] > _ANSWER_DATA_MAX:
        return None
    if len(begun) < data_end + _CHECK_BYTES:
        return 0
    check = int.from_bytes(begun[data_end : data_end + _CHECK_BYTES])
    return data_end + _CHECK_BYTES if binascii.crc_hqx(begun[2:data_end], 0) == check else None


# --- framing -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Framer:
    """``received`` bytes as they come; ``quiet`` once nothing came until ``due_s``.

    Silence is what the reader saw, not what its clock says: bytes that waited for a late reader still belong
    together.
    """

    terminator: str = "any"
    shortest: int = SHORTEST
    longest: int = LONGEST
    dropped: Counter[Drop] = field(default_factory=Counter)
    read: int = 0
    """How often something came to its end, scan or not."""
    _text: bytearray = field(default_factory=bytearray, repr=False)
    _answer: bytearray = field(default_factory=bytearray, repr=False)
    _spoilt: Drop | None = None
    _tail: bool = False
    _heard_s: float = 0.0
    _last: tuple[bytes, float] = field(default=(b"", 0.0), repr=False)

    @property
    def due_s(self) -> float | None:
        """When to call `quiet`; None while nothing is under way."""
        return self._heard_s + SILENCE_S if self._under_way else None

    def received(self, data: bytes, now_s: float) -> list[str]:
        """The scans that end in these bytes."""
        self._heard_s = now_s
        scans: list[str] = []
        for byte in data:
            self._take(byte, scans)
        return scans

    def quiet(self, now_s: float) -> list[str]:
        """Nothing came since the last bytes: what they left is a whole scan, or nothing."""
        scans: list[str] = []
        due_s = self.due_s
        if due_s is None or now_s < due_s:
            return scans
        if self._answer:
            self._no_answer(scans)
        self._end(scans)
        return scans

    def forget(self) -> None:
        """The port is gone: what was under way is no scan."""
        self._clear()
        self._answer.clear()

    @property
    def _under_way(self) -> bool:
        return bool(self._text or self._answer or self._spoilt or self._tail)

    def _take(self, byte: int, scans: list[str]) -> None:
        if not self._answer and byte != _STX:
            self._character(byte, scans)
            return
        self._answer.append(byte)
        length = answer_length(bytes(self._answer))
        if length is None:
            self._no_answer(scans)
        elif length:
            self._answer.clear()
            self.dropped[Drop.ANSWER] += 1

    def _no_answer(self, scans: list[str]) -> None:
        """What began as an answer is none: its first byte is foreign, the rest is looked at anew."""
        rest = bytes(self._answer[1:])
        self._answer.clear()
        self._spoilt = self._spoilt or Drop.FOREIGN
        for byte in rest:
            self._take(byte, scans)

    def _character(self, byte: int, scans: list[str]) -> None:
        if byte in ENDS[self.terminator]:
            self._end(scans)
        elif byte in _TAIL:
            self._tail = True
        elif byte not in _DIGITS or (self._tail and self._text):
            self._spoilt = self._spoilt or Drop.FOREIGN
        elif len(self._text) >= self.longest:
            self._spoilt = self._spoilt or Drop.LONG
        else:
            self._text.append(byte)

    def _end(self, scans: list[str]) -> None:
        text, spoilt = bytes(self._text), self._spoilt
        self._clear()
        if not text and spoilt is None:
            return  # the second half of a line end
        self.read += 1
        if spoilt is None and len(text) < self.shortest:
            spoilt = Drop.SHORT
        if spoilt is None and self._seen_just_now(text):
            spoilt = Drop.REPEAT
        if spoilt is None:
            scans.append(text.decode("ascii"))
        else:
            self.dropped[spoilt] += 1

    def _seen_just_now(self, text: bytes) -> bool:
        digest, before = hashlib.sha256(text).digest(), self._last
        self._last = (digest, self._heard_s)
        return digest == before[0] and self._heard_s - before[1] < REPEAT_S

    def _clear(self) -> None:
        self._text.clear()
        self._spoilt, self._tail = None, False


# --- the trigger -------------------------------------------------------------------------------------------


class Beam(StrEnum):
    OFF = "off"
    ON = "on"


class Cue(StrEnum):
    WANTED = "wanted"
    """The page waits for a code."""
    UNWANTED = "unwanted"
    READ = "read"
    """A code was read: the scanner's beam went off by itself."""
    WANING = "waning"
    """The beam has been on for as long as it is sure to stay on."""


NEXT: Final[Mapping[tuple[Beam, Cue], tuple[Beam, Beam | None]]] = MappingProxyType(
    {
        (Beam.OFF, Cue.WANTED): (Beam.ON, Beam.ON),
        (Beam.OFF, Cue.UNWANTED): (Beam.OFF, None),
        (Beam.OFF, Cue.READ): (Beam.OFF, None),
        (Beam.OFF, Cue.WANING): (Beam.OFF, None),
        (Beam.ON, Cue.WANTED): (Beam.ON, None),
        (Beam.ON, Cue.UNWANTED): (Beam.OFF, Beam.OFF),
        (Beam.ON, Cue.READ): (Beam.ON, Beam.ON),
        (Beam.ON, Cue.WANING): (Beam.ON, Beam.ON),
    }
)
"""The beam after a cue, and what is said to the scanner: on, off, or nothing."""
WORDS: Final[Mapping[str, Mapping[Beam, bytes]]] = MappingProxyType(
    {
        # By itself, always: nothing is ever said to it.
        "continuous": {Beam.ON: b"", Beam.OFF: b""},
        # Zone 0x0002 set to 1 and, the same write, to 0; "AB CD" stands for "no check".
        "gm65": {
            Beam.ON: bytes.fromhex("7E 00 08 01 00 02 01 AB CD"),
            Beam.OFF: bytes.fromhex("7E 00 08 01 00 02 00 AB CD"),
        },
        # SYN T CR and SYN U CR; Datalogic's imagers know them too.
        "honeywell": {Beam.ON: bytes.fromhex("16 54 0D"), Beam.OFF: bytes.fromhex("16 55 0D")},
    }
)
REFRESH_S: Final = 4.0
"""A GM65 gives up a read after 5 s as it comes out of its box."""
STIR_S: Final = 0.5
"""After something that is no scan: soon, but no ping-pong with a scanner whose answers are unknown to us."""


@dataclass(slots=True)
class Trigger:
    """The beam of one scanner. `cue` returns the bytes to send now."""

    mode: str = "continuous"
    beam: Beam = Beam.OFF
    _said_s: float = 0.0

    @property
    def due_s(self) -> float | None:
        """When a cue WANING is due; None where nothing wanes."""
        return self._said_s + REFRESH_S if self.beam is Beam.ON and self.mode != "continuous" else None

    def stir(self, now_s: float) -> None:
        """Something was read that is no scan; the beam is most likely off by that."""
        self._said_s = min(self._said_s, now_s + STIR_S - REFRESH_S)

    def cue(self, cue: Cue, now_s: float) -> bytes:
        self.beam, said = NEXT[self.beam, cue]
        if said is None:
            return b""
        self._said_s = now_s
        return WORDS[self.mode][said]
