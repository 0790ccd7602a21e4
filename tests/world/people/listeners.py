"""Who works complaints at the hub: takes them, says what was done, asks whether it helped, closes them."""

from collections.abc import Sequence
from random import Random  # noqa: TID251  # seeded
from typing import Any, Final

from sqlalchemy import Connection

from sync.central import store
from sync.central.access import accounts
from sync.central.access.accounts import Account
from sync.central.access.actor import EVERY_AREA, Role
from sync.central.access.tables import ACCOUNT
from sync.central.complaints import listing, work
from sync.central.complaints.listing import Wanted, Which
from sync.central.complaints.policy import Category
from sync.central.complaints.register import Complaint, Origin
from sync.central.complaints.room import Room
from sync.central.complaints.states import Move, State
from sync.central.desk import Refused
from sync.central.office import Office, Repeatable
from tests.world.centre import ClosedError
from tests.world.people.town import Town
from tests.world.people.windows import KEEPER
from tests.world.times import pause

HEARS: Final = Account("zhou", "周", frozenset({Role.HELPER_LEAD}), frozenset({EVERY_AREA}))
NEXT: Final[dict[State, tuple[Move, ...]]] = {
    State.REGISTERED: (Move.ASSIGN,) * 9 + (Move.RESOLVE,),
    State.ASSIGNED: (Move.RESOLVE,) * 6 + (Move.REMARK, Move.ASSIGN, Move.SATISFY),
    State.RESOLVED: (Move.SATISFY,) * 4 + (Move.OBJECT,) * 3 + (Move.MISS,) * 3 + (Move.GIVE_UP,),
    State.SATISFIED: (Move.REOPEN,),
    State.GIVEN_UP: (Move.REOPEN,),
}
"""What is tried in each state; some of it must be refused."""
AT_ONCE: Final = 8
STEPS_MAX: Final = 3
CALLS, OWN_WORD, AGAIN = 0.5, 0.3, 0.1
"""That somebody comes to the hall and complains; that the applicant says it on their own page; that something
closed is opened once more."""


class Listener:
    """A session at the desk, now."""

    def __init__(self, town: Town, rng: Random) -> None:
        self.town, self.world, self.rng = town, town.world, rng
        self.centre = town.world.centre

    async def works(self) -> None:
        try:
            await self.centre.does(self._account)
            await self.centre.does(self._raises)
            if self.rng.random() < CALLS:
                await self._hears_somebody()
            for row in await self._todo():
                for _ in range(self.rng.randint(1, STEPS_MAX)):
                    await pause(self.rng.uniform(5, 90))
                    if not await self._moves(str(row.complaint)):
                        break
        except ClosedError:
            self.world.reached("the listener found the centre closed")

    async def _account(self, office: Office) -> None:
        """Whoever takes a complaint has an account."""

        def add(connection: Connection) -> None:
            if store.find(connection, ACCOUNT, {"account": HEARS.account}) is None:
                accounts.add(connection, office.desk.clock.wall_ms(), KEEPER, HEARS, "", first=False)

        await office.store.write(add)

    async def _raises(self, office: Office) -> None:
        """What was not done in time, as the hub does it by itself every minute."""
        if await office.store.write(lambda c: work.escalate(c, office.desk)):
            self.world.reached("a complaint was raised")

    async def _hears_somebody(self) -> None:
        machine = self.rng.choice(self.world.machines)
        told = Complaint(
            self.rng.choice(list(Category)), "不知道该找谁", "13800001111", "王芳", locker=machine.name
        )

        async def register(office: Office) -> str:
            return await Room(office).register(told, HEARS.actor, Origin.HALL, Repeatable())

        await self.centre.does(register)
        self.world.reached("a complaint was made in the hall")

    async def _todo(self) -> Sequence[Any]:
        which = Which.CLOSED if self.rng.random() < AGAIN else Which.OPEN
        now_ms = self.centre.desk.clock.wall_ms()

        async def look(office: Office) -> Sequence[Any]:
            return await office.store.read(
                lambda c: listing.listed(c, HEARS.actor, Wanted(which), now_ms)[:AT_ONCE]
            )

        return await self.centre.does(look)

    async def _moves(self, complaint: str) -> bool:
        """One step with it; False where the centre would not."""

        async def move(office: Office) -> State:
            row = await office.store.read(lambda c: listing.one(c, HEARS.actor, complaint))
            chosen = self.rng.choice(NEXT[State(row.state)])
            if chosen in {Move.SATISFY, Move.OBJECT} and self.rng.random() < OWN_WORD:
                glad = chosen is Move.SATISFY
                return await office.store.write(
                    lambda c: work.answer(c, office.desk, complaint, satisfied=glad, text="再看看")
                )
            after = await Room(office).move(complaint, chosen, HEARS.actor, "问过了")
            if after is State.SATISFIED and self.rng.random() < AGAIN:
                await Room(office).publish(complaint, "门打不开", "推一下再按", HEARS.actor)
            return after

        try:
            after = await self.centre.does(move)
        except Refused as error:
            self.world.reached(f"a complaint did not move: {error.reason}")
            return False
        self.world.reached(f"a complaint: {after}")
        return True
