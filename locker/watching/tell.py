"""The centre gets a ticket of a machine's trouble, once, and again where nobody minds it for a week."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from locker.domain.events import Event, TicketOpened
from locker.domain.ids import CompartmentNumber, DepositId
from locker.operations.ports import Clock, Decided, Journal
from locker.watching import troubles
from locker.watching.look import Look
from locker.watching.results import FOLDER
from sync import durable

LOOK_MS: Final = 600_000
"""What lasts for less is nobody's errand."""
AGAIN_MS: Final = 7 * 86_400_000
OVER_MS: Final = 86_400_000
"""What goes and comes again within a day of its ticket is the same trouble."""
NO_DOOR: Final = CompartmentNumber(0)
PREFIX: Final = "machine_"
"""Of the ticket's kind."""


async def tell(look: Look, journal: Journal, clock: Clock) -> None:
    """Never returns. Raises JournalFailing."""
    while True:
        await clock.sleep_until(clock.mono_ms() + LOOK_MS)
        look.sources.platform.keep_reserve(look.sources.state_dir)
        await round_of(look, journal)


async def round_of(look: Look, journal: Journal) -> None:
    """One look, and the tickets that are due."""
    reading = look.take()
    there = {trouble.name for trouble in troubles.found(reading) if trouble.told}
    path = look.sources.state_dir / FOLDER / "told.json"
    told, now_ms = _read(path), reading.wall_ms
    due = sorted(name for name in there if not 0 <= now_ms - told.get(name, -AGAIN_MS) < AGAIN_MS)
    kept = {name: at for name, at in told.items() if name in there or 0 <= now_ms - at < OVER_MS}
    if due:
        events: tuple[Event, ...] = tuple(
            TicketOpened(f"{PREFIX}{name}", NO_DOOR, DepositId("")) for name in due
        )
        await journal.commit("daemon", lambda _state: Decided(None, events))
    after = kept | dict.fromkeys(due, now_ms)
    if after != told:
        _write(path, after)


def _read(path: Path) -> Mapping[str, int]:
    """Name → wall time of its last ticket. What cannot be read was not told."""
    with suppress(OSError, ValueError, AttributeError):
        values = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): at for name, at in values.items() if type(at) is int}
    return {}


def _write(path: Path, told: Mapping[str, int]) -> None:
    """A full disk is a trouble, not a fault: then it is told again."""
    with suppress(OSError):
        durable.make_folder(path.parent)
        fresh = path.with_suffix(".fresh")
        fresh.unlink(missing_ok=True)
        durable.write_new(fresh, json.dumps(told) + "\n")
        fresh.replace(path)
