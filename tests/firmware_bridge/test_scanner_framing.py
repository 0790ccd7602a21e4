"""From a scanner's bytes to scans: however they are split, whatever comes between, nothing else passes."""

import binascii
import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.scans import (
    ENDS,
    LONGEST,
    NEXT,
    REFRESH_S,
    REPEAT_S,
    SHORTEST,
    SILENCE_S,
    STIR_S,
    WORDS,
    Beam,
    Cue,
    Drop,
    Framer,
    Trigger,
    answer_length,
)
from locker.domain.codes import ScanKind, bearer_text, parse_scanned

GOLDEN = Path(__file__).parents[1] / "golden" / "frames.json"
BEARER = bearer_text(ScanKind.PICKUP, 2**127 + 1)
DONE = bytes.fromhex("02 00 00 01 00 33 31")
"""What a GM65 says to a setting it has taken."""

codes = st.text("0123456789", min_size=SHORTEST, max_size=LONGEST)
line_ends = st.sampled_from([b"\r", b"\n", b"\r\n", b"\t"])
# Neither a line end, which would cut it in two, nor the first byte of an answer, which may have a long tail.
foreign = st.binary(min_size=1, max_size=40).filter(
    lambda data: not set(data) & {2, 9, 10, 13} and not data.isdigit()
)


def golden(board: str) -> list[tuple[str, bytes, str]]:
    rows = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return [(r["meaning"], bytes.fromhex(r["hex"]), r["check"]) for r in rows if r["board"] == board]


class Hearer:
    """A framer fed in pieces, a millisecond apart; silence in between only where the test says so."""

    def __init__(self, framer: Framer | None = None) -> None:
        self.framer = framer or Framer()
        self.now_s = 0.0
        self.scans: list[str] = []

    def hears(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.now_s += 0.001
            self.scans += self.framer.received(piece, self.now_s)

    def rests(self, for_s: float = SILENCE_S) -> None:
        self.now_s += for_s
        self.scans += self.framer.quiet(self.now_s)


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(places)]


cuts = st.lists(st.integers(0, 2_000), max_size=12)


@given(code=codes, end=line_ends, cuts=cuts)
def test_a_scan_is_whole_however_it_is_split(code: str, end: bytes, cuts: list[int]) -> None:
    hearer = Hearer()
    hearer.hears(*in_pieces(code.encode() + end, cuts))
    hearer.rests()
    assert hearer.scans == [code]
    assert not hearer.framer.dropped


@given(code=codes, cuts=cuts)
def test_silence_ends_a_scan_without_a_terminator(code: str, cuts: list[int]) -> None:
    hearer = Hearer()
    hearer.hears(*in_pieces(code.encode(), cuts))
    hearer.rests(SILENCE_S / 2)
    assert hearer.scans == []
    hearer.rests()
    assert hearer.scans == [code]
    assert hearer.framer.due_s is None


@given(
    parts=st.lists(st.tuples(codes, foreign, st.booleans()), max_size=5, unique_by=lambda part: part[0]),
    cuts=cuts,
)
def test_noise_between_scans_costs_none_of_them(
    parts: list[tuple[str, bytes, bool]], cuts: list[int]
) -> None:
    hearer = Hearer()
    for code, noise, by_silence in parts:
        hearer.hears(*in_pieces(noise, cuts))
        hearer.rests()
        hearer.hears(*in_pieces(code.encode() + (b"" if by_silence else b"\r\n"), cuts))
        hearer.rests()
    assert hearer.scans == [code for code, _, _ in parts]
    assert hearer.framer.dropped[Drop.FOREIGN] == len(parts)


@given(code=codes, noise=foreign, at=st.integers(0, LONGEST), cuts=cuts)
def test_one_foreign_byte_and_the_scan_is_none(code: str, noise: bytes, at: int, cuts: list[int]) -> None:
    at %= len(code) + 1
    hearer = Hearer()
    hearer.hears(*in_pieces(code[:at].encode() + noise + code[at:].encode() + b"\r", cuts))
    hearer.rests()
    assert hearer.scans == []
    assert hearer.framer.dropped == {Drop.FOREIGN: 1}


