"""Whether an entry would still be there if the power went now, whatever else the disk would lose."""

import sqlite3
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from typing import TYPE_CHECKING, Final

from tests.world.journals import JOURNAL, rows_of

if TYPE_CHECKING:
    from tests.world.machine import Machine

IN_FULL_OF: Final = 50
"""So many quick looks to one in which SQLite reads what would be left."""


def certain(machine: "Machine") -> dict[str, bytes]:
    """The disk as the worst of all cuts would leave it: only what was synced."""
    files = machine.platter._certain._files
    return {name: bytes(file.certain) for name, file in files.items() if file.named}


def survives(machine: "Machine", seq: int, link: bytes, scratch: Path, chance: Random) -> bool:
    """Its hash stands in what was synced; now and then, and in doubt, the whole journal is recovered."""
    name = str(machine.folder / "state" / JOURNAL)
    files = machine.platter._certain._files
    parts = (files.get(name + end) for end in ("-wal", ""))
    seen = any(part is not None and part.named and link in part.certain for part in parts)
    if seen and chance.randrange(IN_FULL_OF):
        return True
    try:
        rows = rows_of(certain(machine), name, scratch, after=seq - 1)
    except sqlite3.Error:
        return False
    return bool(rows) and (rows[0].seq, rows[0].hash) == (seq, link)
