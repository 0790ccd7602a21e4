"""A running edge, and a down-log to send it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from locker.domain.events import StaffRevoked
from locker.domain.ids import StaffId
from tests.sync.edges import DownLog, FakeLink, Inline, MemoryJournal, Told, VirtualClock, edge_of, settle
from tests.sync.worlds import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    link, journal, clock, told = FakeLink(), MemoryJournal().begin(), VirtualClock(), Told()
    edge = edge_of(link, journal, clock, told, Inline())
    serving = asyncio.create_task(edge.run())
    await settle()
    yield World(link, journal, clock, told, edge)
    await edge.stop()
    await serving


@pytest.fixture
def down() -> DownLog:
    log = DownLog()
    for number in range(1, 7):
        log.add(StaffRevoked(StaffId(f"s{number}")))
    return log
