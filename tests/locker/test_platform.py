"""The real world behind the ports: keys that fit or are named, a clock that believes the centre with care."""

import asyncio
import errno
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from locker import keyfiles, platform
from locker.domain.ids import AreaId, LockerId
from locker.platform import (
    Keys,
    KeysError,
    LockerClock,
    LockerSecrets,
    ScreenSession,
    Times,
    notify,
    watchdog_ms,
    write_own_key,
)
from sync.seal import SigningKey

LOCKER, AREA = LockerId("loc-1"), AreaId("park")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A provisioned locker's."""
    folder = tmp_path / "keys"
    write_own_key(folder, LOCKER)
    public = SigningKey.from_seed(bytes(32)).public.hex()
    centre = {
        "locker": LOCKER,
        "area": AREA,
        "code_key": "11" * 32,
        "centre_sign": [{"id": "00" * 8, "public": public}],
        "centre_seal": {"id": "00" * 8, "public": "22" * 32},
    }
    (folder / "centre.json").write_text(json.dumps(centre))
    return folder


def test_keys_that_fit_are_taken(keys: Path) -> None:
    loaded = Keys.load(keys, LOCKER, AREA)
    secrets = LockerSecrets(loaded, os.urandom)
    key, signature = secrets.sign("text")
    assert (key, len(bytes.fromhex(signature))) == (loaded.own.id.hex(), 64)
    assert secrets.digest("pick_up", "1") != secrets.digest("drop_off", "1")
    assert secrets.signed_by_centre(b"rubbish") is None
    assert secrets.seal("plain") != secrets.seal("plain")
    assert len(secrets.new_id()) == 16
    assert {secrets.draw(3) for _ in range(200)} == {0, 1, 2}
    assert "seed" not in repr(loaded)


Spoil = Callable[[dict[str, Any]], Any]
SPOILT: list[tuple[str, str, Spoil | bytes]] = [
    ("own.json", "lockerctl keys new", b""),
    ("own.json", "object was expected", b"[]"),
    ("own.json", "lockerctl keys new", b"[" * 5000),
    ("own.json", "lockerctl keys new", b"\xff"),
    ("own.json", "made for locker 'loc-2'", lambda own: own | {"locker": "loc-2"}),
    ("own.json", "sign_seed", lambda own: {"locker": own["locker"]}),
    ("own.json", "not hex", lambda own: own | {"sign_seed": "xyz"}),
    ("own.json", "32 bytes", lambda own: own | {"sign_seed": "00"}),
    ("centre.json", "locker-central enrol", b"{"),
    ("centre.json", "made for locker 'loc-2'", lambda centre: centre | {"locker": "loc-2"}),
    ("centre.json", "made for area None", lambda centre: centre | {"area": None}),
    ("centre.json", "code_key", lambda centre: centre | {"code_key": 7}),
    ("centre.json", "do not fit", lambda centre: centre | {"centre_sign": 7}),
    ("centre.json", "do not fit", lambda centre: centre | {"centre_sign": ["x"]}),
    ("centre.json", "do not fit", lambda centre: centre | {"centre_seal": []}),
]


@pytest.mark.parametrize(("name", "problem", "spoil"), SPOILT)
def test_keys_that_do_not_fit_are_named(keys: Path, name: str, problem: str, spoil: Spoil | bytes) -> None:
    path = keys / name
    if isinstance(spoil, bytes):
        path.write_bytes(spoil)
    else:
        path.write_text(json.dumps(spoil(json.loads(path.read_text()))))
    with pytest.raises(KeysError) as caught:
        Keys.load(keys, LOCKER, AREA)
    assert "\n" not in str(caught.value)
    assert str(keys) in str(caught.value)
    if problem != "code_key":
        assert problem in str(caught.value)


def test_missing_keys_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match=r"own\.json.*lockerctl keys new"):
        Keys.load(tmp_path, LOCKER, AREA)


def test_keys_that_are_not_for_whoever_asks_are_not_said_to_be_missing(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(keyfiles, "text", closed)  # root, as whom tests may run, is refused nothing
    with pytest.raises(KeysError, match=r"own\.json.*ask as root") as caught:
        Keys.load(keys, LOCKER, AREA)
    assert "keys new" not in str(caught.value)


def test_the_centres_time_counts_until_ntp_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "synchronized"
    monkeypatch.setattr(platform, "NTP_MARKS", (mark,))
    clock = LockerClock(Times.real())
    assert clock.quality() == "unset"
    assert clock.learn_centre_time(clock.wall_ms() + 1_000, 0) == 0
    assert clock.quality() == "centre"
    day_ms = 86_400_000
    before = clock.wall_ms()
    step = clock.learn_centre_time(before - day_ms, 50)
    assert abs(step + day_ms) < 1_000
    assert abs(clock.wall_ms() - (before - day_ms)) < 1_000
    monkeypatch.setattr(platform, "NTP_MARKS", (Path("/dev/null/not-for-us"), mark))
    assert clock.quality() == "centre"
    mark.touch()
    assert clock.quality() == "ntp"
    assert clock.learn_centre_time(0, 0) == 0


def test_after_the_centres_word_the_machines_own_wall_clock_does_not_matter() -> None:
    wall_ms, mono_ms, ntp = 1_000_000, 500, False
    clock = LockerClock(Times(lambda: mono_ms, lambda: wall_ms, lambda: ntp))
    assert clock.learn_centre_time(5_000_000, 0) == 4_000_000
    wall_ms -= 999_000
    mono_ms += 60_000
    assert clock.wall_ms() == 5_060_000
    assert clock.learn_centre_time(5_060_900, 0) == 0
    ntp = True
    assert clock.wall_ms() == 1_000


async def test_monotonic_time_goes_on_and_alarms_come() -> None:
    clock = LockerClock(Times.real())
    rung = asyncio.Event()
    began = clock.mono_ms()
    clock.call_at(began + 20, rung.set)
    silent = clock.call_at(began + 20, lambda: pytest.fail("it was cancelled"))
    silent()
    await asyncio.wait_for(rung.wait(), 5)
    await clock.sleep_until(began)
    await clock.sleep_until(began + 40)
    assert clock.mono_ms() >= began + 40


def test_a_fresh_session_is_wished_for_where_systemd_made_a_folder_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    assert ScreenSession.real() is None
    folder, enabled = tmp_path / "run", tmp_path / "locker-kiosk.service"
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(folder))
    session = ScreenSession.real(enabled)
    assert session is not None
    assert not session.belongs()
    enabled.symlink_to("/nowhere")  # as `systemctl enable` leaves it, wherever it leads
    assert session.belongs()
    session.renew()  # systemd has taken the folder away: the trouble stands, nothing breaks
    folder.mkdir()
    session.renew()
    session.renew()
    assert [path.name for path in folder.iterdir()] == ["screen-dead"]


def test_systemd_is_told_where_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    notify("READY=1")
    assert watchdog_ms() == 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "20000000")
        notify("READY=1")
        assert ear.recv(100) == b"READY=1"
    assert watchdog_ms() == 20_000
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0doclocker-test-{os.getpid()}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@doclocker-test-{os.getpid()}")
        notify("WATCHDOG=1")
        assert ear.recv(100) == b"WATCHDOG=1"
    notify("WATCHDOG=1")  # it is away, and we serve on
