"""A look at a recorded capture: pauses, questions without an answer, checksums that do not hold.

A capture is JSON lines, ``{"mono_s": 1.25, "line": "A", "kind": "sent", "hex": "01 02 …"}`` or ``received``;
a first line without ``kind`` may say ``baud``, and ``packets`` where a Modbus TCP gateway stood between.
Which family speaks is guessed from the frames themselves. Nothing is ever sent.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from hw_sim.boards import kerong, winnsen, wkly, xor8a
from hw_sim.boards.lockboard import xor_of
from hw_sim.boards.modbus import whole
from hw_sim.line import Wire

BAUD: Final = 9600
SENT, RECEIVED = "sent", "received"
QUIET_S: Final = 2.0
"""A pause this long is worth a line."""
SHOWN: Final = 3
ROUNDING_S: Final = 0.000_05
PACKET_HEAD: Final = 6

Check = Callable[[bytes], bool]


class BadCaptureError(ValueError):
    """No capture, or a spoilt one; the message says where."""


def _is_packet(frame: bytes) -> bool:
    """A Modbus TCP packet: its protocol is 0, its length is told."""
    longer = len(frame) > PACKET_HEAD + 1
    return longer and frame[2:4] == b"\0\0" and int.from_bytes(frame[4:6]) == len(frame) - PACKET_HEAD


def _is_wkly(frame: bytes) -> bool:
    sized = len(frame) >= wkly.SHORTEST and frame[wkly.LENGTH_AT] == len(frame)
    return sized and frame.startswith(wkly.HEAD) and xor_of(frame) == 0


def _is_winnsen(frame: bytes) -> bool:
    return len(frame) >= winnsen.SHORTEST and (frame[0], frame[1], frame[-1]) == (
        winnsen.HEAD,
        len(frame),
        winnsen.END,
    )


def _is_kerong(frame: bytes) -> bool:
    framed = len(frame) >= kerong.CU16_SHORTEST and (frame[0], frame[-2]) == (kerong.STX, kerong.ETX)
    return framed and sum(frame[:-1]) & 0xFF == frame[-1]


def _is_kerong_order(frame: bytes) -> bool:
    """Openings of this family are never answered."""
    longer = len(frame) == kerong.CU48_LENGTH
    return frame[3] == kerong.CU48_UNLOCK if longer else frame[2] in {kerong.UNLOCK, kerong.UNLOCK_ALL}


def _is_xor8a(frame: bytes) -> bool:
    return len(frame) >= xor8a.SHORT and bool(frame[0] & xor8a.QUERY) and xor_of(frame) == 0


FAMILIES: Final[Mapping[str, Check]] = MappingProxyType(
    {  # the tellers of more come first: where two fit alike, the first one is guessed
        "modbus-tcp": _is_packet,
        "modbus": whole,
        "wkly": _is_wkly,
        "winnsen": _is_winnsen,
        "kerong": _is_kerong,
        "xor8a": _is_xor8a,
    }
)


@dataclass(frozen=True, slots=True)
class Frame:
    at_s: float
    sent: bool
    octets: bytes


@dataclass(slots=True)
class Talk:
    """One question and all that came until the next one."""

    at_s: float
    question: bytes
    answer: bytes = b""
    heard_s: float = 0.0


@dataclass(slots=True)
class Report:
    line: str
    family: str
    """The guess; empty where no frame of any family was sent."""
    questions: int = 0
    unanswered: list[float] = field(default_factory=list)
    broken: list[tuple[float, str]] = field(default_factory=list)
    """Answers in which no whole frame of the family is."""
    stray_octets: int = 0
    """Before whole answers, or before anybody asked."""
    unreadable: list[str] = field(default_factory=list)
    """Questions that are no frame of the family."""
    gaps_s: list[float] = field(default_factory=list)
    short_gaps: int = 0
    quiet: list[tuple[float, float]] = field(default_factory=list)
    """Pauses: when, and how long."""
    latencies_s: list[float] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.unanswered or self.broken or self.unreadable or self.short_gaps)


def look(path: Path) -> int:
    """Print what is found; 0: nothing wrong, 1: something is, 2: no capture."""
    try:
        reports = judged(path.read_text(encoding="utf-8", errors="replace").splitlines())
    except (OSError, BadCaptureError) as error:
        print(f"hw-sim diagnose: {path}: {error}", file=sys.stderr)
        return 2
    for report in reports:
        print("\n".join(_lines(report)))
    return 0 if all(report.sound for report in reports) else 1


def judged(texts: Sequence[str]) -> list[Report]:
    """A report a line of the cabinet. BadCaptureError."""
    frames: dict[str, list[Frame]] = {}
    head: Mapping[str, Any] = {}
    for number, text in enumerate(texts, start=1):
        row = _row(number, text)
        if number == 1 and "kind" not in row:
            head = row
            continue
        frames.setdefault(str(row.get("line", "")), []).append(_frame(number, row))
    if not frames:
        raise BadCaptureError("there is no frame in it; record one: lockerctl bus record")
    baud = head.get("baud", BAUD)
    if not isinstance(baud, int) or baud <= 0:
        raise BadCaptureError(f"line 1: baud = {baud!r} is no speed")
    wire = Wire(baud)
    # A gateway keeps the silence of the line behind it by itself, and takes a packet at once.
    char_s, needed_s = (0.0, 0.0) if head.get("packets") else (wire.char_s, wire.silence_s)
    return [_report(line, each, char_s, needed_s) for line, each in sorted(frames.items())]


def _row(number: int, text: str) -> Mapping[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadCaptureError(f"line {number}: {error}") from None
    if not isinstance(row, dict):
        raise BadCaptureError(f"line {number}: no JSON object")
    return row


def _frame(number: int, row: Mapping[str, Any]) -> Frame:
    try:
        kind, octets, at_s = row["kind"], bytes.fromhex(row["hex"]), float(row["mono_s"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadCaptureError(f"line {number}: no frame ({error!r})") from None
    if kind not in {SENT, RECEIVED}:
        raise BadCaptureError(f"line {number}: kind is {SENT} or {RECEIVED}, not {kind!r}")
    return Frame(at_s, kind == SENT, octets)


def guessed(frames: Iterable[bytes]) -> str:
    """The family that most of these are whole frames of; empty where none is."""
    questions = list(frames)
    scores = {name: sum(map(check, questions)) for name, check in FAMILIES.items()}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] else ""


def _report(line: str, frames: Sequence[Frame], char_s: float, needed_s: float) -> Report:
    report = Report(line, guessed(frame.octets for frame in frames if frame.sent))
    talks = list(_talks(frames, report))
    check = FAMILIES.get(report.family)
    free_s: float | None = None
    for talk in talks:
        report.questions += 1
        if free_s is not None:
            _pause(report, talk.at_s, talk.at_s - free_s, needed_s)
        free_s = max(talk.at_s + len(talk.question) * char_s, talk.heard_s)
        if check is not None:
            _judge(report, talk, check)
    return report


def _talks(frames: Sequence[Frame], report: Report) -> Iterator[Talk]:
    talk: Talk | None = None
    for frame in frames:
        if frame.sent:
            if talk is not None:
                yield talk
            talk = Talk(frame.at_s, frame.octets)
        elif talk is None:
            report.stray_octets += len(frame.octets)
        else:
            talk.answer += frame.octets
            talk.heard_s = frame.at_s
    if talk is not None:
        yield talk


def _pause(report: Report, at_s: float, gap_s: float, needed_s: float) -> None:
    report.gaps_s.append(gap_s)
    report.short_gaps += gap_s < needed_s - ROUNDING_S
    if gap_s > QUIET_S:
        report.quiet.append((at_s - gap_s, gap_s))


def _judge(report: Report, talk: Talk, check: Check) -> None:
    if not check(talk.question):
        report.unreadable.append(talk.question.hex(" ").upper())
    answer = (
        talk.answer.replace(talk.question, b"", 1) if len(talk.answer) > len(talk.question) else talk.answer
    )
    if not answer:
        if not (report.family == "kerong" and _is_kerong_order(talk.question)):
            report.unanswered.append(talk.at_s)
        return
    found = next(
        (
            (start, end)
            for start in range(len(answer))
            for end in range(len(answer), start, -1)
            if check(answer[start:end])
        ),
        None,
    )
    if found is None:
        report.broken.append((talk.at_s, talk.answer.hex(" ").upper()))
        return
    report.stray_octets += len(answer) - (found[1] - found[0])
    report.latencies_s.append(talk.heard_s - talk.at_s)


def _lines(report: Report) -> Iterator[str]:
    guess = report.family or "no family that is known"
    yield f"line {report.line or '?'}: {report.questions} questions, by their look {guess}"
    if report.latencies_s:
        ordered = [each_s * 1000 for each_s in sorted(report.latencies_s)]
        middle_ms, late_ms = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
        yield f"  answers after {middle_ms:.1f} ms, 99 % within {late_ms:.1f} ms"
    if report.gaps_s:
        yield f"  shortest silence {min(report.gaps_s) * 1000:.2f} ms; too short {report.short_gaps} times"
    for at_s, gap_s in report.quiet[:SHOWN]:
        yield f"  nothing was asked for {gap_s:.1f} s from {at_s:.3f} s on"
    yield from _some("unanswered", [f"at {at_s:.3f} s" for at_s in report.unanswered])
    yield from _some("checksum or frame wrong", [f"at {at_s:.3f} s: {text}" for at_s, text in report.broken])
    yield from _some("questions that are no such frame", report.unreadable)
    if report.stray_octets:
        yield f"  {report.stray_octets} stray octets"


def _some(what: str, found: Sequence[str]) -> Iterator[str]:
    if found:
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        yield f"  {what}: {len(found)} ({'; '.join(found[:SHOWN])}{more})"
