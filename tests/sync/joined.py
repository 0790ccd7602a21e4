"""A locker and the hub's real parts in one process: what one says comes to the other at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from locker.domain import chain
from locker.domain.entry import Entry
from locker.domain.state import LockerState
from sync.central import lockers
from sync.central.desk import Desk
from sync.central.ingest import Ingest
from sync.central.platform import Threads
from sync.central.pump import Pump
from sync.central.store import Store
from sync.link.settings import PublishResult
from tests.locker.operations.world import MemoryJournal, MemoryWorld
from tests.power.recording import AtOnce
from tests.sync.edges import LOCKER, OWN_KEY, FakeLink, MemoryRow


@contextmanager
def enrolled(folder: Path, desk: Desk) -> Iterator[Store]:
    """A hub's store that knows the locker."""
    store = Store.open(folder / "central.sqlite", Threads(AtOnce(), AtOnce()))
    try:
        store.write_now(lambda c: lockers.enrol(c, desk, LOCKER, "north", OWN_KEY.public.hex()))
        yield store
    finally:
        store.close()


class Hears(Protocol):
    """A hub to which a line leads."""

    line: Any
    ingest: Ingest
    pump: Pump


class HubLine(FakeLink):
    """Everything that is said goes to the hub at once, and its answers come back."""

    def __init__(self, hub: Hears) -> None:
        super().__init__()
        self._hub = hub
        hub.line = self

    async def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool = False, expiry_s: int | None = None
    ) -> PublishResult:
        result = await super().publish(topic, payload, qos=qos, retain=retain, expiry_s=expiry_s)
        await self._hub.ingest.take(topic, payload)
        await self._hub.pump.step()
        return result


@dataclass
class Pages:
    """A journal in memory, as the edge reads it."""

    journal: MemoryJournal

    def entries(self, after: int, limit: int, max_bytes: int) -> list[MemoryRow]:
        del max_bytes
        return [_row(entry) for entry in self.journal.entries[after : after + limit]]

    def hash_at(self, seq: int) -> bytes:
        return self.journal.entries[seq - 1].hash if seq else chain.START

    def oldest(self) -> int:
        return 1


def _row(entry: Entry) -> MemoryRow:
    digest = chain.personal_digest(entry.salt, entry.personal.encode())
    return MemoryRow(entry.seq, entry.public, entry.personal, entry.salt, digest, entry.hash)


async def no_act(*_: Any, **__: Any) -> Any:
    raise AssertionError("nobody orders anything here")


Image = tuple[Sequence[Entry], LockerState]


def image(m: MemoryWorld) -> Image:
    return list(m.journal.entries), m.journal.state


async def put_back(m: MemoryWorld, card: Image) -> None:
    m.journal.entries, m.journal._state = list(card[0]), card[1]
    await m.restart()
