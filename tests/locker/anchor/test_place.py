"""A file of bytes as the place: absent, protected, without a sync of its own."""

import errno
import os
from pathlib import Path

import pytest

from locker.anchor.place import Place, PlaceError
from locker.anchor.record import Mark, Standing

HERE = Mark("ab" * 16, 12, b"\x07" * 32)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    path = tmp_path / "eeprom"
    path.write_bytes(b"\xff" * 4096)
    return Place(path, "loc-1")


def test_what_is_put_is_there_and_cleared_it_is_as_new(place: Place) -> None:
    sight = place.put(place.look(), HERE)
    assert place.look() == sight
    assert (sight.standing, sight.mark) == (Standing.KEPT, HERE)
    assert place.path.stat().st_size == 4096
    place.clear()
    assert place.path.read_bytes() == b"\xff" * 4096


def test_a_module_that_is_not_there(place: Place) -> None:
    sight = place.look()
    place.path.unlink()
    for ask in (place.look, lambda: place.put(sight, HERE), place.clear):
        with pytest.raises(PlaceError, match="No such file"):
            ask()
    assert not place.path.exists(), "nothing is made on the card in its stead"


def test_a_write_protected_chip_says_yes_and_keeps_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    sight = place.look()
    monkeypatch.setattr(os, "pwrite", lambda _handle, text, _offset: len(text))
    with pytest.raises(PlaceError, match="write protection"):
        place.put(sight, HERE)


def test_the_bus_fails_in_the_middle(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    before = place.put(place.look(), HERE)
    real, left = os.pwrite, [10]

    def some(handle: int, text: bytes, offset: int) -> int:
        if not left[0]:
            raise OSError(errno.ETIMEDOUT, "Connection timed out")
        left[0] -= 1
        return real(handle, text[:3], offset)

    monkeypatch.setattr(os, "pwrite", some)
    with pytest.raises(PlaceError, match="timed out"):
        place.put(before, Mark(HERE.epoch, 13, b"\x08" * 32))
    assert place.look() == before


@pytest.mark.parametrize(("code", "fails"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_the_kernels_own_files_know_no_sync(
    place: Place, monkeypatch: pytest.MonkeyPatch, code: int, *, fails: bool
) -> None:
    def sync(_handle: int) -> None:
        raise OSError(code, "no sync")

    monkeypatch.setattr(os, "fsync", sync)
    if fails:
        with pytest.raises(PlaceError, match="no sync"):
            place.put(place.look(), HERE)
    else:
        assert place.put(place.look(), HERE).mark == HERE
