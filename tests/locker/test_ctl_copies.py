"""`lockerctl backup`, `restore` and `retire`: what a copy holds and opens, what a retired card keeps."""

import filecmp
import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from locker import ctl
from locker.ctl import restore as restoring
from locker.ctl import retire
from locker.domain import events as ev
from locker.domain.history import Break
from locker.domain.ids import CompartmentNumber
from locker.domain.state import LockerState
from locker.journal import verify
from sync import seal
from tests.locker.configured import TEXT, write
from tests.locker.journal.histories import opened, told
from tests.locker.journal.told_case import CENTRE, EPOCH, tell

BOX = seal.SealKey.from_private(b"p" * 32)
CODE_KEY, LINK_KEY, PASSWORD = "5c" * 32, "MIGHAgEAMBMGByqGSM49", "the-broker-s-own-password"
PERSONAL = ("王*明", "138****1234")
CODES = ("d" * 64, "e" * 64)
SECRETS = ("01" * 32, CODE_KEY, LINK_KEY, PASSWORD, *PERSONAL, *CODES, "C-1", "不动产登记")


def keys(folder: Path, seed: str = "01" * 32, locker: str = "loc-1") -> None:
    folder.mkdir(mode=0o700)
    centre = {
        "locker": locker,
        "area": "park",
        "code_key": CODE_KEY,
        "centre_sign": [{"id": CENTRE.id.hex(), "public": CENTRE.public.hex()}],
        "centre_seal": {"id": BOX.id.hex(), "public": BOX.public.hex()},
    }
    (folder / "own.json").write_text(json.dumps({"locker": locker, "sign_seed": seed}))
    (folder / "centre.json").write_text(json.dumps(centre))
    (folder / "link.pem").write_text(LINK_KEY)


async def lived(folder: Path) -> Path:
    """A locker that has lived: two cases, names, codes, and entries the hub has not acknowledged."""
    site = folder / "site"
    (site / "state").mkdir(parents=True)
    await tell(site / "state" / "journal.sqlite3")
    keys(site / "keys")
    return site


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    site = await lived(tmp_path)
    (site / "password").write_text(PASSWORD)
    return write(site, TEXT.replace("port = 1883", 'port = 1883\npassword_file = "password"'))


def lockerctl(command: str, config: Path, *words: str | Path) -> int:
    first = words[:1] if command in {"anchor", "keys"} else ()
    all_words = [command, *map(str, first), "--config", str(config), *map(str, words[len(first) :])]
    arguments = ctl._parser(all_words).parse_args(all_words)
    with ThreadPoolExecutor(1) as thread:  # it has an event loop of its own
        return int(thread.submit(arguments.run, arguments).result())


def backed_up(config: Path, folder: Path) -> Path:
    assert lockerctl("backup", config, "--to", folder) == 0
    (copy,) = folder.iterdir()
    return copy


async def state_of(config: Path) -> LockerState:
    async with opened(config.parent / "state" / "journal.sqlite3") as journal:
        return journal.state


async def opens_nothing(config: Path) -> bool:
    """See `locker.operations.open_door`: every way to a door asks this."""
    state = await state_of(config)
    return state.history.awaited


def entries(path: Path) -> int:
    connection = sqlite3.connect(path)
    ((count,),) = connection.execute("SELECT count(*) FROM entry").fetchall()
    connection.close()
    return int(count)


# --- backup ----------------------------------------------------------------------------------------------


async def test_a_copy_is_made_beside_the_daemon_and_is_whole(config: Path, tmp_path: Path) -> None:
    path = config.parent / "state" / "journal.sqlite3"
    async with opened(path) as journal:
        await journal.commit("applicant", told((ev.GuessesCounted("unknown_code", 1),)))
        copy = backed_up(config, tmp_path / "card")
        assert verify.check(copy / "journal.sqlite3").last == journal.state.seq
    assert filecmp.cmp(copy / "locker.toml", config, shallow=False)
    assert {each.name for each in (copy / "keys").iterdir()} == {"own.json", "centre.json", "link.pem"}
    every = [copy, *copy.rglob("*")]
    assert {each.stat().st_mode & 0o777 for each in every} == {0o600, 0o700}


