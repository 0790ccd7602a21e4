"""A small fleet on a real broker and a real hub, through a storm and with people before it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]
PATIENCE_S = 200.0
TROUBLES = ("--storm", "--churn", "300", "--rate", "8", "--pace", "20", "--duration", "3")


def test_every_journal_is_at_the_hub_row_by_row_and_hash_by_hash(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    size = ("--lockers", "20", "--events", "50", "--patience", "30")
    command = [sys.executable, "-m", "hw_sim", "fleet", *size, *TROUBLES, "--json", str(told)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(told.read_text(encoding="utf-8"))
    assert found["entries"] > found["backlog"] >= 20 * 50
    assert found["losses"]["storm"] > 10
    assert found["connections"] > 30
    assert found["applied"] >= 20, "the helper came down to every locker"
    assert found["acknowledged_s"]["p99"] > 0
    assert (found["lost"], found["doubled"], found["changed"], found["quarantined"]) == (0, 0, 0, 0)
    assert (found["alarms"], found["behind"], found["hub_dropped"]) == (0, 0, 0)
    assert "everything held" in done.stdout
