"""What `hw-sim fleet` refuses before it begins, its keys, its figures, and how ledgers are compared."""

import argparse
import csv
from pathlib import Path
from typing import Any

import pytest

from hw_sim.fleet import keys
from hw_sim.fleet.command import arguments, run
from hw_sim.fleet.figures import share
from hw_sim.fleet.journal import Journal
from hw_sim.fleet.ledgers import Comparison, compare_rows
from locker.domain import chain
from tests.hw_sim.fleet.lives import NAME, life


def asked(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--make-keys",), "--keys"),
        (("--broker", "mqtt://127.0.0.1:1"), "--keys"),
        (("--broker", "http://127.0.0.1:1", "--keys", "nowhere"), "mqtt://"),
        (("--broker", "mqtt://127.0.0.1:1", "--keys", "nowhere"), "--make-keys"),
        (("--broker", "mqtt://127.0.0.1:1", "--keys", "nowhere", "--hub", "http://x"), "--api-key-file"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(asked(*words)) == 1
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_keys_are_made_once_and_wait_for_the_hubs_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--make-keys", "--lockers", "3", "--keys", str(tmp_path / "keys"))
    assert run(asked(*words)) == 0
    assert "enrol-many" in capsys.readouterr().out
    with (tmp_path / "keys" / keys.LOCKERS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["locker"] for row in rows] == ["fleet-0001", "fleet-0002", "fleet-0003"]
    assert len({row["public"] for row in rows}) == 3
    assert (tmp_path / "keys" / keys.SECRETS).stat().st_mode & 0o777 == 0o600
    with pytest.raises(keys.NoKeysError, match="enrol-many"):
        keys.load(tmp_path / "keys", 3)
    with pytest.raises(keys.NoKeysError, match="not of 4"):
        keys.load(tmp_path / "keys", 4)
    assert run(asked(*words)) == 1


@pytest.mark.parametrize(("percent", "value"), [(50, 51), (95, 96), (99, 100)])
def test_shares(percent: int, value: float) -> None:
    assert share(list(range(100, 0, -1)), percent) == value
    assert share([], percent) == 0


def stored(journal: Journal) -> list[dict[str, Any]]:
    return [
        {
            "seq": row.seq,
            "public": row.public,
            "personal_digest": chain.personal_digest(row.salt, row.personal.encode()).hex(),
            "hash": row.hash.hex(),
            "problem": "",
        }
        for row in journal.rows(0, journal.head)
    ]


def test_ledgers_are_compared_row_by_row(tmp_path: Path) -> None:
    journal = life(tmp_path, 30).journal
    ours = journal.rows(0, journal.head)

    def compared(rows: list[dict[str, Any]]) -> Comparison:
        found = Comparison()
        compare_rows(NAME, ours, rows, found)
        return found

    rows = stored(journal)
    assert (compared(rows).equal, compared(rows).rows) == (True, len(ours))
    assert compared(rows[:-1]).lost == 1
    assert compared([*rows, rows[3]]).doubled == 1
    assert compared([*rows, {**rows[3], "seq": len(ours) + 1}]).doubled == 1
    for name in ("public", "personal_digest", "hash"):
        found = compared([{**rows[0], name: "x"}, *rows[1:]])
        assert (found.changed, found.equal, found.first) == (1, False, [f"{NAME}: entry 1 is another"])
    puzzled = compared([{**rows[0], "problem": "why"}, *rows[1:]])
    assert (puzzled.quarantined, puzzled.equal) == (1, True)
