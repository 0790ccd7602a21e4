"""Captures: written and read back the same, played into the parsers, and every kept one accounted for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import boards, capture
from firmware_bridge.capture import LATE, CaptureError, Header
from firmware_bridge.codecs import encode
from firmware_bridge.codecs.packets import packed
from firmware_bridge.exchange import Timing
from firmware_bridge.happenings import Frame
from firmware_bridge.request import Identify, Pulse, ReadCoils, ReadDoors, ReadModes, Release, Request
from hw_sim.boards.profiles import PROFILES
from locker.domain.ids import BoardId
from tests.hw_sim.wired import cabinet_of

KEPT = Path(__file__).parents[1] / "golden" / "captures"
A1 = BoardId("A/1")
READ, ANSWER = "01 02 00 00 00 08 79 CC", "01 02 01 00 A1 88"


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.jsonl")), ids=lambda path: path.stem)
def test_every_kept_capture_is_understood(path: Path) -> None:
    """What came from a line in the field, or from the simulator, and must never be read another way."""
    tally = capture.replay(path)
    assert not tally.strangers
    for board in tally.boards.values():
        assert board.requests == board.answered + board.unanswered + board.cut_off > 0
        assert len(board.latencies_s) == board.answered
        assert board.short_gaps == board.refused == 0
    assert tally.sound == path.stem.startswith("clean")


def test_a_clean_line_leaves_nothing_over() -> None:
    tally = capture.replay(KEPT / "clean.jsonl")
    assert [(board.unanswered, board.noise_bytes) for board in tally.boards.values()] == [(0, 0)] * 2
    assert tally.unasked_bytes == 0


def test_noise_and_late_replies_are_told_apart() -> None:
    tally = capture.replay(KEPT / "noise-and-late.jsonl")
    reasons = {reason for board in tally.boards.values() for reason in board.reasons}
    assert LATE in reasons
    assert any("checksum" in reason for reason in reasons)
    assert all(board.noise_bytes for board in tally.boards.values())


def test_kept_captures_as_another_board_are_refused() -> None:
    """The same bytes under a profile that does not speak so: nothing is mistaken for an answer."""
    tally = capture.replay(KEPT / "clean.jsonl", {BoardId("A/2"): "waveshare-8"})
    assert not tally.boards[BoardId("A/2")].answered
    assert sum(tally.strangers.values()) > 0


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A capture from (time, sent, bytes), as `bus record` writes it."""

    def written(
        *passed: tuple[float, bool, bytes], boards: dict[BoardId, str] | None = None, packets: bool = False
    ) -> Path:
        header = Header("A", Timing(9600, packets=packets), boards or {A1: "waveshare-d8"})
        frames = [Frame(n, at_s, sent, data) for n, (at_s, sent, data) in enumerate(passed, 1)]
        path = tmp_path / "c.jsonl"
        path.write_text(
            capture.header_text(header) + "".join(capture.frame_text("A", frame) for frame in frames)
        )
        return path

    return written


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.booleans(), st.binary(max_size=40)), max_size=20).map(sorted)
)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, passed: list[tuple[int, bool, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("c") / "c.jsonl"
    header = Header("B2", Timing(19200, packets=True), {BoardId("B2/7"): "inputs-32"})
    frames = tuple(Frame(n, us / 1e6, sent, data) for n, (us, sent, data) in enumerate(passed, 1))
    text = capture.header_text(header) + "".join(capture.frame_text("B2", frame) for frame in frames)
    path.write_text(text)
    assert capture.read(path) == capture.Capture(header, frames)
    # Whatever passed there, playing it back ends with every request accounted for.
    tally = capture.replay(path)
    assert all(b.requests == b.answered + b.unanswered + b.cut_off for b in tally.boards.values())


def test_a_reply_in_pieces_behind_noise_is_an_answer(write: Write) -> None:
    answer = bytes.fromhex(ANSWER)
    passed = [
        (1.0, True, bytes.fromhex(READ)),
        (1.02, False, b"\xfa" + answer[:2]),
        (1.03, False, answer[2:]),
    ]
    (board,) = capture.replay(write(*passed)).boards.values()
    assert (board.answered, board.noise_bytes, board.sound) == (1, 1, True)
    assert board.latencies_s == [pytest.approx(0.03)]


def test_what_is_no_answer_is_refused_with_its_reason(write: Write) -> None:
    foreign = bytes.fromhex("02 02 01 00 A1 CC")
    read = bytes.fromhex(READ)
    tally = capture.replay(write((1.0, True, read), (1.02, False, foreign), (3.0, True, read)))
    assert not tally.sound
    assert tally.boards[A1].unanswered == 1
    assert tally.boards[A1].reasons.total() == 1


def test_a_refusal_of_the_board_is_one(write: Write) -> None:
    refusal = bytes.fromhex("01 82 02 C1 61")
    tally = capture.replay(write((1.0, True, bytes.fromhex(READ)), (1.02, False, refusal)))
    assert (tally.boards[A1].refused, tally.sound) == (1, False)


def test_a_silence_that_was_too_short_is_counted(write: Write) -> None:
    read, answer = bytes.fromhex(READ), bytes.fromhex(ANSWER)
    passed = [(1.0, True, read), (1.02, False, answer), (1.0225, True, read), (1.045, False, answer)]
    (board,) = capture.replay(write(*passed)).boards.values()
    assert (board.answered, board.short_gaps) == (2, 1)
    assert board.shortest_gap_s == pytest.approx(0.0025)


def requests(name: str) -> list[Request]:
    """One of each kind that boards of this profile are sent."""
    profile, board = boards.load(name), BoardId("A/1")
    wished: list[Request] = [Identify(board), ReadModes(board), ReadCoils(board), Release(board, 1)]
    if profile.inputs:
        wished.append(ReadDoors(board, 1, profile.inputs.channels))
    if profile.locks:
        wished.append(Pulse(board, profile.locks.channels, profile.locks.pulse_default_ms, 0.0))
    return wished


@pytest.mark.parametrize("name", boards.names())
def test_each_familys_questions_are_known_again(name: str, write: Write) -> None:
    profile, passed, at_s = boards.load(name), [], 1.0
    for request in requests(name):
        try:
            passed.append((at_s, True, encode(profile, 1, request).data))
        except ValueError:
            continue  # it has no such question
        at_s += 3
    tally = capture.replay(write(*passed, boards={A1: name}))
    assert not tally.strangers
    board = tally.boards[A1]
    assert (board.requests, board.unanswered, board.cut_off) == (len(passed), len(passed) - 1, 1)


@pytest.mark.parametrize("name", sorted(set(boards.names()) & set(PROFILES)))
def test_each_familys_answer_is_one(name: str, write: Write) -> None:
    """From the simulator's own boards."""
    wired, profile = cabinet_of(name), boards.load(name)
    address = next(plan.address for plan in wired.layout.boards if plan.profile == name)
    board = BoardId(f"A/{address}")
    sent = encode(profile, address, Identify(board)).data
    passed = [(1.0, True, sent), (1.05, False, wired.ask(sent))]
    assert capture.replay(write(*passed, boards={board: name})).boards[board].answered == 1


def test_packets_of_a_gateway_are_understood(write: Write) -> None:
    telegram = packed(encode(boards.load("waveshare-d8"), 1, ReadDoors(A1, 1, 8)), 7)
    answer = bytes.fromhex("00 07 00 00 00 04 01 02 01 20")
    late = bytes.fromhex("00 06") + answer[2:]
    tally = capture.replay(write((1.0, True, telegram.data), (1.01, False, answer), packets=True))
    assert tally.boards[A1].answered == 1
    tally = capture.replay(write((1.0, True, telegram.data), (1.01, False, late), packets=True))
    assert tally.boards[A1].answered == 0


HEADER = capture.header_text(Header("A", Timing(9600), {A1: "waveshare-d8"}))
GOOD = '{"mono_s": 1.0, "line": "A", "kind": "sent", "hex": "01"}'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("rubbish", 1),
        ("[]", 1),
        (HEADER.replace('"version": 1', '"version": 2'), 1),
        (HEADER.replace("9600", "0"), 1),
        (HEADER.replace("waveshare-d8", "waveshare-9"), 1),
        (HEADER + "rubbish\n", 2),
        (f"{HEADER}{GOOD}\n" + GOOD.replace("sent", "seen"), 3),
        (f"{HEADER}{GOOD}\n" + GOOD.replace('"01"', '"0"'), 3),
        (f"{HEADER}{GOOD}\n" + GOOD.replace("1.0", "0.5"), 3),
    ],
)
def test_what_is_no_capture_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(text)
    with pytest.raises(CaptureError, match=f"c.jsonl:{line}: ") as caught:
        capture.replay(path)
    assert caught.value.line == line


def test_kept_captures_are_as_they_are_written() -> None:
    """So that they can be compared by eye, and one made by hand does not slip in."""
    for path in KEPT.glob("*.jsonl"):
        header, *rows = map(json.loads, path.read_text().splitlines())
        assert set(header) == {"version", "line", "baud", "packets", "boards"}
        assert all(list(row) == ["mono_s", "line", "kind", "hex"] for row in rows)
