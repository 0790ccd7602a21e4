"""What the work of a night came to, kept where the daemon sees it: one small file each."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from sync import durable

FOLDER: Final = "results"
"""In the state's folder."""
NIGHTLY: Final = ("verify", "backup", "check", "rehearse", "update")
"""The journal's links; the copy on the second medium; boards and doors without a pulse; a copy read in full;
and the last change of release, at whatever hour."""
TOLD_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Result:
    when_ms: int
    """Wall time; may be wrong where the clock was."""
    ok: bool
    told: str = ""
    """What was found, in a sentence."""


def keep(state_dir: Path, name: str, result: Result) -> None:
    """In place of the one before. Raises OSError."""
    folder = state_dir / FOLDER
    durable.make_folder(folder)
    fresh = folder / f"{name}.fresh"
    fresh.unlink(missing_ok=True)
    text = json.dumps(asdict(Result(result.when_ms, result.ok, result.told[:TOLD_MAX])), ensure_ascii=False)
    durable.write_new(fresh, f"{text}\n")
    fresh.replace(folder / f"{name}.json")
    durable.sync_folder(folder)


def read(state_dir: Path) -> Mapping[str, Result]:
    """Of each that was kept and can be read; never raises for one that cannot."""
    found = {}
    for name in NIGHTLY:
        with contextlib.suppress(OSError, ValueError, TypeError):
            values = json.loads((state_dir / FOLDER / f"{name}.json").read_text(encoding="utf-8"))
            result = Result(**values)
            if (type(result.when_ms), type(result.ok), type(result.told)) == (int, bool, str):
                found[name] = result
    return found
