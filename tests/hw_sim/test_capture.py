"""A recorded capture looked at: what is missing, late or broken in it, whatever family speaks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hw_sim.__main__ import main
from hw_sim.capture import BadCaptureError, guessed, judged
from tests.hw_sim import golden
from tests.hw_sim.wired import frame

ASK = frame("01 02 00 00 00 08")
ANSWER = frame("01 02 01 FF")


def told(at_s: float, kind: str, octets: bytes, line: str = "A") -> str:
    return json.dumps({"mono_s": at_s, "line": line, "kind": kind, "hex": octets.hex(" ")})


def polls(count: int, answer: bytes = ANSWER, from_s: float = 0.0) -> Iterator[str]:
    for at_s in (from_s + turn * 0.1 for turn in range(count)):
        yield told(at_s, "sent", ASK)
        yield told(at_s + 0.02, "received", answer[:2])
        yield told(at_s + 0.025, "received", answer[2:])


def test_a_sound_line_is_sound() -> None:
    (report,) = judged([json.dumps({"version": 1, "baud": 9600}), *polls(20)])
    assert report.sound
    assert (report.family, report.questions, report.stray_octets) == ("modbus", 20, 0)
    assert report.latencies_s == pytest.approx([0.025] * 20)
    assert min(report.gaps_s) == pytest.approx(0.075)


def test_what_is_wrong_is_said() -> None:
    broken = bytes([*ANSWER[:-1], ANSWER[-1] ^ 1])
    texts = [
        *polls(5),
        told(1.0, "sent", ASK),  # nobody answers
        *polls(1, broken, 2.0),
        *polls(1, b"\xff\x00" + ANSWER, 3.0),
        told(9.0, "sent", ASK),
        told(9.02, "received", ANSWER),
        told(9.0205, "sent", ASK),  # the silence is cut short
        told(9.06, "received", ANSWER),
    ]
    (report,) = judged(texts)
    assert report.unanswered == [1.0]
    assert [at_s for at_s, _ in report.broken] == [2.0]
    assert (report.stray_octets, report.short_gaps) == (2, 1)
    assert [round(gap_s) for _, gap_s in report.quiet] == [6]
    assert not report.sound


def test_a_gateway_keeps_its_own_silence() -> None:
    packet = bytes.fromhex("00 01 00 00 00 06 01 02 00 00 00 08")
    reply = bytes.fromhex("00 01 00 00 00 04 01 02 01 FF")
    texts = [json.dumps({"baud": 9600, "packets": True})]
    for turn in range(4):
        texts += [told(turn / 100, "sent", packet), told(turn / 100 + 0.009, "received", reply)]
    (report,) = judged(texts)
    assert (report.family, report.sound) == ("modbus-tcp", True)


FAMILIES = [
    ("xor8a", "80 01 00 33 B2", "80 01 FF FF FF 33 4D"),
    ("wkly", "57 4B 4C 59 08 00 84 85", "57 4B 4C 59 0B 00 84 00 01 01 86"),
    ("kerong", "02 00 30 03 35", "02 00 35 FF FF 00 00 03 38"),
    ("winnsen", "90 07 02 01 FF FF 03", "90 07 82 01 00 00 03"),
]


@pytest.mark.parametrize(("family", "question", "answer"), FAMILIES)
def test_families_are_told_apart(family: str, question: str, answer: str) -> None:
    texts = []
    for turn in range(3):
        texts += [
            told(turn, "sent", bytes.fromhex(question)),
            told(turn + 0.1, "received", bytes.fromhex(answer)),
        ]
    (report,) = judged(texts)
    assert report.family == family
    assert (report.broken, report.unreadable, report.unanswered) == ([], [], [])


def test_an_order_that_is_never_answered_is_not_missed() -> None:
    order = bytes.fromhex("02 00 31 03 36")
    (report,) = judged([told(0, "sent", order), told(1, "sent", order)])
    assert (report.family, report.unanswered) == ("kerong", [])


GOLDEN = {
    "8a-xor": "xor8a",
    "wkly": "wkly",
    "winnsen": "winnsen",
    "kerong-cu16": "kerong",
    "kerong-cu48": "kerong",
    "scanner-gm65": "",
} | dict.fromkeys(("waveshare-v2", "eletechsup-r4", "generic-fc05-8ch", "kerong-cu48-modbus"), "modbus")


@pytest.mark.parametrize(("board", "family"), GOLDEN.items())
def test_every_captured_frame_is_of_its_family(board: str, family: str) -> None:
    good = [each.octets for each in golden.frames(board) if each.good]
    assert good
    assert [octets.hex() for octets in good if guessed([octets]) != family] == []


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["{}"],
        ["no json"],
        ["[]"],
        [told(0, "sent", ASK), "{"],
        [told(0, "heard", ASK)],
        ['{"kind": "sent", "mono_s": 1, "hex": "zz"}'],
        ['{"kind": "sent", "hex": "00"}'],
        ['{"baud": "fast"}', told(0, "sent", ASK)],
    ],
    ids=str,
)
def test_what_is_no_capture_is_refused(texts: list[str]) -> None:
    with pytest.raises(BadCaptureError):
        judged(texts)


def test_the_command_says_it_in_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jsonl"

    def said(*texts: Any) -> tuple[int, str]:
        path.write_text("\n".join(texts), encoding="utf-8")
        code = main(["diagnose", "--capture", str(path)])
        return code, "".join(capsys.readouterr())

    assert said(*polls(3))[0] == 0
    code, text = said(*polls(3), told(1.0, "sent", ASK, "B"))
    assert (code, "line B: 1 questions" in text, "unanswered: 1 (at 1.000 s)" in text) == (1, True, True)
    assert said("nonsense")[0] == 2
    assert main(["diagnose", "--capture", str(tmp_path / "none")]) == 2
