"""`make soak` knows what it has done, tells what failed, and is stopped with whatever it runs."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.bench import soak
from tests.bench.figures import Sheet
from tests.bench.kept import Kept

INTERRUPTS = """
import os, signal, time
try:
    time.sleep(0.2)
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(60)
except KeyboardInterrupt:
    raise SystemExit(7)
"""


def at(folder: Path, code: str = "c1") -> Kept:
    return Kept(folder / "cache" / "soak.json", code)


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    files = [tmp_path / f"soak_{name}.py" for name in ("a", "b", "c")]
    kept = at(tmp_path)
    assert soak.left(files, kept, 1) == files
    kept.put("soak_a", times=1, ok=True)
    kept.put("soak_b", times=10, ok=False)
    assert soak.left(files, at(tmp_path), 1) == files[2:]
    assert soak.left(files, at(tmp_path), 10) == [files[0], files[2]]
    assert soak.left(files, at(tmp_path, "c2"), 1) == files


def test_figures_and_failures_are_kept_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = tmp_path / "figures.json"

    def runs(words: Sequence[str]) -> int:
        if "good" not in words[-1]:
            return 1
        sheet = Sheet()
        sheet.at_most("grains", 3, "of them", 4)
        sheet.write(figures)
        return 0

    monkeypatch.setattr(soak, "run", runs)
    kept = at(tmp_path)
    assert soak.soak(Path("soak_good.py"), 1, kept, figures)
    assert not soak.soak(Path("soak_bad.py"), 1, kept, figures)
    told = "\n".join(soak.lines(at(tmp_path)))
    assert told.count("grains") == 1
    assert told.count("FAILED") == 1
    assert "FAILED: soak_bad.py\n  again: python -m pytest" in told


def test_every_soak_of_the_project_is_found() -> None:
    names = {file.stem for file in soak.bounded()}
    assert {"soak_journal", "soak_mutants", "soak_processes"} <= names


def test_whoever_is_stopped_stops_what_runs() -> None:
    """The child gets one interrupt, ends as it likes, and is waited for."""
    with pytest.raises(soak.StoppedError) as stopped:
        soak.run(["-c", INTERRUPTS])
    assert stopped.value.status == 7
