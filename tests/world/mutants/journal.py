"""Mistakes in what is written down, and when."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from sqlite3 import Connection
from typing import Any

from locker.domain import chain
from locker.domain import entry as entries
from locker.journal import journal, schema
from locker.journal.journal import Journal
from locker.journal.steps import Steps
from locker.journal.store import Store
from locker.operations import present_code
from locker.operations.ports import World
from tests.world.mutants.mutant import everywhere, mutant, replaced, table

_LOGGER = logging.getLogger("locker.operations.present_code")


def _pragma(less: str) -> Iterator[None]:
    honest = schema._set_up

    def set_up(connection: Connection) -> None:
        honest(connection)
        connection.execute(f"PRAGMA synchronous = {less}")

    with replaced(schema, "_set_up", set_up):
        yield


@mutant({1, 13}, "power cuts")
def synchronous_off() -> Iterator[None]:
    """The database is much faster without waiting for the disk."""
    yield from _pragma("OFF")


@mutant({1, 13}, "power cuts")
def synchronous_normal() -> Iterator[None]:
    """What everybody recommends for a write-ahead log."""
    yield from _pragma("NORMAL")


@mutant({13, 1}, "cut on a slow disk")
def told_before_the_commit() -> Iterator[None]:
    """The state moves on when the write is ordered: receipts and screens need not wait for the disk."""
    honest = Journal._finish_turn

    async def early(self: Journal, work: Callable[[], Any], settle: Callable[[Any], None]) -> Any:
        if settle.__qualname__.startswith("Journal.commit"):
            settle(None)
            return await honest(self, work, lambda _: None)
        return await honest(self, work, settle)

    with replaced(Journal, "_finish_turn", early):
        yield


@mutant({13, 1, 21}, "cut on a slow disk")
def answered_before_the_commit() -> Iterator[None]:
    """A decision is answered when its write is ordered."""
    honest = Journal._finish_turn

    async def early(self: Journal, work: Callable[[], Any], settle: Callable[[Any], None]) -> Any:
        if not settle.__qualname__.startswith("Journal.commit"):
            return await honest(self, work, settle)
        writing = asyncio.ensure_future(honest(self, work, settle))
        writing.add_done_callback(lambda done: done.cancelled() or done.exception())
        return None

    with replaced(Journal, "_finish_turn", early):
        yield


@mutant({16}, "full disk")
def failure_is_forgiven() -> Iterator[None]:
    """A write that failed is one write: the next one may well work."""
    never = property(lambda _self: False, lambda _self, _value: None)
    with replaced(Journal, "_note_failure", lambda _self, _done: None), replaced(Store, "_failed", never):
        yield


@mutant({20, 14}, "power cuts")
def boots_are_not_counted() -> Iterator[None]:
    """Every run is the first one."""
    honest = Journal.__init__

    def first(self: Journal, *given: Any, **named: Any) -> None:
        honest(self, *given, **named)
        self.boot = 1

    with replaced(Journal, "__init__", first):
        yield


@mutant({20}, "clock jumps")
def only_the_centre_moves_the_clock() -> Iterator[None]:
    """A step is written down where the centre's word brought it about, and no other."""

    def unsaid(self: Steps, stamp: entries.Stamp, _events: object) -> tuple[()]:
        self._last = stamp
        return ()

    with replaced(Steps, "unsaid", unsaid):
        yield


@mutant({14, 15, 24, 29}, "visits")
def chain_link_is_skipped() -> Iterator[None]:
    """Every twentieth entry begins a chain of its own: a block is easier to check."""

    honest: Callable[..., Any] = entries.write

    def skipping(*given: Any) -> Any:
        seq, previous = given[0], given[-1]
        return honest(*given[:-1], chain.START if seq % 20 == 0 else previous)

    with replaced(journal, "write", skipping):
        yield


@mutant({18}, "visits")
def typed_code_in_the_log() -> Iterator[None]:
    """A line in the log for every code, to see why it was refused."""
    honest = present_code.present_typed

    async def talkative(world: World, text: str, phone4: str = "") -> Any:
        _LOGGER.info("code %s", text)
        return await honest(world, text, phone4)

    with everywhere(honest, talkative):
        yield


MUTANTS = table(globals())
