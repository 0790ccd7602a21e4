"""Windows of the hall: what helpers bring is counted and received by slip; differences are looked into."""

from collections.abc import Awaitable, Callable, Sequence
from random import Random  # noqa: TID251  # seeded
from typing import Any, Final

from sqlalchemy import Connection

from sync.central import store
from sync.central.access.actor import EVERY_AREA, Actor, Role, person
from sync.central.custody import asked
from sync.central.custody.hand_over import Ending, Proposal, Receipt
from sync.central.custody.keeper import Keeper
from sync.central.custody.parties import OUTCOMES, Difference, Kind, Outcome, Party, Room
from sync.central.custody.tables import HELD
from sync.central.desk import Refused
from sync.central.office import Office, Repeatable
from sync.central.windows import register
from tests.world.centre import ClosedError
from tests.world.people.town import Town
from tests.world.times import pause

AREA: Final = "park"
WINDOW, DEPARTMENT = "一号窗口", "许可科"
PLACES: Final = {WINDOW: Kind.WINDOW, DEPARTMENT: Kind.DEPARTMENT}
COURIER: Final = Party(Kind.COURIER, "EMS")
LEAD: Final = person("lead", [Role.HELPER_LEAD], [EVERY_AREA])
CLERKS: Final = tuple(person(name, [Role.WINDOW_CLERK], [EVERY_AREA]) for name in ("sun", "qian", "wu"))
KEEPER: Final = person("keeper", [Role.ADMINISTRATOR], [EVERY_AREA])
MISSES, TOO_MANY, WITHDRAWS, ONWARD, LEAVES, ALONE = 0.08, 0.05, 0.06, 0.5, 0.1, 0.05
"""Of each thing, that it is not found; of each slip, that something comes besides, that it is taken back,
that what came goes on, that it is left for the next time, that who gave it wants to settle it as well."""
SLIP_MAX: Final = 12
SETTLED: Final = 0.7
"""Of the differences that stand: what is looked into this time."""


