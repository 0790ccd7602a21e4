"""What people do at a locker, as lives for the disk that forgets: the flows' own tests, on a real journal."""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random  # noqa: TID251  # seeded
from types import ModuleType
from typing import Any, Final
from unittest.mock import patch

from locker.domain.ids import Seq
from tests.locker.journal.histories import Life as MadeUp
from tests.locker.journal.histories import SetClock, live
from tests.locker.operations import test_boards, test_pickup_rights, test_service, test_visits
from tests.locker.operations.world import MemoryWorld
from tests.power.cuts import Life
from tests.power.recording import DiskWorld, Recording

MODULES: Final[tuple[ModuleType, ...]] = (test_visits, test_service, test_boards, test_pickup_rights)
EVENTS: Final = 40


def use_cases() -> Mapping[str, Life]:
    """Every flow that is tested without arguments, by the name of its test."""
    return {
        name: _on_disk(flow)
        for module in MODULES
        for name, flow in inspect.getmembers(module, inspect.iscoroutinefunction)
        if name.startswith("test_") and not inspect.signature(flow).parameters
    }


def _on_disk(flow: Callable[[], Awaitable[None]]) -> Life:
    async def life(recording: Recording) -> None:
        with _started_on(recording):
            await flow()

    return life


@contextmanager
def _started_on(recording: Recording) -> Iterator[None]:
    async def start(seed: int = 1, *, item_sensors: bool = True) -> MemoryWorld:
        del seed
        world = await DiskWorld.on(recording, item_sensors=item_sensors)
        recording.begun = len(recording.disk.log)
        return world

    with patch.object(MemoryWorld, "start", start):
        yield


async def beginning(recording: Recording) -> None:
    """A new locker: schema, first entries, doors read."""
    await DiskWorld.on(recording)


def made_up(seed: int) -> Life:
    """A life that no flow would lead, with checkpoints, acknowledgements, anchors and purges in it."""

    async def life(recording: Recording) -> None:
        chance = Random(seed)
        journal = await recording.open(SetClock(), chance.randbytes)
        story: Any = MadeUp(seed)
        for _ in range(EVENTS // 10):
            await live(journal, story, 10)
            await journal.acknowledge(Seq(journal.state.seq - chance.randrange(3)))
            match chance.randrange(4):
                case 0:
                    recording.checkpoint()
                case 1:
                    await journal.purge_personal(Seq(journal.acknowledged))
                case 2:
                    anchored = await journal.anchor()
                    await journal.acknowledge(journal.state.seq)
                    await journal.purge_rows(anchored.seq)

    return life
