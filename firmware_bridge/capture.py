"""What passed one line's port, kept as a file, and played back into the parsers without any port or clock.

A capture is JSON lines: first ``{"version": 1, "line": "A", "baud": 9600, "packets": false, "boards": {…}}``,
then a line a frame: ``{"mono_s": 1.25, "line": "A", "kind": "sent", "hex": "01 02 …"}``, or ``received``.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from firmware_bridge import boards
from firmware_bridge.boards import BoardProfile
from firmware_bridge.codecs import encode, explain
from firmware_bridge.codecs.modbus import frame as framed
from firmware_bridge.codecs.packets import HEAD, packed
from firmware_bridge.errors import ProfileError, RequestError
from firmware_bridge.exchange import Answered, Exchange, Timing
from firmware_bridge.happenings import Frame
from firmware_bridge.request import (
    AllOff,
    Identify,
    Pulse,
    ReadCoils,
    ReadDoors,
    ReadModes,
    Refused,
    Release,
    Request,
    Telegram,
    Unfit,
)
from locker.domain.ids import BoardId

VERSION: Final = 1
SENT: Final = "sent"
RECEIVED: Final = "received"
ROUNDING_S: Final = 2e-6
"""Times are written down to the microsecond."""
LATE: Final = "its reply came too late"


class CaptureError(Exception):
    """No capture, or a spoilt one. The message names the file, the line and what was expected."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}. Record it anew: lockerctl bus record")
        self.path = path
        self.line = line


@dataclass(frozen=True, slots=True)
class Header:
    line: str
    timing: Timing
    boards: Mapping[BoardId, str]
    """Each board's profile by name, as the recording locker was configured."""


@dataclass(frozen=True, slots=True)
class Capture:
    header: Header
    frames: tuple[Frame, ...]


def header_text(header: Header) -> str:
    row = {
        "version": VERSION,
        "line": header.line,
        "baud": header.timing.baud,
        "packets": header.timing.packets,
        "boards": dict(header.boards),
    }
    return json.dumps(row) + "\n"


def frame_text(line: str, frame: Frame) -> str:
    row = {
        "mono_s": round(frame.at_s, 6),
        "line": line,
        "kind": SENT if frame.sent else RECEIVED,
        "hex": frame.data.hex(" ").upper(),
    }
    return json.dumps(row) + "\n"


def read(path: Path) -> Capture:
    """Raises OSError, or CaptureError where the file is none."""
    texts = path.read_text(encoding="utf-8", errors="replace").splitlines()
    try:
        header = _header(json.loads(texts[0] if texts else ""))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CaptureError(path, 1, f"no header of a capture ({error})") from error
    frames: list[Frame] = []
    for number, text in enumerate(texts[1:], 2):
        try:
            frame = _frame(json.loads(text), number)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CaptureError(path, number, f"no frame ({error})") from error
        if frames and frame.at_s < frames[-1].at_s:
            raise CaptureError(path, number, "earlier than the frame before it")
        frames.append(frame)
    return Capture(header, tuple(frames))


def _header(row: Mapping[str, Any]) -> Header:
    if row["version"] != VERSION:
        raise ValueError(f"version {row['version']} is not {VERSION}")
    names = {BoardId(str(board)): str(profile) for board, profile in dict(row["boards"]).items()}
    baud = int(row["baud"])
    if baud <= 0:
        raise ValueError(f"{baud} baud")
    return Header(str(row["line"]), Timing(baud, packets=bool(row["packets"])), MappingProxyType(names))


def _frame(row: Mapping[str, Any], number: int) -> Frame:
    if row["kind"] not in {SENT, RECEIVED}:
        raise ValueError(f"kind {row['kind']!r} is neither {SENT} nor {RECEIVED}")
    return Frame(number - 1, float(row["mono_s"]), row["kind"] == SENT, bytes.fromhex(row["hex"]))


# --- playing it back ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class BoardTally:
    board: BoardId
    profile: str
    requests: int = 0
    answered: int = 0
    unanswered: int = 0
    cut_off: int = 0
    """The recording ended before its answer could come."""
    refused: int = 0
    """Sound answers that say no."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why bytes that came were not taken for the answer."""
    noise_bytes: int = 0
    short_gaps: int = 0
    """Requests before which the line was not silent for as long as it should be."""
    shortest_gap_s: float = inf
    latencies_s: list[float] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.refused or self.reasons)


@dataclass(slots=True)
class Tally:
    boards: dict[BoardId, BoardTally]
    strangers: Counter[str] = field(default_factory=Counter)
    """What was sent to no board of the capture, in hex: a scan's questions, or the wrong profile."""
    unasked_bytes: int = 0
    """Nobody waited for them."""

    @property
    def sound(self) -> bool:
        """Whether nothing was refused, neither by a board nor by a parser."""
        return all(board.sound for board in self.boards.values())


@dataclass(slots=True)
class _Flight:
    board: BoardTally
    profile: BoardProfile
    telegram: Telegram
    sent_s: float
    came: bytearray = field(default_factory=bytearray)


def replay(path: Path, profiles: Mapping[BoardId, str] = MappingProxyType({})) -> Tally:
    """Feed a capture to the parsers. ``profiles`` replaces what its header says of some boards.

    Raises OSError, CaptureError, or ProfileError for a profile that is not known here.
    """
    capture = read(path)
    try:
        return _Player(capture.header, profiles).play(capture.frames)
    except ProfileError as error:
        raise CaptureError(path, 1, str(error)) from error


