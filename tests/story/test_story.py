"""The whole product played through, as `make story` does; what is claimed of it is asserted here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HW_SIM = str(Path(sys.executable).parent / "hw-sim")
VISITS = {
    "drop-off, typed",
    "pickup, scanned",
    "drop-off, door stuck",
    "drop-off, offline",
    "pickup, offline",
    "pickup, killed between",
}


@pytest.mark.processes
@pytest.mark.timeout(120)
def test_a_life_holds_with_all_its_mishaps(tmp_path: Path) -> None:
    file = tmp_path / "story.json"
    done = subprocess.run(
        [HW_SIM, "story", "--json", str(file)], capture_output=True, text=True, timeout=110, check=False
    )
    told = json.loads(file.read_text())
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert told["ok"], told["problem"]
    assert told["ledger_equal"]
    assert told["seconds"] < 90
    assert told["events"] > 100
    # A door that sticks twice costs two pulses that open nothing.
    assert told["pulses"] >= told["openings"] + 2
    assert told["openings"] >= 9
    assert {visit["name"] for visit in told["visits"]} == VISITS
    assert all(0 < visit["seconds"] < 60 for visit in told["visits"])
    assert (told["secrets_found"], told["secrets_where"]) == (0, [])
    assert told["files_searched"] > 10
    assert told["bytes_searched"] > 200_000
    assert "everything held" in done.stdout
    assert done.stderr == ""


@pytest.mark.processes
def test_a_story_that_cannot_begin_says_so_and_leaves_an_outcome(tmp_path: Path) -> None:
    file = tmp_path / "story.json"
    (tmp_path / "used" / "logs").mkdir(parents=True)
    words = [HW_SIM, "story", "--json", str(file), "--keep", str(tmp_path / "used")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "DID NOT HOLD" in done.stderr
    assert "Traceback" not in done.stderr
    told = json.loads(file.read_text())
    assert not told["ok"]
    assert "name a new folder" in told["problem"]
