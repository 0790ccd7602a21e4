"""The captured and computed frames of the board families this simulator answers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).parents[1] / "golden" / "frames.json"
WAVESHARE: Final = "waveshare-v2"


@dataclass(frozen=True)
class Golden:
    octets: bytes
    meaning: str
    to_board: bool
    good: bool


def frames(family: str = WAVESHARE) -> list[Golden]:
    """Every frame of the family; of a wrongly printed one, the corrected form as a good frame too."""
    found = []
    for row in json.loads(FILE.read_text(encoding="utf-8")):
        if row["board"] != family:
            continue
        to_board = row["direction"].startswith("host->board")
        found.append(
            Golden(bytes.fromhex(row["hex"]), row["meaning"], to_board, row.get("check_ok") is not False)
        )
        if row.get("corrected_hex"):
            found.append(Golden(bytes.fromhex(row["corrected_hex"]), row["meaning"], to_board, good=True))
    return found


def requests() -> list[Golden]:
    return [frame for frame in frames() if frame.to_board and frame.good]


def broken() -> list[Golden]:
    return [frame for frame in frames() if not frame.good]
