"""`lockerctl anchor`, and what restore and retire make of the place outside the card."""

from pathlib import Path

import pytest

from locker.anchor.adopt import end_of
from locker.anchor.keeper import place_of
from locker.anchor.record import NOWHERE, Mark
from locker.config import load
from locker.domain import events as ev
from locker.journal.holds import missing
from tests.locker.configured import TEXT, write
from tests.locker.journal.histories import opened, told
from tests.locker.test_ctl_copies import backed_up, lived, lockerctl

EEPROM = '\n[anchor]\nfile = "../eeprom"\n'


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    site = await lived(tmp_path)
    (tmp_path / "eeprom").write_bytes(b"\xff" * 256)
    return write(site, TEXT + EEPROM)


def there(config: Path) -> Mark | None:
    place = place_of(load(config))
    assert place is not None
    return place.look().mark


async def one_more(config: Path) -> None:
    async with opened(config.parent / "state" / "journal.sqlite3") as journal:
        await journal.commit("keypad", told((ev.GuessesCounted("unknown_code", 1),)))


async def test_a_new_module_is_adopted_once_and_never_hides_an_old_card(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockerctl("anchor", config, "show") == 1
    assert "is blank: lockerctl anchor adopt" in capsys.readouterr().out
    async with opened(config.parent / "state" / "journal.sqlite3"):
        assert lockerctl("anchor", config, "adopt") == 1
    assert "systemctl stop lockerd" in capsys.readouterr().err
    assert lockerctl("anchor", config, "adopt") == 0
    began = end_of(load(config))
    assert there(config) == began
    assert lockerctl("anchor", config, "show") == 0
    assert f"entry {began.seq} of epoch {began.epoch}" in capsys.readouterr().out
    place = place_of(load(config))
    assert place is not None
    ahead = Mark(began.epoch, began.seq + 1, b"\x01" * 32)
    place.put(place.look(), ahead)
    for word in ("adopt", "show"):
        assert lockerctl("anchor", config, word) == 1
        assert "THE JOURNAL HAS IT NOT (lost_rows)" in capsys.readouterr().out
    assert there(config) == ahead


def test_before_the_first_start_there_is_no_journal(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "state" / "journal.sqlite3").unlink()
    assert lockerctl("anchor", config, "adopt") == 0
    assert there(config) == NOWHERE
    (config.parent.parent / "eeprom").unlink()
    assert lockerctl("anchor", config, "show") == 1
    assert "No such file" in capsys.readouterr().err
    write(config.parent)
    assert lockerctl("anchor", config, "show") == 0
    assert lockerctl("anchor", config, "adopt") == 1


async def test_a_restore_that_was_meant_takes_the_anchor_with_it(config: Path, tmp_path: Path) -> None:
    assert lockerctl("anchor", config, "adopt") == 0
    copy = backed_up(config, tmp_path / "card")
    await one_more(config)
    before = end_of(load(config))
    assert lockerctl("restore", config, copy) == 0
    after = end_of(load(config))
    assert there(config) == after
    assert after.epoch != before.epoch
    path = config.parent / "state" / "journal.sqlite3"
    assert missing(path, after.epoch, after.seq, after.head) is None


async def test_a_place_that_does_not_follow_is_said_and_the_copy_is_in_place(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = backed_up(config, tmp_path / "card")
    (tmp_path / "eeprom").unlink()
    before = end_of(load(config))
    assert lockerctl("restore", config, copy) == 1
    assert "rollback anchor could not follow" in capsys.readouterr().err
    assert end_of(load(config)).epoch != before.epoch


def test_a_retired_lockers_module_is_as_new(config: Path, tmp_path: Path) -> None:
    assert lockerctl("anchor", config, "adopt") == 0
    asked = ("--confirm", "loc-1", "--sealed", tmp_path / "stick.json")
    assert lockerctl("retire", config, *asked) == 0
    assert (tmp_path / "eeprom").read_bytes() == b"\xff" * 256
