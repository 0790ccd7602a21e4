"""Space held back: made where there is plenty, gone before a write would fail, and then pickups go on."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from locker.journal import reserve
from locker.journal.store import Store

Free = Callable[[int], None]


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Free:
    def tell(free_bytes: int) -> None:
        told = SimpleNamespace(f_bavail=free_bytes // 4096, f_frsize=4096)
        monkeypatch.setattr(reserve.os, "statvfs", lambda _folder: told)  # type: ignore[attr-defined]  # os itself

    return tell


def test_it_is_made_where_there_is_plenty_and_once(tmp_path: Path, free: Free) -> None:
    free(reserve.PLENTY_BYTES - 4096)
    reserve.keep(tmp_path)
    assert list(tmp_path.iterdir()) == []
    free(reserve.PLENTY_BYTES)
    reserve.keep(tmp_path)
    held = tmp_path / reserve.NAME
    assert held.stat().st_blocks * 512 >= reserve.BYTES
    made = held.stat().st_ino
    reserve.keep(tmp_path)
    assert held.stat().st_ino == made
    assert [path.name for path in tmp_path.iterdir()] == [reserve.NAME]


def test_it_goes_before_a_write_that_would_fail(tmp_path: Path, free: Free) -> None:
    (tmp_path / reserve.NAME).write_bytes(b"")
    store = Store(tmp_path / "journal.sqlite3")
    free(reserve.SHORT_BYTES)
    store.acknowledge(0)  # type: ignore[arg-type]  # a write
    assert (tmp_path / reserve.NAME).exists()
    free(reserve.SHORT_BYTES - 4096)
    store.acknowledge(0)  # type: ignore[arg-type]  # a write
    assert not (tmp_path / reserve.NAME).exists()
    store.acknowledge(0)  # type: ignore[arg-type]  # without one it is tried all the same
    store.close()


def test_a_folder_that_is_gone_is_nobodys_fault(tmp_path: Path) -> None:
    reserve.keep(tmp_path / "gone")
    assert reserve.give_up_if_short(tmp_path / "gone") is False
    assert list(tmp_path.iterdir()) == []
