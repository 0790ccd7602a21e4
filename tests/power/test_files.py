"""Keys and configurations: each is whole or absent after a cut, and there once it was said to be."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from locker.config import load_text
from locker.ctl import wiring
from locker.ctl.learning import Conclusion
from locker.platform import write_own_key
from sync import durable
from sync.central import commands
from sync.central.store import Store
from tests.locker.configured import TEXT
from tests.power.files import Watched

EACH: Final = 40
Program = Callable[[Path], object]


def own_key(folder: Path) -> None:
    write_own_key(folder, "loc-1")


def central(folder: Path) -> None:
    commands.init(folder, [])


def enrolled(folder: Path) -> None:
    centre = folder / "centre"
    if not centre.exists():
        commands.init(centre, [])
    commands.enrol(centre / "central.toml", "loc-1", "park", "11" * 32, folder / "centre.json")


def learned(folder: Path) -> None:
    path = folder / "locker.toml"
    durable.write_new(path, TEXT)
    config = load_text(path, TEXT, learning=True)
    sensors = {door: (wired.sensor, True) for door, wired in config.wiring.compartments.items()}
    assert wiring._write(config, Conclusion(sensors, (), (), ()), folder / "learned.toml") == 0


PROGRAMS: Final[dict[Program, tuple[str, ...]]] = {
    own_key: ("own.json",),
    central: ("central.toml", "keys.json"),
    enrolled: ("centre.json",),
    learned: ("locker.toml", "learned.toml"),
}


def cut_everywhere(folder: Path, program: Program, names: tuple[str, ...]) -> list[str]:
    """What is wrong with the files of these names in what a cut leaves."""
    watched = Watched(folder)
    with watched.watching():
        program(folder)
    whole = {name: (folder / name).read_bytes() for name in names}
    wrong = []
    for ended, found in watched.found(EACH):
        for name, data in whole.items():
            if ended and name not in found:
                wrong.append(f"{name} was said to be written and is not there")
            if found.get(name, data) != data:
                wrong.append(f"{name} is not whole")
    return wrong


@pytest.mark.parametrize("program", PROGRAMS)
def test_whole_or_absent_and_there_once_said(tmp_path: Path, program: Program) -> None:
    assert cut_everywhere(tmp_path, program, PROGRAMS[program]) == []


def lost(folder: Path) -> bool:
    """Whether a cut may take the name of a hub's database after it was opened for the first time."""
    watched = Watched(folder)
    with watched.watching():
        Store.open(folder / "central.sqlite").close()
    return any(ended and "central.sqlite" not in found for ended, found in watched.found(EACH))


def test_a_hubs_database_is_there_for_good_once_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in it is `test_hub`'s."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert not lost(first)
    monkeypatch.setattr(durable, "sync_folder", lambda _path: None)
    assert lost(second)


def in_place(path: Path, text: str, mode: int = 0o600) -> None:
    path.touch(mode)
    path.write_text(text, encoding="utf-8")


def without_its_folder(path: Path, text: str, mode: int = 0o600) -> None:
    with pytest.MonkeyPatch.context() as planted:
        planted.setattr(durable, "sync_folder", lambda _path: None)
        honest(path, text, mode)


honest: Final = durable.write_new


@pytest.mark.parametrize("mistake", [in_place, without_its_folder])
def test_a_file_written_any_other_way_is_found_out(
    tmp_path: Path, mistake: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "write_new", mistake)
    assert cut_everywhere(tmp_path, own_key, PROGRAMS[own_key])


def test_the_next_try_replaces_what_a_cut_left_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.with_name("own.json.new").write_text("half")
    durable.write_new(path, json.dumps("whole"))
    with suppress(FileExistsError):
        durable.write_new(path, "another")
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"own.json": '"whole"'}
    assert path.stat().st_mode & 0o777 == 0o600
