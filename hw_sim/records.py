"""What the simulator has seen, as JSON lines for judges: frames, pulses, moves. Bounded on disk.

A judge reads these, not what a driver says of itself. `mono_s` counts as in every process of the machine.
"""

import json
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from hw_sim.clock import wall_iso

FILE_LIMIT: Final = 8 * 1024 * 1024
KEPT_IN_MEMORY: Final = 1_000


class Record:
    """One file of JSON lines. At its limit it becomes `NAME.1.jsonl`, replacing the one before."""

    def __init__(self, path: Path, limit: int = FILE_LIMIT) -> None:
        self._path = path
        self._limit = limit
        self._file: TextIO = path.open("w", encoding="utf-8", buffering=1)
        self._size = 0
        self._count = 0
        self.latest: deque[dict[str, Any]] = deque(maxlen=KEPT_IN_MEMORY)

    def add(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Append a row with its number `n` from 1 and the wall time `at`; returns it as written."""
        self._count += 1
        full = {"n": self._count, "at": wall_iso(), **row}
        text = json.dumps(full, ensure_ascii=False) + "\n"
        if self._size + len(text) > self._limit:
            self._turn()
        self._file.write(text)
        self._size += len(text)
        self.latest.append(full)
        return full

    def close(self) -> None:
        self._file.close()

    def _turn(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_suffix(f".1{self._path.suffix}"))
        self._file = self._path.open("w", encoding="utf-8", buffering=1)
        self._size = 0
