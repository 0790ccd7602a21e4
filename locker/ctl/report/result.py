"""What a self-test found, gathered from its facts as they come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

FORMAT: Final = 1
"""Rises when a key of the JSON changes its meaning."""

Row = Mapping[str, Any]


@dataclass(slots=True)
class Result:
    """``locker`` and ``software``: as the daemon names them."""

    locker: str
    software: str
    began: Row = field(default_factory=dict)
    ended: Row = field(default_factory=dict)
    boards: list[Row] = field(default_factory=list)
    doors: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)

    def add(self, fact: Row) -> None:
        """One fact more; steps are of the moment and not kept."""
        row = {name: value for name, value in fact.items() if name != "kind"}
        match fact["kind"]:
            case "Began":
                self.began = row
            case "BoardResult":
                self.boards.append(row)
            case "DoorResult":
                self.doors.append(row)
            case "LineResult":
                self.lines.append(row)
            case "Ended":
                self.ended = row

    @property
    def verdict(self) -> str:
        """``passed``, ``failed`` or ``incomplete``; the last one also where its end never came."""
        return str(self.ended.get("verdict", "incomplete"))

    def as_json(self) -> Row:
        return {
            "format": FORMAT,
            "locker": self.locker,
            "software": self.software,
            "verdict": self.verdict,
            "began": self.began,
            "ended": self.ended,
            "boards": self.boards,
            "doors": sorted(self.doors, key=lambda door: int(door["door"])),
            "lines": self.lines,
        }


def total(line: Row, what: str) -> int:
    """Of all boards of a line: ``asked``, ``missed``, ``refused`` or ``noise_bytes``."""
    return sum(int(board[what]) for board in line["boards"])


def seen_ms(door: Row) -> int | None:
    """From the pulse, as far as it is known, until the opening was believed."""
    if door["opened_ms"] is None:
        return None
    return max(0, int(door["opened_ms"]) - int(door["acknowledged_ms"] or 0))
