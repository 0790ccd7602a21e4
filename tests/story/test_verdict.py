"""The story's judge can say no: a changed hash, a missing row, a code that was written down."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hw_sim import verdict
from hw_sim.damm import check_digit
from hw_sim.search import search
from hw_sim.verdict import Outcome, Visit

CODE, PHONE = "31176543215", "13812345678"


def rows(count: int) -> list[dict[str, Any]]:
    return [{"seq": n, "public": f"entry {n}", "hash": f"{n:064x}"} for n in range(1, count + 1)]


def test_equal_is_equal() -> None:
    assert verdict.difference(rows(5), rows(5)) == ""


@pytest.mark.parametrize("at", [0, 2, 4])
@pytest.mark.parametrize(("name", "value"), [("hash", "0" * 64), ("public", "entry x"), ("seq", 9)])
def test_one_changed_row_is_a_difference_on_either_side(at: int, name: str, value: object) -> None:
    changed = rows(5)
    changed[at][name] = value
    assert name in verdict.difference(rows(5), changed) or "entry" in verdict.difference(rows(5), changed)
    assert verdict.difference(changed, rows(5)) != ""


def test_a_row_too_few_or_too_many_is_a_difference() -> None:
    assert "5 entries, the ledger 4" in verdict.difference(rows(5), rows(4))
    assert "4 entries, the ledger 5" in verdict.difference(rows(4), rows(5))
    assert "both are empty" in verdict.difference([], [])
    assert verdict.difference(rows(5)[1:], rows(5)[1:]) != ""
    assert verdict.difference(rows(5)[::-1], rows(5)[::-1]) != ""


def test_it_all_held_only_where_everything_did() -> None:
    def outcome(**changed: Any) -> Outcome:
        return Outcome(**{"ledger_equal": True, "files_searched": 3} | changed)

    assert outcome().ok
    assert not outcome(problem="something").ok
    assert not outcome(ledger_equal=False).ok
    assert not outcome(files_searched=0).ok
    assert not outcome(secrets_where=["hub.log: a code"]).ok
    assert outcome(secrets_where=["a", "b"]).as_json()["secrets_found"] == 2
    assert "ledger_equal" in outcome().table()


def event(kind: str, mono: int = 0, **data: object) -> dict[str, Any]:
    return {"type": kind, "mono": mono, "data": data}


LIFE = [
    event("CompartmentReserved", deposit="d1", case="C", item=""),
    event("OpeningRequested", 1_000, deposit="d1", grant="g1", purpose="drop_off"),
    event("PulseNotSent", grant="g1"),
    event("OpeningRequested", 2_000, deposit="d1", grant="g2", purpose="drop_off"),
    event("DoorOpened", 2_500, door=1, grant="g2"),
    event("DoorClosed", 5_250, door=1, grant="g2"),
    event("CompartmentReserved", deposit="d2", case="C", item="i1"),
    event("OpeningRequested", 9_000, deposit="d2", grant="g3", purpose="load"),
    event("DoorClosed", 9_900, door=2, grant="g3"),
    event("OpeningRequested", 20_000, deposit="d2", grant="g4", purpose="pick_up"),
    event("DoorOpened", 20_100, door=2, grant="g4"),
    event("DoorClosed", 21_000, door=2, grant="g4"),
]


def test_figures_are_taken_from_the_right_visit() -> None:
    assert verdict.granted(LIFE) == 3
    assert verdict.opened(LIFE) == 2
    assert verdict.seconds(LIFE, Visit("in", "drop_off", "C")) == {"name": "in", "seconds": 4.25}
    assert verdict.seconds(LIFE, Visit("out", "pick_up", "d2")) == {"name": "out", "seconds": 1.0}
    last = verdict.last_about(LIFE, "DoorClosed", case="C")
    assert last is not None
    assert last["mono"] == 21_000
    assert verdict.last_about(LIFE, "DoorClosed", deposit="d1") == LIFE[5]
    assert verdict.last_about(LIFE, "DoorForced", deposit="d1") is None


def test_a_code_that_was_written_down_is_found(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "clean.log").write_text("nothing here, 3117654321, 138******78\n")
    secrets = [("a typed code", CODE), ("a phone number", PHONE)]
    clean = search(tmp_path, secrets)
    assert (clean.files, clean.where) == (1, ())
    assert clean.bytes > 0
    (tmp_path / "logs" / "hub.log").write_text(f"POST ?to={PHONE}\n")
    (tmp_path / "frames.jsonl").write_text(json.dumps({"shown": "311 7654 3215"}))
    with closing(sqlite3.connect(tmp_path / "x.sqlite")) as database:
        database.execute("PRAGMA page_size = 512")
        database.execute("CREATE TABLE t (a)")
        database.executemany("INSERT INTO t VALUES (?)", [("x" * n + CODE,) for n in range(440, 520)])
        database.commit()
    found = search(tmp_path, secrets)
    assert found.where == (
        "frames.jsonl: a typed code",
        "logs/hub.log: a phone number",
        "x.sqlite: a typed code",
    )
    assert found.files == 4
    assert CODE not in repr(found)


def test_a_key_that_was_written_down_is_found(tmp_path: Path) -> None:
    key = "VGhpcyBpcyBhIGtleQ"
    (tmp_path / "log").write_bytes(f"-{key[:-1]}-".encode())
    assert search(tmp_path, [("a key", key)]).where == ()
    (tmp_path / "wal").write_bytes(b"\1\2" + key.encode() + b"\0" * 9000)
    found = search(tmp_path, [("a key", key)])
    assert found.where == ("wal: a key",)
    assert found.bytes < 100, "what was only set aside is not looked through"


def test_what_is_too_short_to_mean_anything_is_not_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no chance"):
        search(tmp_path, [("a PIN", "246810")])
    with pytest.raises(ValueError, match="no chance"):
        search(tmp_path, [("a word", "password")])


def test_the_check_digit_is_the_published_one() -> None:
    assert check_digit("572") == "4"  # Damm's own example
