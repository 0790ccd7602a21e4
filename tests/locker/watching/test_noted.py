"""Timers keep how their work ended; whoever types the same command leaves no trace of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from locker import ctl
from locker.ctl.doctor_checks import DAY_MS, Grade, night
from locker.watching import results
from locker.watching.results import Result
from tests.locker.configured import write


def run(config: Path, *words: str) -> int:
    all_words = [*words, "--config", str(config)]
    arguments = ctl._parser(all_words).parse_args(all_words)
    return int(arguments.run(arguments))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("check", ["check"]),
        ("verify", ["journal", "verify"]),
        ("rehearse", ["journal", "rehearse"]),
        ("backup", ["backup", "--to", "copies"]),
    ],
)
def test_what_failed_is_kept_where_a_timer_asked(name: str, words: list[str], tmp_path: Path) -> None:
    """There is neither daemon nor journal."""
    config = write(tmp_path)
    state = tmp_path / "state"
    words = [str(tmp_path / word) if word == "copies" else word for word in words]
    assert run(config, *words) != 0
    assert results.read(state) == {}
    assert run(config, *words, "--note") != 0
    kept = results.read(state)
    assert list(kept) == [name]
    assert not kept[name].ok
    assert kept[name].told


def test_the_doctor_asks_how_the_nights_went(tmp_path: Path) -> None:
    machine = cast("Any", SimpleNamespace(config=SimpleNamespace(state_dir=tmp_path), wall_ms=100 * DAY_MS))
    assert list(night(machine)) == []
    for name, days, ok in (
        ("verify", 1, False),
        ("backup", 4, True),
        ("check", 3, True),
        ("rehearse", 9, True),
    ):
        results.keep(tmp_path, name, Result((100 - days) * DAY_MS, ok, "entry 12" if not ok else ""))
    verify, backup = night(machine)
    assert (verify.grade, verify.told) == (Grade.BAD, "verify: entry 12")
    assert (backup.grade, backup.told) == (Grade.LOOK, "backup: last done 4 days ago")