@given(data=st.binary(max_size=600), cuts=cuts)
def test_whatever_comes_only_digits_of_the_right_length_get_through(data: bytes, cuts: list[int]) -> None:
    hearer = Hearer()
    hearer.hears(*in_pieces(data, cuts))
    hearer.rests()
    for scan in hearer.scans:
        assert scan.isascii()
        assert scan.isdigit()
        assert SHORTEST <= len(scan) <= LONGEST
    hearer.rests()
    hearer.hears(BEARER.encode())
    hearer.rests(SILENCE_S + REPEAT_S)
    assert hearer.scans[-1] == BEARER


# --- answers of the scanner itself -------------------------------------------------------------------------


@given(code=codes, at=st.integers(0, LONGEST), data=st.binary(max_size=8), cuts=cuts)
def test_an_answer_anywhere_is_taken_out(code: str, at: int, data: bytes, cuts: list[int]) -> None:
    answer = _answer(data)
    at %= len(code) + 1
    hearer = Hearer()
    hearer.hears(*in_pieces(code[:at].encode() + answer + code[at:].encode() + b"\r", cuts))
    assert hearer.scans == [code]
    assert hearer.framer.dropped == {Drop.ANSWER: 1}


def _answer(data: bytes) -> bytes:
    body = bytes([0, len(data)]) + data
    return b"\x02\x00" + body + binascii.crc_hqx(body, 0).to_bytes(2)


def test_the_known_answer_is_one_and_a_damaged_one_is_not() -> None:
    assert answer_length(DONE) == len(DONE)
    assert [answer_length(DONE[:n]) for n in range(len(DONE))] == [0] * len(DONE)
    for place in range(len(DONE)):
        for bit in range(8):
            broken = bytearray(DONE)
            broken[place] ^= 1 << bit
            assert answer_length(bytes(broken)) in (None, 0), (place, bit)


def test_a_cut_or_damaged_answer_spoils_what_it_touches_and_no_more() -> None:
    for begun in (DONE[:n] for n in range(1, len(DONE))):
        hearer = Hearer()
        hearer.hears(begun + BEARER.encode() + b"\r")
        hearer.rests()
        # Cut just before its last byte it takes a digit for that; the check digit tells.
        assert [scan for scan in hearer.scans if parse_scanned(scan)] == [], begun
        hearer.rests(REPEAT_S + 1)
        hearer.hears(BEARER.encode() + b"\r")
        assert hearer.scans[-1] == BEARER


# --- what is no scan ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("barcode", "why"),
    [
        (b"0006010\r", Drop.SHORT),
        (b"@MENUBT\r", Drop.FOREIGN),
        (b"^#^SETUP01\r", Drop.FOREIGN),
        (b"S_CMD_020D0001\r", Drop.FOREIGN),
        (b"\x1d12345678901\r", Drop.FOREIGN),
        (b"]Q112345678901\r", Drop.FOREIGN),
        ("\uff11\uff12\uff13".encode() * 5 + b"\r", Drop.FOREIGN),
        (b"1" * (LONGEST + 1) + b"\r", Drop.LONG),
        (b"1" * 100_000 + b"\r", Drop.LONG),
    ],
)
def test_a_setting_barcode_is_counted_and_goes_no_further(barcode: bytes, why: Drop) -> None:
    hearer = Hearer()
    hearer.hears(barcode)
    assert hearer.scans == []
    assert hearer.framer.dropped == {why: 1}
    assert len(hearer.framer._text) <= LONGEST
    hearer.hears(BEARER.encode() + b"\r")
    assert hearer.scans == [BEARER]


def test_a_code_still_held_there_is_one_sighting() -> None:
    hearer = Hearer()
    for _ in range(5):
        hearer.hears(BEARER.encode() + b"\r")
        hearer.rests(REPEAT_S / 2)
    assert hearer.scans == [BEARER]
    assert hearer.framer.dropped == {Drop.REPEAT: 4}
    hearer.rests(REPEAT_S)
    hearer.hears(BEARER.encode() + b"\r")
    assert hearer.scans == [BEARER, BEARER]


def test_another_code_in_between_is_no_repeat() -> None:
    hearer = Hearer()
    other = "3" + BEARER[1:]
    hearer.hears(*(code.encode() + b"\r" for code in (BEARER, other, BEARER)))
    assert hearer.scans == [BEARER, other, BEARER]