class Window:
    """Somebody at the window, a few times a day."""

    def __init__(self, town: Town, rng: Random) -> None:
        self.world, self.rng = town.world, rng
        self.centre = town.world.centre
        self.places: dict[str, str] = {}
        """Ids by name."""

    async def works(self) -> None:
        try:
            await self._opens()
            await self._waiting()
            for giver, things in await self._in_hands(Kind.HELPER):
                await self._receives(giver, things)
            if self.rng.random() < ONWARD:
                await self._sends_on()
            await self._looks_into()
        except ClosedError:
            self.world.reached("the window found the centre closed")

    async def _opens(self) -> None:
        """Window and department stand in the register from the first day on."""

        async def open_places(office: Office) -> dict[str, str]:
            def work(connection: Connection) -> dict[str, str]:
                known = {row.name: row.place for row in register.every(connection, KEEPER)}
                for name, kind in PLACES.items():
                    if name not in known:
                        known[name] = register.add(connection, office.desk, KEEPER, kind, AREA, name)
                return known

            return await office.store.write(work)

        self.places = await self.centre.does(open_places)

    def _at(self, name: str) -> Party:
        return Party(PLACES[name], self.places[name])

    # --- slips ---

    async def _in_hands(self, kind: Kind) -> list[tuple[Party, list[str]]]:
        """What stands on no slip yet, by whose hands it is in and the round on which it was taken out."""
        desk, found = self.centre.desk, dict[tuple[str, str], list[str]]()

        def free(connection: Connection) -> Sequence[asked.InHand]:
            return asked.in_hands(connection, desk, LEAD, free=True).rows

        for each in await self._asks(free):
            if each.row.holder_kind == kind:
                found.setdefault((each.row.holder, each.row.round), []).append(each.row.thing)
        return [(Party(kind, who), things[:SLIP_MAX]) for (who, _), things in found.items()]

    async def _receives(self, giver: Party, things: Sequence[str]) -> None:
        to, slip = self._at(WINDOW), ""

        async def propose(keeper: Keeper) -> None:
            nonlocal slip
            slip = await keeper.propose(Proposal(giver, to, things), LEAD, Repeatable())

        if not await self._does(propose, "a slip was proposed"):
            return
        await pause(self.rng.uniform(5, 120))
        if self.rng.random() < WITHDRAWS:
            await self._does(lambda keeper: keeper.take_back(slip, LEAD), "a slip was taken back")
            return
        if self.rng.random() < ALONE:
            every = Receipt(frozenset(things), {})
            await self._does(lambda keeper: keeper.settle(slip, every, LEAD), "who gave received as well")
        if self.rng.random() >= LEAVES:
            await self._settles(slip, giver, to, things)

    async def _settles(self, slip: str, giver: Party, to: Party, things: Sequence[str]) -> None:
        lost = {thing for thing in things if self.rng.random() < MISSES}
        besides = ("an envelope without a case",) if self.rng.random() < TOO_MANY else ()
        who = self.rng.choice(CLERKS)

        async def settle(keeper: Keeper) -> None:
            before = await keeper.look(lambda c: {thing: _holder(c, thing) for thing in things})
            # Of a slip that lay for long something may have been loaded again, and be with its recipient.
            missing = {thing: "not in the bag" for thing in things if thing in lost or before[thing] != giver}
            received = frozenset(things) - set(missing)
            await keeper.settle(slip, Receipt(received, missing, besides), who)
            after = await keeper.look(lambda c: {thing: _holder(c, thing) for thing in things})
            for thing, is_with in after.items():
                holder = to if thing in received else before[thing]
                if is_with != holder:
                    self.world.violated(5, f"slip {slip}: {thing} is with {is_with}, not with {holder}")

        whole = not lost and not besides
        await self._does(settle, "a slip was confirmed" if whole else "a slip was complained about")

    async def _waiting(self) -> None:
        """What was left lying the last time."""
        desk = self.centre.desk

        def waiting(connection: Connection) -> list[asked.Whole]:
            slips = asked.slips(connection, desk, LEAD, only_open=True).rows
            return [asked.slip(connection, LEAD, each.row.slip, desk.clock.wall_ms()) for each in slips]

        for whole in await self._asks(waiting):
            row = whole.slip.row
            giver, to = Party(Kind(row.from_kind), row.from_name), Party(Kind(row.to_kind), row.to_name)
            await self._settles(row.slip, giver, to, [line.thing for line in whole.lines])

    async def _sends_on(self) -> None:
        """Papers to the department that decides, what nobody collected to the post."""
        for _, things in await self._in_hands(Kind.WINDOW):
            papers = [thing for thing in things if thing.startswith("papers/")]
            others = [thing for thing in things if thing not in papers]
            for to, chosen in ((self._at(DEPARTMENT), papers), (COURIER, others)):
                wanted, who = Proposal(self._at(WINDOW), to, chosen), self.rng.choice(CLERKS)
                if not chosen:
                    continue

                async def propose(keeper: Keeper, wanted: Proposal = wanted, who: Actor = who) -> None:
                    await keeper.propose(wanted, who, Repeatable())

                await self._does(propose, "a slip goes on from the window")

    # --- what does not agree ---

    async def _looks_into(self) -> None:
        desk = self.centre.desk

        def stand(connection: Connection) -> Sequence[Any]:
            return asked.differences(connection, desk, LEAD).rows

        for row in await self._asks(stand):
            if self.rng.random() >= SETTLED:
                continue
            outcome = self.rng.choice(sorted(OUTCOMES[Difference(row.kind)], key=str))
            who = self.rng.choice((LEAD, *CLERKS))
            ending = Ending(row.number, Outcome(outcome), "asked everybody")
            room = Room(row.room)

            async def end(keeper: Keeper, room: Room = room, it: Ending = ending, who: Actor = who) -> None:
                await keeper.end(room, it, who)

            await self._does(end, f"a difference was resolved: {row.kind}, {outcome}")

    # --- at the centre ---

    async def _asks(self, look: Callable[[Connection], Any]) -> Any:
        async def ask(office: Office) -> Any:
            return await Keeper(office).look(look)

        return await self.centre.does(ask)

    async def _does(self, work: Callable[[Keeper], Awaitable[object]], said: str) -> bool:
        """Whether the centre took it."""

        async def do(office: Office) -> None:
            await work(Keeper(office))

        try:
            await self.centre.does(do)
        except Refused as error:
            self.world.reached(f"the window was refused: {error.reason}")
            return False
        self.world.reached(said)
        return True


def _holder(connection: Connection, thing: str) -> Party:
    row = store.find(connection, HELD, {"thing": thing})
    return Party(Kind(row.holder_kind), row.holder) if row is not None else Party(Kind.LOST, "nowhere")
