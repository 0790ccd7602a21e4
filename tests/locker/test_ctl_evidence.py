"""`lockerctl evidence` as people run it: export beside a daemon, check anywhere."""

import json
import stat
from pathlib import Path

import pytest

from tests.locker.configured import write
from tests.locker.journal.histories import opened
from tests.locker.journal.test_epochs import SECOND, begin
from tests.locker.journal.told_case import CENTRE, EPOCH, KEYS, tell
from tests.locker.test_ctl import one_line, run

pytestmark = pytest.mark.processes


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    """A locker whose journal has a case in it, with the keys that signed it."""
    (tmp_path / "state").mkdir()
    await tell(tmp_path / "state" / "journal.sqlite3")
    (tmp_path / "keys").mkdir(exist_ok=True)
    own = {"locker": "loc-1", "sign_seed": "01" * 32}
    centre = {
        "locker": "loc-1",
        "area": "park",
        "code_key": "00" * 32,
        "centre_sign": [{"id": CENTRE.id.hex(), "public": CENTRE.public.hex()}],
        "centre_seal": {"id": "00" * 8, "public": "09" * 32},
    }
    (tmp_path / "keys" / "own.json").write_text(json.dumps(own))
    (tmp_path / "keys" / "centre.json").write_text(json.dumps(centre))
    return write(tmp_path)


def test_evidence_goes_out_and_is_checked_without_the_locker(config: Path, tmp_path: Path) -> None:
    out, keys = tmp_path / "case.html", tmp_path / "keys.json"
    keys.write_text(json.dumps(KEYS))
    told = run("evidence", "export", "--config", config, "--case", "C-1", "--out", out)
    assert f"lockerctl evidence verify {out}" in told.stdout
    config.unlink()
    shown = run("evidence", "verify", out, "--keys", keys).stdout
    assert shown.startswith(f"{out}: holds\n")
    assert "shown: the keys are those given" in shown
    assert "not shown: whose keys these are" in run("evidence", "verify", out).stdout


async def test_evidence_of_an_earlier_epoch_is_asked_for_by_its_name(config: Path, tmp_path: Path) -> None:
    async with opened(tmp_path / "state" / "journal.sqlite3") as journal:
        await begin(journal, SECOND)
    out = tmp_path / "case.html"
    asked = ("evidence", "export", "--config", config, "--case", "C-1", "--out", out)
    assert "no entry names case" in one_line(run(*asked, code=1))
    run(*asked, "--epoch", EPOCH)
    assert f"{out}: holds" in run("evidence", "verify", out).stdout
    run(*asked, "--epoch", "none such", code=2)


def test_names_are_for_whoever_asked_alone(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "named.html"
    run("evidence", "export", "--config", config, "--case", "C-1", "--out", out, "--personal")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "&#29579;*&#26126;" in out.read_text()


def test_an_edited_file_is_refused_with_1(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "case.html"
    run("evidence", "export", "--config", config, "--case", "C-1", "--out", out)
    out.write_text(out.read_text().replace("DoorForced", "DoorOpened", 1))
    assert (
        "REFUSED: the page does not say what the evidence says"
        in run("evidence", "verify", out, code=1).stdout
    )
    assert "REFUSED: not readable" in run("evidence", "verify", tmp_path / "none", code=1).stdout


def test_what_cannot_be_exported_is_said(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "case.html"
    assert "'C-9'" in one_line(run("evidence", "export", "--config", config, "--case", "C-9", code=1))
    out.touch()
    there = run("evidence", "export", "--config", config, "--case", "C-1", "--out", out, code=1)
    assert "is there already" in one_line(there)
    assert out.read_bytes() == b""
    (tmp_path / "keys" / "own.json").unlink()
    assert "keys new" in one_line(run("evidence", "export", "--config", config, "--case", "C-1", code=1))