@pytest.mark.parametrize("terminator", sorted(ENDS))
@pytest.mark.parametrize("sent", [b"\r", b"\n", b"\r\n", b"\t", b""])
def test_a_scanner_set_up_otherwise_is_still_understood(terminator: str, sent: bytes) -> None:
    hearer = Hearer(Framer(terminator))
    for code in (BEARER, "3" + BEARER[1:]):
        hearer.hears(code.encode() + sent)
        hearer.rests()
    assert hearer.scans == [BEARER, "3" + BEARER[1:]]


def test_a_line_end_inside_splits_or_spoils_and_never_joins() -> None:
    inside = BEARER[:20].encode() + b"\r" + BEARER[20:].encode()
    hearer = Hearer(Framer("tab"))
    hearer.hears(inside + b"\t")
    assert hearer.scans == []
    hearer = Hearer()
    hearer.hears(inside + b"\r")
    assert BEARER not in hearer.scans


def test_a_lost_port_takes_its_half_scan_along() -> None:
    hearer = Hearer()
    hearer.hears(BEARER[:20].encode())
    hearer.framer.forget()
    hearer.hears(BEARER[20:].encode())
    hearer.rests()
    assert hearer.scans == [BEARER[20:]]


def test_no_code_shows_where_the_framer_is_printed() -> None:
    framer = Framer()
    framer.received(BEARER.encode(), 0.0)
    assert BEARER not in repr(framer)


# --- the trigger -------------------------------------------------------------------------------------------


def test_the_table_knows_every_cue_in_both_states() -> None:
    assert set(NEXT) == {(beam, cue) for beam in Beam for cue in Cue}


def test_the_words_are_the_captured_ones() -> None:
    gm65 = {meaning.split(" (")[0]: frame for meaning, frame, _ in golden("scanner-gm65")}
    assert WORDS["gm65"][Beam.ON] == gm65["software trigger"]
    honeywell = {meaning.split()[0]: frame for meaning, frame, _ in golden("scanner-honeywell")}
    assert WORDS["honeywell"] == {Beam.ON: honeywell["trigger"], Beam.OFF: honeywell["untrigger"]}


def test_every_captured_frame_comes_back_from_an_echoing_line_as_no_scan() -> None:
    frames = [*golden("scanner-gm65"), *golden("scanner-honeywell")]
    assert len(frames) >= 7
    for meaning, frame, _ in frames:
        hearer = Hearer()
        hearer.hears(frame)
        hearer.rests()
        assert hearer.scans == [], meaning
        assert hearer.framer.dropped[Drop.FOREIGN], meaning


@pytest.mark.parametrize("mode", ["gm65", "honeywell"])
def test_the_beam_is_on_while_a_code_is_waited_for(mode: str) -> None:
    trigger, on, off = Trigger(mode), WORDS[mode][Beam.ON], WORDS[mode][Beam.OFF]
    said = [
        (trigger.cue(cue, at_s), trigger.due_s)
        for cue, at_s in (
            (Cue.UNWANTED, 0.0),
            (Cue.WANTED, 1.0),
            (Cue.WANTED, 1.5),
            (Cue.WANING, 5.0),
            (Cue.READ, 6.0),
            (Cue.UNWANTED, 7.0),
            (Cue.READ, 7.1),
        )
    ]
    assert said == [
        (b"", None),
        (on, 1.0 + REFRESH_S),
        (b"", 1.0 + REFRESH_S),
        (on, 5.0 + REFRESH_S),
        (on, 6.0 + REFRESH_S),
        (off, None),
        (b"", None),
    ]


def test_what_is_no_scan_has_the_beam_renewed_soon_but_not_at_once() -> None:
    trigger = Trigger("gm65")
    trigger.cue(Cue.WANTED, 0.0)
    trigger.stir(1.0)
    assert trigger.due_s == 1.0 + STIR_S
    trigger.stir(1.2)
    assert trigger.due_s == 1.0 + STIR_S
    assert trigger.cue(Cue.WANING, 1.5) == WORDS["gm65"][Beam.ON]
    assert trigger.due_s == 1.5 + REFRESH_S


def test_a_scanner_that_always_reads_is_told_nothing() -> None:
    trigger = Trigger("continuous")
    assert [trigger.cue(cue, 0.0) for cue in (Cue.WANTED, Cue.READ, Cue.WANING, Cue.UNWANTED)] == [b""] * 4
    assert trigger.cue(Cue.WANTED, 0.0) == b""
    assert trigger.due_s is None