class _Player:
    def __init__(self, header: Header, profiles: Mapping[BoardId, str]) -> None:
        names = {board: profiles.get(board, name) for board, name in header.boards.items()}
        self._timing = header.timing
        self._profiles = {board: boards.load(name) for board, name in names.items()}
        self._tally = Tally({board: BoardTally(board, name) for board, name in names.items()})
        self._exchange = Exchange(header.timing)
        self._flight: _Flight | None = None
        self._late: _Flight | None = None
        """Nobody answered it in time; its reply may still come."""
        self._busy_until_s = -inf
        self._known: dict[bytes, tuple[BoardId, Request] | None] = {}

    def play(self, frames: Iterable[Frame]) -> Tally:
        for frame in frames:
            if self._exchange.busy and frame.at_s > self._exchange.expires_s:
                self._unanswered(frame.at_s)
            if frame.sent:
                self._sent(frame)
            else:
                self._received(frame)
        if self._flight is not None:
            self._flight.board.cut_off += 1
        return self._tally

    def _sent(self, frame: Frame) -> None:
        if self._exchange.busy:
            self._unanswered(frame.at_s)
        self._late = None
        gap_s, self._busy_until_s = frame.at_s - self._busy_until_s, frame.at_s
        self._busy_until_s += self._timing.wire_s(len(frame.data))
        found = self._request(frame.data)
        if found is None:
            self._tally.strangers[frame.data.hex(" ").upper()] += 1
            return
        board, request = found
        tally, profile = self._tally.boards[board], self._profiles[board]
        telegram = encode(profile, _address(board), request)
        if self._timing.packets:
            telegram = packed(telegram, HEAD.unpack_from(frame.data)[0])
        tally.requests += 1
        tally.shortest_gap_s = min(tally.shortest_gap_s, gap_s)
        tally.short_gaps += gap_s < self._timing.silence_s - ROUNDING_S
        self._exchange.begin(telegram, profile.transport.reply_timeout_ms / 1000, frame.at_s)
        self._flight = _Flight(tally, profile, telegram, frame.at_s)

    def _received(self, frame: Frame) -> None:
        self._busy_until_s = max(self._busy_until_s, frame.at_s)
        if self._flight is None:
            self._unasked(frame)
            return
        self._flight.came += frame.data
        answer = self._exchange.received(frame.data, frame.at_s)
        if answer is not None:
            self._answered(self._flight.board, answer)
            self._flight = None

    def _answered(self, tally: BoardTally, answer: Answered) -> None:
        tally.answered += 1
        tally.noise_bytes += answer.noise_bytes
        tally.latencies_s.append(answer.took_s)
        if isinstance(answer.reply, Refused | Unfit):
            tally.refused += 1

    def _unanswered(self, at_s: float) -> None:
        self._exchange.expire(at_s, 0.0)
        flight, self._flight = self._flight, None
        if flight is None:
            return
        flight.board.unanswered += 1
        if flight.came:
            flight.board.reasons[_why(flight, packets=self._timing.packets)] += 1
        self._late = flight

    def _unasked(self, frame: Frame) -> None:
        self._tally.unasked_bytes += len(frame.data)
        if self._late is None:
            return
        self._late.came += frame.data
        window = bytes(self._late.came)
        if any(self._late.telegram.match(window[start:]) for start in range(len(window))):
            self._late.board.reasons[LATE] += 1
            self._late = None

    def _request(self, data: bytes) -> tuple[BoardId, Request] | None:
        """Which of our requests to which board these bytes are."""
        plain = _unpacked(data) if self._timing.packets else data
        if plain not in self._known:
            self._known[plain] = next(
                (
                    (board, request)
                    for board, profile in self._profiles.items()
                    for request in _candidates(board, profile, plain)
                    if _is(profile, board, request, plain)
                ),
                None,
            )
        return self._known[plain]


def _address(board: BoardId) -> int:
    return int(board.rpartition("/")[2])


def _unpacked(packet: bytes) -> bytes:
    """Unit and PDU with the checksum that they have on a line, so that one reading does for both."""
    return framed(packet[HEAD.size], packet[HEAD.size + 1 :]) if len(packet) > HEAD.size else packet


def _candidates(board: BoardId, profile: BoardProfile, data: bytes) -> Iterator[Request]:
    """What these bytes may ask, by their own explanation; then what no explanation tells apart."""
    said = explain(profile, data)
    channel, first, count = said.channel or 1, said.first or 1, said.count or 1
    default_ms = profile.locks.pulse_default_ms if profile.locks else 1
    match said.kind:
        case "read_doors":
            yield ReadDoors(board, first, count)
        case "pulse":
            yield Pulse(board, channel, said.pulse_ms or default_ms, inf)
        case "release":
            yield Release(board, channel)
    yield from (Identify(board), ReadModes(board), ReadCoils(board), AllOff(board))


def _is(profile: BoardProfile, board: BoardId, request: Request, data: bytes) -> bool:
    try:
        return encode(profile, _address(board), request).data == data
    except RequestError:
        return False


def _why(flight: _Flight, *, packets: bool) -> str:
    """Why what came is not the answer."""
    if packets:
        return "no packet of that number and unit"
    return explain(flight.profile, bytes(flight.came), flight.telegram.data).reason or "not understood"
