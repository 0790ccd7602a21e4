"""central.toml and the command: mistakes are told with their line, before anything starts."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sync.central import __main__ as command
from sync.central import config

GOOD = """\
[hub]
database = "c.sqlite"

[web]
port = 8600
operator_password = "of earlier days"
api_keys = ["also long enough"]

[broker]
port = 1883
"""


def load(tmp_path: Path, text: str) -> config.Config:
    path = tmp_path / "central.toml"
    path.write_text(text)
    return config.load(path)


def test_a_good_one(tmp_path: Path) -> None:
    loaded = load(tmp_path, GOOD)
    assert loaded.database == tmp_path / "c.sqlite"
    assert loaded.url == "http://127.0.0.1:8600"
    assert loaded.web.api_keys == ("also long enough",)
    assert "long enough" not in repr(loaded)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("port = 8600", "prot = 8600", ":5: [web] prot: unknown key; there are host, port"),
        ("port = 1883", 'port = "1883"', ":10: [broker] port: a whole number was expected, not str"),
        ("port = 1883", "port = true", ":10: [broker] port: a whole number was expected, not bool"),
        ("port = 8600", "port = 0", ":5: [web] port: 1 to 65535"),
        ("[broker]", "[brokre]", ":9: [brokre]: unknown section"),
        (
            "port = 8600",
            'proxies = ["gate"]',
            ":5: [web] proxies: 'gate': an address or a network",
        ),
        ('["also long enough"]', '["short"]', ":7: [web] api_keys: at least 8 characters"),
        ('["also long enough"]', "[7]", ":7: [web] api_keys: a list of texts"),
        ("[broker]", '[sms]\nurl = "ftp://x"\n[broker]', ":10: [sms] url: an http:// or https:// address"),
        ("port = 1883", 'ca = "x"', "[broker] ca: ca, certificate and key go together"),
        ("[hub]", "hub = 1\n[web.x]\n[hub.y]", "central.toml"),
        ("[hub]", "[hub", "central.toml: "),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(config.BadConfig) as bad:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert told in str(bad.value)
    assert "long enough" not in str(bad.value)


def test_a_missing_file_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(config.BadConfig, match="locker-central init"):
        config.load(tmp_path / "none.toml")


def test_init_makes_what_serve_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "hub")
    assert (
        command.main(["init", "--dir", folder, "--set", "web.port=8700", "--set", "sms.url=http://x/sms"])
        == 0
    )
    loaded = config.load(tmp_path / "hub" / "central.toml")
    config.load_keys(loaded.keys)
    assert (loaded.web.port, loaded.sms.url) == (8700, "http://x/sms")
    for name in ("central.toml", "keys.json"):
        assert (tmp_path / "hub" / name).stat().st_mode & 0o777 == 0o600
    assert loaded.web.api_keys[0] not in capsys.readouterr().out
    assert command.main(["init", "--dir", folder]) == 1


def test_enrolling_twice_is_the_same_and_another_key_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.main(["init", "--dir", str(tmp_path)])
    toml = str(tmp_path / "central.toml")

    def enrol(out: str, public: str, name: str = "hall-1") -> int:
        known = ["--area", "north", "--public", public, "--out", str(tmp_path / out), "--config", toml]
        return command.main(["enrol", name, *known])

    assert enrol("a.json", "11" * 32) == 0
    assert enrol("b.json", "11" * 32) == 0
    first, second = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert first == second
    assert set(first) == {"locker", "area", "code_key", "centre_sign", "centre_seal", "known"}
    for arguments in (("c.json", "22" * 32), ("c.json", "zz"), ("c.json", "11" * 32, "Bad Name")):
        assert enrol(*arguments) == 1
    assert not (tmp_path / "c.json").exists()
    assert "enrolled already" in capsys.readouterr().err


def test_lost_keys_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["init", "--dir", str(tmp_path)])
    (tmp_path / "keys.json").write_text("{}")
    assert command.main(["serve", "--config", str(tmp_path / "central.toml")]) == 1
    assert "restore them from a backup" in capsys.readouterr().err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from sync.central.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('fastapi', 'sqlmodel', 'uvicorn', 'cryptography') if name in sys.modules])"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=root)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "enrol" in done.stdout


def test_what_init_writes_is_toml(tmp_path: Path) -> None:
    command.main(["init", "--dir", str(tmp_path), "--set", 'broker.password="a\\"b"'])
    assert tomllib.loads((tmp_path / "central.toml").read_text())["broker"]["password"] == 'a"b'
