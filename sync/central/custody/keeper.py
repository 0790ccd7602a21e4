"""What the API and the console do in custody: one transaction each, on what the lockers told until now."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection

from sync.central.access.actor import Actor
from sync.central.custody import asked, dead, evidence, fold, hand_over
from sync.central.custody.dead import Holdings, Resolution
from sync.central.custody.evidence import Bundle
from sync.central.custody.hand_over import Ending, Proposal, Receipt
from sync.central.custody.parties import Room, SlipState
from sync.central.office import Office, Repeatable
from sync.central.platform import Clock
from sync.central.store import Store

T = TypeVar("T")
EVERY_MS: Final = 5_000
"""A contradiction of a locker that came back is an alarm within this."""
BETWEEN_MS: Final = 50
"""With more to take in: others write in between."""


async def keep(store: Store, clock: Clock) -> None:
    """Take in what lockers tell, until cancelled."""
    while True:
        more = 0
        if await store.read(fold.behind):
            more = await store.write(partial(fold.fold, now_ms=clock.wall_ms()))
        await clock.sleep_until(clock.mono_ms() + (BETWEEN_MS if more else EVERY_MS))


@dataclass(frozen=True, slots=True)
class Keeper:
    office: Office

    async def propose(self, wanted: Proposal, actor: Actor, repeatable: Repeatable) -> str:
        """The slip. Raises Refused."""
        await self._catch_up()

        def make(connection: Connection) -> str:
            return hand_over.propose(connection, self.office.desk, actor, wanted)

        return await self.office.once("custody/slips", actor, repeatable, make)

    async def settle(self, slip: str, receipt: Receipt, actor: Actor) -> SlipState:
        """Raises Refused."""
        desk = self.office.desk
        return await self.office.store.write(lambda c: hand_over.settle(c, desk, actor, slip, receipt))

    async def take_back(self, slip: str, actor: Actor) -> None:
        """Raises Refused."""
        desk = self.office.desk
        await self.office.store.write(lambda c: hand_over.take_back(c, desk, actor, slip))

    async def end(self, room: Room, ending: Ending, actor: Actor) -> None:
        """Raises Refused."""
        desk = self.office.desk
        await self.office.store.write(lambda c: hand_over.resolve(c, desk, actor, room, ending))

    async def resolve(self, said: Resolution, actor: Actor) -> None:
        """Raises Refused."""
        await self._catch_up()
        desk = self.office.desk
        await self.office.store.write(lambda c: dead.resolve(c, desk, actor, said))

    async def holdings(self, locker: str, actor: Actor) -> Holdings:
        """Raises Refused."""
        now_ms = self.office.desk.clock.wall_ms()
        return await self.office.store.read(lambda c: dead.holdings(c, actor, locker, now_ms))

    async def slip(self, slip: str, actor: Actor) -> asked.Whole:
        """Raises Refused."""
        now_ms = self.office.desk.clock.wall_ms()
        return await self.office.store.read(lambda c: asked.slip(c, actor, slip, now_ms))

    async def evidence(self, case: str, actor: Actor) -> list[Bundle]:
        """Raises Refused."""
        desk = self.office.desk
        return await self.office.store.read(lambda c: evidence.export(c, desk, actor, case))

    async def look(self, ask: Callable[[Connection], T]) -> T:
        """On what lockers told until now."""
        await self._catch_up()
        return await self.office.store.read(ask)

    async def _catch_up(self) -> None:
        """As much as a page can wait for: the rest is taken in beside it."""
        now_ms, store = self.office.desk.clock.wall_ms(), self.office.store
        if await store.read(fold.behind):
            await store.write(lambda c: fold.fold(c, now_ms))
