"""What is too long for the test run, and then worlds until it is stopped: `make soak`.

python -m tests.bench.soak [TIMES]

Each ``soak_*.py`` in a process of its own, once for a state of the code; TIMES makes them longer. What has
been done, with its figures, is in ``.cache/soak.json``: whoever is stopped, or killed, goes on with the next
file. A file that fails is told, and the others still run. Then `tests.world --forever`, which keeps its own
place. Ctrl-C and SIGTERM stop it; it ends with 1 where anything was wrong.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench.figures import Figure, Sheet
from tests.bench.kept import CACHE, Kept, version

HERE: Final = Path(__file__).parent
KEPT: Final = CACHE / "soak.json"
FIGURES: Final = CACHE / "soak-figures.json"
PYTEST: Final = ("-m", "pytest", "--timeout=0", "--capture=no", "--quiet", "-o", "python_files=soak_*.py")


class StoppedError(Exception):
    """By Ctrl-C or SIGTERM; with the exit status of what was running."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def bounded(folder: Path = HERE) -> list[Path]:
    """Every file that ends by itself."""
    return sorted(folder.rglob("soak_*.py"))


def left(files: Sequence[Path], kept: Kept, times: int) -> list[Path]:
    """Those that have not been done, or only for a shorter time."""
    return [file for file in files if file.stem not in kept or kept[file.stem]["times"] < times]


def run(words: Sequence[str]) -> int:
    """The exit status of this Python with ``words``. What stops us stops it first. Raises StoppedError."""
    process = subprocess.Popen([sys.executable, *words], process_group=0)
    try:
        return process.wait()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGINT)
        raise StoppedError(process.wait()) from None


def soak(file: Path, times: int, kept: Kept, figures: Path = FIGURES) -> bool:
    """Whether it went well; noted with its figures."""
    figures.unlink(missing_ok=True)
    begun_s = time.monotonic()
    status = run([*PYTEST, f"--figures={figures}", f"--times={times}", str(file)])
    rows = json.loads(figures.read_text(encoding="utf-8"))["figures"] if figures.exists() else []
    took_s = round(time.monotonic() - begun_s)
    kept.put(file.stem, times=times, ok=status == 0, took_s=took_s, file=str(file), figures=rows)
    return status == 0


def lines(kept: Kept) -> list[str]:
    """All figures of this state of the code, and which file failed."""
    failed = [str(kept[name]["file"]) for name in kept if not kept[name]["ok"]]
    again = [f"FAILED: {file}\n  again: python {' '.join(PYTEST)} {file}" for file in failed]
    return [*Sheet([_figure(row) for name in kept for row in kept[name]["figures"]]).lines(), *again]


def _figure(row: dict[str, Any]) -> Figure:
    return Figure(**{name: value for name, value in row.items() if name != "holds"})


def main(words: Sequence[str]) -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    times, kept = int(words[0]) if words else 1, Kept(KEPT, version())
    try:
        _bounded(times, kept)
        print("\nsoak: now worlds, until Ctrl-C; what is wrong is told at once", flush=True)
        return run(["-m", "tests.world", "--forever"]) or _failed(kept)
    except StoppedError as stopped:
        print("\nsoak: stopped; the next `make soak` goes on from here", flush=True)
        return _failed(kept) or stopped.status


def _bounded(times: int, kept: Kept) -> None:
    files = bounded()
    todo = left(files, kept, times)
    for n, file in enumerate(todo, len(files) - len(todo) + 1):
        print(f"\nsoak: {n} of {len(files)}, {file.stem}, at {kept.code}", flush=True)
        word = "went well" if soak(file, times, kept) else "FAILED"
        print(f"soak: {file.stem} {word} after {kept[file.stem]['took_s']:,} s", flush=True)
    print("\n".join(lines(kept)), flush=True)


def _failed(kept: Kept) -> int:
    return int(any(not kept[name]["ok"] for name in kept))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
