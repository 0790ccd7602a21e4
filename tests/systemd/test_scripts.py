"""The scripts that root calls, from wherever root stands."""

import subprocess
from pathlib import Path
from typing import Final

import pytest

SYSTEMD: Final = Path(__file__).parents[2] / "systemd"


@pytest.mark.parametrize("script", ["install", "update", "guard", "pack"])
def test_nothing_of_the_folder_one_stands_in_is_run(script: str, tmp_path: Path) -> None:
    for name in ("systemd/__init__.py", "argparse.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text('raise SystemExit("of somebody else")\n')
    asked = subprocess.run(
        [SYSTEMD / script, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert asked.returncode == (2 if script == "guard" else 0), asked.stderr
    assert "somebody else" not in asked.stderr
