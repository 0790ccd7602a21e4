"""Many lockers taken in at once: a list in, what each must know of its centre out."""

import csv
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from sync import durable
from sync.central.desk import Desk
from sync.central.lockers import CannotEnrol, enrol

COLUMNS: Final = ("locker", "area", "public")

Write = Callable[[Callable[[Connection], list[dict[str, Any]]]], list[dict[str, Any]]]
"""Run in one transaction (`Store.write_now`)."""


def enrol_many(write: Write, desk: Desk, path: Path, out: Path) -> int:
    """All of the list or none, in one transaction; then one LOCKER.json each in ``out``. How many there were.

    Again for the same list: the same files. Raises CannotEnrol, OSError.
    """
    wanted = _read(path)
    durable.make_folder(out)

    def work(connection: Connection) -> list[dict[str, Any]]:
        return [enrol(connection, desk, *row) for row in wanted]

    _write_all(out, {f"{known['locker']}.json": json.dumps(known, indent=2) + "\n" for known in write(work)})
    return len(wanted)


def _write_all(folder: Path, files: Mapping[str, str]) -> None:
    """Durable on return, replacing what is there; after a cut each is whole or as it was."""
    for name, text in files.items():
        new = folder / f"{name}.new"
        new.unlink(missing_ok=True)
        with os.fdopen(
            os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
    os.sync()  # once for all: waiting for each by itself takes a hundred times as long
    for name in files:
        (folder / f"{name}.new").rename(folder / name)
    durable.sync_folder(folder)


def _read(path: Path) -> list[tuple[str, str, str]]:
    """Raises CannotEnrol for what is no such list, OSError."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise CannotEnrol(f"{path}: {error}") from error
    if not rows or tuple(rows[0]) != COLUMNS:
        raise CannotEnrol(f"{path}:1: the first line must be {','.join(COLUMNS)}")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(COLUMNS):
            raise CannotEnrol(f"{path}:{number}: {len(COLUMNS)} columns were expected, not {len(row)}")
    names = [row[0] for row in rows[1:]]
    if len(set(names)) != len(names):
        raise CannotEnrol(f"{path}: a locker stands in it twice")
    return [(locker, area, public) for locker, area, public in rows[1:]]
