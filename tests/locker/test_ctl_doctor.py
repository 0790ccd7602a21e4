"""`lockerctl doctor`: whatever can be wrong with a machine is found, and a sound one is left in peace."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from hw_sim.free_port import free_port
from locker import ctl
from locker.config import load
from locker.ctl import doctor, doctor_checks
from locker.ctl.doctor_checks import CHECKS, DAY_MS, Grade, Machine
from locker.platform import write_own_key
from sync.central.authority.issuing import Purpose, new_authority
from sync.seal import SealKey, SigningKey
from tests.locker.configured import TEXT, write
from tests.sync.central.authority import made

STATUS: Final[dict[str, Any]] = {
    "journal_failing": False,
    "clock": "ntp",
    "centre": {
        "connected": True,
        "centre_online": True,
        "unsynced": 3,
        "last_hello_wall_ms": made.NOW_MS - 1_000,
        "last_loss": "",
        "fork": "",
    },
    "lines": [
        {
            "boards": [
                {
                    "board": "A/1",
                    "profile": "waveshare-d8",
                    "standing": "serving",
                    "why": "",
                    "asked": 1_000,
                    "missed": 3,
                }
            ]
        }
    ],
}


@pytest.fixture
def sound(tmp_path: Path) -> Machine:
    keys = tmp_path / "keys"
    write_own_key(keys, "loc-1")
    keys.chmod(0o700)
    sign, seal = SigningKey.from_seed(b"c" * 32), SealKey.from_private(b"p" * 32)
    centre = {
        "locker": "loc-1",
        "area": "park",
        "code_key": "00" * 32,
        "centre_sign": [{"id": sign.id.hex(), "public": sign.public.hex()}],
        "centre_seal": {"id": seal.id.hex(), "public": seal.public.hex()},
    }
    (keys / "centre.json").write_text(json.dumps(centre))
    made.pair(keys, "loc-1", Purpose.LOCKER, days=365)
    (keys / "root.pem").write_text(made.authority().pem)
    for path in keys.iterdir():
        path.chmod(0o600)
    tls = f'port = {free_port()}\nca = "keys/root.pem"\ncert = "keys/loc-1.pem"\nkey = "keys/loc-1.key"\n'
    config = load(write(tmp_path, TEXT.replace("port = 1883\n", tls).replace("8080", str(free_port()))))
    return Machine(config, STATUS, "", made.NOW_MS, True, 40, lambda: True, lambda: "", lambda: "")


def found(machine: Machine) -> list[tuple[str, Grade, str]]:
    return [
        (name, finding.grade, finding.told) for name, check in CHECKS.items() for finding in check(machine)
    ]


def status(**more: Any) -> dict[str, Any]:
    return {**STATUS, **more}


def centre(**more: Any) -> dict[str, Any]:
    return status(centre={**STATUS["centre"], **more})


def board(**more: Any) -> dict[str, Any]:
    return status(lines=[{"boards": [{**STATUS["lines"][0]["boards"][0], **more}]}])


def unreadable() -> str:
    raise sqlite3.DatabaseError("file is not a database")


def test_a_sound_machine_is_left_in_peace(sound: Machine) -> None:
    assert found(sound) == []
    for screen in (None, {"quiet_s": 5, "is_dead": False, "renewed": 3}):
        assert found(replace(sound, status=status(screen=screen))) == []


@pytest.mark.parametrize(
    ("ill", "check", "grade", "told"),
    [
        ({"status": None, "silence": "no daemon listens"}, "daemon", Grade.BAD, "no daemon listens"),
        ({"status": status(journal_failing=True)}, "daemon", Grade.BAD, "cannot record"),
        ({"wall_ms": 0}, "clock", Grade.BAD, "never set"),
        ({"status": status(clock="unset"), "is_ntp": False}, "clock", Grade.LOOK, "confirmed the time"),
        ({"status": board(standing="lost")}, "boards", Grade.BAD, "A/1 (waveshare-d8) is lost: no reply"),
        ({"status": board(missed=30)}, "boards", Grade.LOOK, "3.0 %"),
        ({"verify": lambda: "entry 7: its hash is another"}, "journal", Grade.BAD, "entry 7"),
        ({"verify": unreadable}, "journal", Grade.BAD, "not a database"),
        ({"disk_used_percent": 80}, "disk", Grade.LOOK, "80 % used"),
        ({"disk_used_percent": 90}, "disk", Grade.BAD, "nothing is taken in"),
        ({"broker_takes": lambda: None}, "broker", Grade.LOOK, "cannot be reached"),
        ({"broker_takes": lambda: False}, "broker", Grade.BAD, "does not take our certificate"),
        ({"status": centre(fork="diverged")}, "centre", Grade.BAD, "another history"),
        ({"status": centre(last_hello_wall_ms=None)}, "centre", Grade.LOOK, "has not answered"),
        ({"status": centre(unsynced=1_001)}, "centre", Grade.LOOK, "1001 entries"),
        (
            {"status": status(anchor={"standing": "unwritable", "why": "/sys/x: it does not keep"})},
            "anchor",
            Grade.LOOK,
            "it does not keep",
        ),
        ({"kiosk": lambda: "it answers 503"}, "kiosk", Grade.BAD, "503"),
        (
            {"status": status(screen={"quiet_s": 400, "is_dead": True, "renewed": 2})},
            "kiosk",
            Grade.BAD,
            "no sign of life from the page at the screen for 400 s; fresh sessions so far: 2",
        ),
        ({"wall_ms": made.NOW_MS + 336 * DAY_MS}, "certificate", Grade.LOOK, "28 days left"),
        ({"wall_ms": made.NOW_MS + 367 * DAY_MS}, "certificate", Grade.BAD, "ran out 3 days ago"),
    ],
)
def test_what_is_wrong_is_found_and_told(
    sound: Machine, ill: dict[str, Any], check: str, grade: Grade, told: str
) -> None:
    findings = [finding for finding in CHECKS[check](replace(sound, **ill)) if told in finding.told]
    assert [finding.grade for finding in findings] == [grade], found(replace(sound, **ill))
    assert findings[0].remedy


@pytest.mark.parametrize(("hours", "grade"), [(0.1, None), (1, Grade.LOOK), (25, Grade.BAD)])
def test_a_silent_hub_gets_worse_by_the_hour(sound: Machine, hours: float, grade: Grade | None) -> None:
    last = made.NOW_MS - int(hours * 3_600_000)
    silent = replace(sound, status=centre(centre_online=False, last_hello_wall_ms=last))
    assert [found for _, found, _ in found(silent)] == ([grade] if grade else [])


@pytest.mark.parametrize(
    ("spoil", "check", "told"),
    [
        (lambda folder: (folder / "keys" / "own.json").chmod(0o640), "rights", "read by others"),
        (lambda folder: (folder / "keys").chmod(0o755), "rights", "read by others"),
        (lambda folder: (folder / "locker.toml").chmod(0o666), "rights", "written by everybody"),
        (lambda folder: (folder / "keys" / "centre.json").write_text("{}"), "keys", "made for locker None"),
        (lambda folder: (folder / "keys" / "pending.json").write_text("{}"), "keys", "not in place yet"),
        (lambda folder: (folder / "keys" / "loc-1.pem").write_text("x"), "certificate", "no certificate"),
        (
            lambda folder: made.pair(
                folder / "keys", "loc-1", Purpose.LOCKER, of=new_authority("X", made.NOW_MS)
            ),
            "certificate",
            "do not belong together",
        ),
    ],
)
def test_what_is_wrong_with_its_files_is_found(
    sound: Machine, spoil: Callable[[Path], object], check: str, told: str
) -> None:
    spoil(sound.config.path.parent)
    findings = list(CHECKS[check](sound))
    assert any(told in finding.told for finding in findings), findings


def test_a_line_that_is_not_there_is_told(sound: Machine) -> None:
    wiring = sound.config.wiring
    gone = replace(wiring, lines={"A": replace(wiring.lines["A"], url="/dev/doclocker/line-a")})
    machine = replace(sound, config=replace(sound.config, wiring=gone))
    assert found(machine) == [("lines", Grade.BAD, "line A: /dev/doclocker/line-a is not there")]


@pytest.mark.parametrize(("finding", "code"), [(None, 0), (Grade.LOOK, 1), (Grade.BAD, 3)])
def test_the_exit_code_is_the_worst_of_it(
    sound: Machine,
    finding: Grade | None,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = [doctor_checks.Finding(finding, "it hurts", "rest")] if finding else []
    monkeypatch.setattr(doctor_checks, "CHECKS", {"daemon": lambda _: said, "disk": lambda _: []})
    monkeypatch.setattr(doctor, "_found", lambda _: sound)
    path = str(sound.config.path)
    assert doctored("--config", path) == code
    assert ("it hurts\n    → rest" in capsys.readouterr().out) is bool(finding)
    assert doctored("--config", path, "--json") == code
    assert json.loads(capsys.readouterr().out)["worst"] == (finding or Grade.WELL).name.lower()


def test_a_stopped_machine_is_looked_at_all_the_same(
    sound: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctored("--config", str(sound.config.path)) == 3
    told = capsys.readouterr().out
    for words in (
        "no daemon listens",
        "certificate: well",
        " cannot be reached",
        "the page: nothing",
    ):
        assert words in told


def doctored(*words: str) -> int:
    arguments = ctl._parser(["doctor"]).parse_args(["doctor", *words])
    return int(arguments.run(arguments))
