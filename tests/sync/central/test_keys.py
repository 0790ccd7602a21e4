"""The public keys of a fleet, as whoever checks evidence of a case gets them."""

import json
from pathlib import Path

import pytest

from locker.journal import verify_evidence
from sync import seal
from sync.central import commands
from sync.central.__main__ import main
from tests.locker.journal.told_case import LOCKER, OWN, bundle, tell


@pytest.fixture
def config(tmp_path: Path) -> Path:
    commands.init(tmp_path, [f"hub.database={tmp_path / 'central.sqlite'}"])
    return tmp_path / "central.toml"


def test_no_locker_no_key_but_the_centres(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["keys", "--config", str(config)]) == 0
    keys = json.loads(capsys.readouterr().out)
    secret = json.loads(config.with_name("keys.json").read_text())["sign_seed"]
    assert keys == {
        "lockers": {},
        "centre": [seal.SigningKey.from_seed(bytes.fromhex(secret)).public.hex()],
    }


async def test_they_are_what_evidence_is_checked_with(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, key in (("hall-2", seal.SigningKey.from_seed(b"2" * 32)), (LOCKER, OWN)):
        commands.enrol(config, name, "park", key.public.hex(), tmp_path / f"{name}.json")
    capsys.readouterr()
    assert main(["keys", "--config", str(config)]) == 0
    keys = json.loads(capsys.readouterr().out)
    assert list(keys["lockers"]) == ["hall-2", LOCKER]
    await tell(tmp_path / "j", countersigned="none")
    evidence = bundle(tmp_path / "j")
    assert verify_evidence.check(evidence, keys).wrong == ""
    keys["lockers"][LOCKER] = keys["lockers"]["hall-2"]
    assert "another key of locker loc-1" in verify_evidence.check(evidence, keys).wrong
