"""Many lockers taken in at once: all of a list or none, and again as often as one likes."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from sync import seal
from sync.central.enrol_many import enrol_many
from sync.central.lockers import CannotEnrol
from sync.central.tables import LOCKER
from tests.sync.central.conftest import Parts

HEAD = "locker,area,public\n"


def public(number: int) -> str:
    return seal.SigningKey.from_seed(bytes([number]) * 32).public.hex()


def row(number: int) -> str:
    return f"many-{number},north,{public(number)}\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lockers.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_gets_what_it_must_know_of_its_centre(parts: Parts, tmp_path: Path) -> None:
    path, out = written(tmp_path, HEAD + row(1) + row(2)), tmp_path / "centre"
    assert enrol_many(parts.store.write_now, parts.desk, path, out) == 2
    answers = {each.name: each.read_text(encoding="utf-8") for each in sorted(out.iterdir())}
    assert list(answers) == ["many-1.json", "many-2.json"]
    known = json.loads(answers["many-1.json"])
    assert (known["locker"], known["area"]) == ("many-1", "north")
    assert known["centre_sign"] == parts.centre["centre_sign"]
    assert len({json.loads(text)["code_key"] for text in answers.values()}) == 2
    assert (out / "many-1.json").stat().st_mode & 0o777 == 0o600

    assert enrol_many(parts.store.write_now, parts.desk, path, out) == 2
    assert {each.name: each.read_text(encoding="utf-8") for each in out.iterdir()} == answers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the first line must be"),
        ("many-1,north,00\n", "the first line must be"),
        (HEAD + row(1) + "many-2,north\n", ":3: 3 columns"),
        (HEAD + row(1) + row(1), "twice"),
        (HEAD + row(1) + "Many 2,north,00\n", "Many 2"),
        (HEAD + row(1) + f"hall-1,north,{public(2)}\n", "enrolled already"),
        (HEAD + row(1) + '"', "unexpected end"),
    ],
)
def test_a_list_with_one_bad_line_enrols_nobody(parts: Parts, tmp_path: Path, text: str, says: str) -> None:
    out = tmp_path / "centre"
    with pytest.raises(CannotEnrol, match=says):
        enrol_many(parts.store.write_now, parts.desk, written(tmp_path, text), out)
    names = parts.store.read_now(lambda c: c.execute(select(LOCKER.c.locker)).scalars().all())
    assert list(names) == ["hall-1"]
    assert not out.exists() or list(out.iterdir()) == []
