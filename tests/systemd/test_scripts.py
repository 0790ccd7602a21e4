"""The scripts that root calls, from wherever root stands."""

import stat
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


@pytest.mark.parametrize("mask", ["022", "077"])
def test_what_is_put_here_may_be_read_whatever_mask_root_has(mask: str, tmp_path: Path) -> None:
    """Hardened machines hand 027 or 077 to whoever signs in; the daemon is another user."""
    words = f'umask {mask}; exec "$0" locker --root "$1" --files-only'
    install = ("sh", "-c", words, str(SYSTEMD / "install"), str(tmp_path))
    subprocess.run(install, capture_output=True, text=True, check=True)
    units = tmp_path / "etc/systemd/system"
    assert stat.S_IMODE(units.stat().st_mode) == 0o755
    assert {stat.S_IMODE(unit.stat().st_mode) for unit in units.glob("*.service")} == {0o644}
