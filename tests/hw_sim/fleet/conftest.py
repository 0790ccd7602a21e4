"""What a test of the fleet opened is closed at its end, wherever it was made."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.fleet.journal import Shelf


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Python 3.13 complains of a database that nobody closes."""
    made: list[Shelf] = []
    begin = Shelf.__init__

    def noted(shelf: Shelf, path: Path) -> None:
        begin(shelf, path)
        made.append(shelf)

    monkeypatch.setattr(Shelf, "__init__", noted)
    yield
    for each in made:
        each.close()
