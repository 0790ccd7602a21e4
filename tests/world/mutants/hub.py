"""Mistakes at the centre."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from sync import wire
from sync.central import hello, ledger, masks, store
from sync.central.ingest import Ingest
from sync.central.notify import Notifier
from sync.central.project import project, rows
from tests.world.mutants.mutant import everywhere, mutant, replaced, table


@mutant({13, 14, 15, 24, 29}, "visits")
def hub_believes_one_more() -> Iterator[None]:
    """What is stored is counted from the first entry that is still to come."""
    honest = ledger._advance

    def one_more(connection: Connection, ends: Sequence[ledger.End]) -> None:
        honest(connection, [replace(end, stored_to=end.stored_to + 1) for end in ends])

    with replaced(ledger, "_advance", one_more):
        yield


@mutant({13, 15}, "visits")
def hub_acknowledges_before_the_commit() -> Iterator[None]:
    """A batch whose chain holds will be stored: its sender is told at once."""
    honest = Ingest._together

    async def early(self: Ingest, said: Sequence[Any]) -> None:
        for batch in said:
            if isinstance(batch, wire.UpBatch):
                self._acknowledge(batch.locker, batch.epoch, batch.to_seq, batch.hash, gap=False)
        if said:
            await asyncio.sleep(0.5)  # noqa: TID251  # virtual: the mistake is a thread that comes to it later
        await honest(self, said)

    with replaced(Ingest, "_together", early):
        yield


@mutant({9, 13, 15, 25, 29}, "hub dies", seeds=(1, 2, 4), breaks="DatabaseError")
def hub_does_not_wait_for_its_disk() -> Iterator[None]:
    """The hub's database is much faster without waiting for the disk."""
    honest = store._pragmas

    def pragmas(**how: bool) -> list[str]:
        return [*honest(**how), "synchronous=OFF"]

    with replaced(store, "_pragmas", pragmas):
        yield


@mutant({18}, "visits")
def message_is_kept() -> Iterator[None]:
    """What was sent to a phone is kept beside the notice, for whoever has to call."""
    honest = Notifier._settle

    async def kept(self: Notifier, notice: Any, *beside: Any, **values: Any) -> None:
        told = json.dumps(self._desk.opened(notice.contact_sealed))
        await honest(self, notice, *beside, **{**values, "detail": told})

    with replaced(Notifier, "_settle", kept):
        yield


@mutant({18}, "visits")
def phone_is_not_masked() -> Iterator[None]:
    """The locker is told the whole number, so that staff can call."""
    with everywhere(masks.phone, lambda number: number):
        yield


def _fine(*_: Any, **__: Any) -> None:
    """Nothing is the matter."""


@mutant({14}, "old card", seeds=(3, 4, 5))
def lost_rows_are_no_trouble() -> Iterator[None]:
    """A locker that has less than the centre is a new one: it is asked for the rest, and nobody is told."""
    quiet = replaced(rows, "alarm", _fine)
    with replaced(hello, "_up_trouble", _fine), replaced(hello, "_told", _fine), quiet:
        yield


@mutant({14}, "old card for a moment")
def cards_are_told_by_their_numbers() -> Iterator[None]:
    """Whoever has started less often than before is one of whom the broker speaks late."""
    with replaced(hello, "_is_other", lambda *_: False):
        yield


@mutant({15, 29}, "visits")
def projection_is_forgotten() -> Iterator[None]:
    """An entry is stored, and what it means is left to a nightly job."""

    def later(*_: Any) -> str:
        return ""

    with everywhere(project, later):
        yield


MUTANTS = table(globals())
