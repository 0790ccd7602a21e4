"""What a line and its boards have been like lately: figures for status, self-test and service page."""

from dataclasses import dataclass

from locker.domain.ids import BoardId


@dataclass(frozen=True, slots=True)
class BoardFigures:
    board: BoardId
    profile: str
    quality: str
    """Of the profile: ``bronze``, ``silver``, ``gold`` or ``experimental``."""
    standing: str
    """``starting``, ``serving``, ``doubted``, ``lost`` or ``locked_out``."""
    why: str
    asked: int
    missed: int
    refused: int
    noise_bytes: int
    latency_ms: float
    """Of whole transactions, smoothed."""
    latencies_ms: tuple[float, ...]
    """Of the last reads, oldest first; at most 256."""
    levels: tuple[bool | None, ...]
    """The last reading of its inputs, from channel ``first``; None: this one was not to be read."""
    first: int

    @property
    def error_rate(self) -> float:
        """Share of questions without a fitting reply."""
        return self.missed / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True)
class LineFigures:
    line: str
    url: str
    baud: int
    utilisation: float
    """Share of the time in which the line was in use since its port was opened."""
    detection_s: float
    """An opening is believed at most this long after it happened, by the configuration's own reckoning."""
    shortest_silence_ms: float
    """Kept before a request since the port was opened; 0 before the second request."""
    needed_silence_ms: float
    boards: tuple[BoardFigures, ...]
