"""`locker-central account` and `audit`: the first administrator, and what was done since."""

import io
import json
import re
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import select

from sync.central import __main__ as command
from sync.central.access.tables import ACCOUNT, AUDIT
from sync.central.config import load
from sync.central.store import Store

ADMIN = ["--role", "administrator", "--area", "*"]


@pytest.fixture
def toml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    weak = ["--set", "access.password_memory_mib=19", "--set", "access.password_passes=2"]
    assert command.main(["init", "--dir", str(tmp_path / "hub"), *weak]) == 0
    capsys.readouterr()
    return str(tmp_path / "hub" / "central.toml")


def said(capsys: pytest.CaptureFixture[str], toml: str, *words: str, code: int = 0) -> str:
    assert command.main([*words, "--config", toml]) == code
    told = capsys.readouterr()
    return told.err if code else told.out


def test_the_first_administrator_gets_a_password_that_is_kept_nowhere(
    toml: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(capsys, toml, "account", "add", "li", *ADMIN)
    (password,) = re.findall(r"once, by ([a-z2-7]{24})\n", told)
    store = Store.open(load(Path(toml)).database)
    rows = store.read_now(lambda c: c.execute(select(ACCOUNT)).all())
    acts = store.read_now(lambda c: c.execute(select(AUDIT)).all())
    store.close()
    assert [(row.account, row.first_password, row.password[:10]) for row in rows] == [
        ("li", True, "$argon2id$")
    ]
    assert [(act.actor, act.action, act.object) for act in acts] == [("machine", "manage_accounts", "li")]
    for path in Path(toml).parent.iterdir():
        assert password.encode() not in path.read_bytes()


def test_an_account_through_its_life(toml: str, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, toml, "account", "add", "li", "--role", "window_clerk", "--area", "north")
    assert said(capsys, toml, "account", "list") == "li: window_clerk; north\n"
    said(capsys, toml, "account", "end", "li")
    assert "ended" in said(capsys, toml, "account", "list")
    assert "once, by" in said(capsys, toml, "account", "password", "li")
    said(capsys, toml, "account", "factor", "li")
    assert said(capsys, toml, "account", "list") == "li: window_clerk; north\n"
    assert said(capsys, toml, "audit", "verify").startswith("4 acts, signed up to 0")


@pytest.mark.parametrize(
    "words",
    [
        ["add", "li", *ADMIN],
        ["add", "Li Wei", *ADMIN],
        ["add", "wu", "--role", "auditor", "--area", "North"],
        ["end", "nobody"],
    ],
)
def test_what_does_not_fit_is_told_in_a_line(
    toml: str, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    said(capsys, toml, "account", "add", "li", *ADMIN)
    told = said(capsys, toml, "account", *words, code=1)
    assert told.startswith("locker-central: ")
    assert told.count("\n") == 1


def test_a_password_that_is_brought_stays(
    toml: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a few words are good\n"))
    told = said(capsys, toml, "account", "add", "demo", *ADMIN, "--password-stdin")
    assert told == "demo can sign in\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert "short" in said(capsys, toml, "account", "add", "b", *ADMIN, "--password-stdin", code=1)


def test_a_journal_that_was_changed_is_told_and_an_export_holds_it_all(
    toml: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, toml, "account", "add", "li", *ADMIN)
    said(capsys, toml, "account", "end", "li")
    out = tmp_path / "acts.jsonl"
    said(capsys, toml, "audit", "export", "--out", str(out))
    assert [json.loads(line)["object"] for line in out.read_text().splitlines()] == ["li", "li"]
    store = Store.open(load(Path(toml)).database)
    store.write_now(lambda c: c.execute(AUDIT.update().where(AUDIT.c.seq == 1).values(actor="person:wu")))
    store.close()
    assert "1: is not what was written" in said(capsys, toml, "audit", "verify", code=1)


def test_settings_of_sign_in_are_checked_with_their_line(
    toml: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(toml)
    text = path.read_text().replace("password_memory_mib = 19", "password_memory_mib = 8")
    assert tomllib.loads(text)["access"]["password_memory_mib"] == 8
    path.write_text(text)
    assert "[access] password_memory_mib: 19 to 1024" in said(capsys, toml, "account", "list", code=1)
