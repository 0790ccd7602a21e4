"""A process that dies at any point has lost nothing of what it was told is durable."""

from pathlib import Path

import pytest

from tests.locker.journal.killing import killed

ROUNDS = 5


@pytest.mark.processes
def test_killed_again_and_again(tmp_path: Path) -> None:
    """One journal through all the rounds: each starts from what the one before left."""
    path, before = tmp_path / "journal.sqlite3", 0
    for seed in range(ROUNDS):
        left = killed(path, seed)
        assert before < left.acknowledged <= left.state.seq
        assert (left.differences, left.wrong) == ([], "")
        before = left.state.seq