def test_a_journal_that_is_not_what_it_was_is_not_copied(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = sqlite3.connect(config.parent / "state" / "journal.sqlite3")
    connection.execute("DELETE FROM entry WHERE seq = 9")
    connection.commit()
    connection.close()
    assert lockerctl("backup", config, "--to", tmp_path / "card") == 1
    assert "is not what it was" in capsys.readouterr().err
    assert list((tmp_path / "card").iterdir()) == []


def test_old_copies_go_and_those_of_other_lockers_stay(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "card"
    for name in ("loc-1-20260101T000000Z", "loc-1-20260102T000000Z", "loc-1-1-20260101T000000Z"):
        (folder / name).mkdir(parents=True)
    (folder / "loc-1-20260103T000000Z.new").mkdir()
    assert lockerctl("backup", config, "--to", folder, "--keep", "2") == 0
    kept = sorted(each.name for each in folder.iterdir())
    assert kept[:2] == ["loc-1-1-20260101T000000Z", "loc-1-20260102T000000Z"]
    assert len(kept) == 3


# --- restore ---------------------------------------------------------------------------------------------


async def test_a_restored_locker_opens_nothing_until_somebody_vouches(config: Path, tmp_path: Path) -> None:
    copy = backed_up(config, tmp_path / "card")
    async with opened(config.parent / "state" / "journal.sqlite3") as journal:
        await journal.commit("applicant", told((ev.GuessesCounted("unknown_code", 1),)))
    assert lockerctl("restore", config, copy) == 0
    state = await state_of(config)
    assert (state.history.broken, state.history.awaited) == (Break.LOST_ROWS, True)
    assert state.epoch != EPOCH
    assert all(c.doubt for c in state.compartments.values() if not c.holding)
    (aside,) = (config.parent / "state").glob("journal.sqlite3.before-*Z")
    assert entries(aside) == entries(copy / "journal.sqlite3") + 1
    assert not verify.check(config.parent / "state" / "journal.sqlite3").wrong


async def test_onto_a_new_card(config: Path, tmp_path: Path) -> None:
    copy = backed_up(config, tmp_path / "card")
    for name in ("state", "keys"):
        shutil.rmtree(config.parent / name)
    assert lockerctl("restore", config, copy, "--dry-run") == 0
    assert not (config.parent / "keys").exists()
    assert lockerctl("restore", config, copy) == 0
    assert await opens_nothing(config)
    assert (config.parent / "keys" / "link.pem").read_text() == LINK_KEY


async def test_a_cut_leaves_what_was_there(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = backed_up(config, tmp_path / "card")

    def cut(*_: object) -> str:
        raise OSError(5, "the power went")

    with monkeypatch.context() as patched:
        patched.setattr(restoring, "_set_aside", cut)
        assert lockerctl("restore", config, copy) == 1
    assert (await state_of(config)).epoch == EPOCH
    assert lockerctl("restore", config, copy) == 0
    assert await opens_nothing(config)
    assert not list((config.parent / "state").glob("journal.restored*"))


async def test_what_does_not_belong_here_is_refused(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, own = backed_up(config, tmp_path / "card"), config.parent / "keys" / "own.json"
    kept = own.read_text()
    own.write_text(kept.replace("01" * 32, "02" * 32))
    assert lockerctl("restore", config, copy) == 1
    assert "another key than the copy" in capsys.readouterr().err
    own.write_text(kept)
    async with opened(config.parent / "state" / "journal.sqlite3"):
        assert lockerctl("restore", config, copy) == 1
        assert "process" in capsys.readouterr().err
    stranger = copy / "keys" / "own.json"
    stranger.write_text(kept.replace("loc-1", "loc-9"))
    assert lockerctl("restore", config, copy) == 1
    assert "is of locker 'loc-9'" in capsys.readouterr().err
    assert lockerctl("restore", config, tmp_path) == 1
    assert "no copy of a locker" in capsys.readouterr().err
    assert (await state_of(config)).epoch == EPOCH


# --- retire ----------------------------------------------------------------------------------------------


def left(folder: Path) -> list[str]:
    """Secrets that stand anywhere in it, by name or by bytes."""
    every = b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return [secret for secret in SECRETS if secret.encode() in every]


def test_what_is_left_opens_nothing_and_names_nobody(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "stick.json"
    assert set(left(config.parent)) >= {*PERSONAL, CODE_KEY, LINK_KEY, PASSWORD, "C-1"}
    assert lockerctl("retire", config, "--confirm", "loc-1") == 1
    assert "are not acknowledged by the hub" in capsys.readouterr().err
    assert lockerctl("retire", config, "--confirm", "loc-2") == 1
    assert "names another" in capsys.readouterr().err
    assert lockerctl("retire", config, "--confirm", "loc-1", "--sealed", out) == 0
    assert left(config.parent) == []
    assert left(tmp_path) == []
    kept = {path.name for path in config.parent.rglob("*") if path.is_file()}
    assert kept <= {"locker.toml", "journal.sqlite3.lock"}
    told_on = "".join(seal.unseal(BOX, text) for text in json.loads(out.read_text())["sealed"])
    assert [json.loads(line)["seq"] for line in told_on.splitlines()][-1] > 40
    assert "authority revoke loc-1" in capsys.readouterr().out


async def test_nothing_goes_while_something_lies_in_it(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened(config.parent / "state" / "journal.sqlite3") as journal:
        door = next(iter(journal.state.compartments))
        await journal.commit("daemon", told((ev.CompartmentDoubted(CompartmentNumber(door), "test"),)))
    asked = ("--confirm", "loc-1", "--sealed", tmp_path / "stick.json")
    assert lockerctl("retire", config, *asked) == 1
    assert f"something lies behind {door}" in capsys.readouterr().err
    assert set(left(config.parent)) >= {CODE_KEY, "C-1"}
    assert lockerctl("retire", config, *asked, "--despite-items") == 0
    assert left(config.parent) == []


async def test_a_running_locker_is_not_retired_and_a_cut_one_goes_on(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--confirm", "loc-1", "--sealed", tmp_path / "stick.json")
    async with opened(config.parent / "state" / "journal.sqlite3"):
        assert lockerctl("retire", config, *asked) == 1
        assert "process" in capsys.readouterr().err
    real = retire.destroy

    def cut(path: Path) -> None:
        if path.name == "centre.json":
            raise OSError(5, "the power went", str(path))
        real(path)

    with monkeypatch.context() as patched:
        patched.setattr(retire, "destroy", cut)
        assert lockerctl("retire", config, *asked) == 1
    assert CODE_KEY in left(config.parent)
    assert lockerctl("retire", config, *asked) == 0
    assert left(config.parent) == []
