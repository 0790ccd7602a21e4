"""Who plays in the scenes: one person after the other, each doing just what the scene wants."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from locker.domain.codes import typed_text
from locker.domain.compartment import Size
from sync.central.cases import Person, PreReview, authorisation_row, token_of
from sync.central.outgoing import Outgoing, item_row
from sync.central.pickups.agents import Entrusting
from sync.central.pickups.codes import Lost
from sync.central.staff import Enrolment
from sync.central.tables import OUTGOING_ITEM
from tests.world.screen import DarkError, View
from tests.world.times import pause
from tests.world.world import World

LOOK_S: Final = 0.5
PIN: Final = "246810"
SMS_S: Final = 60.0


class LostError(Exception):
    """The scene cannot go on: the screen, or the telephone, says something else than it should."""


@dataclass(slots=True)
class Papers:
    """A case, with its code; ``door`` once it lies somewhere."""

    case: str
    phone: str
    typed: str
    scan: str
    door: int = 0

    @property
    def thing(self) -> str:
        return f"papers of {self.case}"


class Cast:
    """On the first machine of a world."""

    def __init__(self, world: World) -> None:
        self.world, self.machine = world, world.machines[0]
        self.screen, self.centre = self.machine.screen, world.centre
        self.rng = world.chance("scene")
        self._count = 0

    # --- waiting and looking ---

    async def wait(self, least_s: float, most_s: float) -> None:
        await pause(self.rng.uniform(least_s, most_s))

    async def sees(self, *screens: str, for_s: float = 25.0) -> View:
        """Look until one of these shows."""
        until_s = self.world.loop.time() + for_s
        while True:
            view = await self.screen.view()
            if view["screen"] in screens:
                return view
            if self.world.loop.time() > until_s:
                raise LostError(f"{view['screen']} where {screens} should be: {view['refused']}")
            await pause(LOOK_S)

    async def until(self, holds: Callable[[], Any], for_s: float = SMS_S) -> Any:
        until_s = self.world.loop.time() + for_s
        while not (found := holds()):
            if self.world.loop.time() > until_s:
                raise LostError("nothing came")
            await pause(LOOK_S)
        return found

    async def up(self) -> None:
        """The daemon serves, and sees its doors."""
        machine = self.machine

        def sees_all() -> bool:
            if machine.built is None or machine.screen.dark:
                return False
            doors = machine.built.journal.state.compartments.values()
            return all(door.position != "unknown" for door in doors)

        await self.until(sees_all, for_s=120)
        await pause(1.0)

    def mends(self) -> None:
        """Whatever a scene broke that could not be played to its end."""
        machine, broker = self.machine, self.world.broker
        machine.storing.slow_s, machine.platter.refuses = 0.0, None
        machine.time.is_ntp, machine.time.offset_ms = True, 0
        machine.break_line("A", dead=[], loss=0.0, late=0.0)
        broker.weather.spoilt = 0.0
        broker.mend(machine.name)
        machine.power_on()
        for door in machine.model.numbers:
            machine.do(door, "unjam")
        self.shuts_all()

    # --- the centre ---

    async def passed(self, hours: int = 72, size: Size = Size.S) -> Papers:
        """A pre-review passes; its code is on the phone, and the locker knows of it."""
        papers = await self.passed_unsaid(hours, size)
        inbox = self.centre.phones.inbox
        await self.until(lambda: inbox.get(papers.phone))
        return papers

    async def passed_unsaid(self, hours: int = 72, size: Size = Size.S) -> Papers:
        """As before; nobody waits for the locker to hear of it."""
        case, phone = self._next()
        applicant = Person("王小明", phone)
        wish = PreReview(case, "licence", ("form",), (), size, applicant, self.machine.name, hours)
        key, desk = await self.centre.pre_review(wish), self.centre.desk
        told = await self.centre.read(lambda c: desk.opened(authorisation_row(c, key).sealed))
        return Papers(case, phone, told["typed"], told["token"])

    def _next(self) -> tuple[str, str]:
        """A case and a phone that nobody had before."""
        self._count += 1
        return f"CASE-{self.world.seed}-{self._count:04d}", f"139{self._count:08d}"

    async def label(self, size: Size = Size.S) -> tuple[Papers, str]:
        """A finished licence; the digits on its label."""
        case, phone = self._next()
        wish = Outgoing(
            "", case, "licence", size, Person("王小明", phone), self.machine.name, second_factor=False
        )
        item = await self.centre.outgoing_item(wish)
        label = await self.centre.read(lambda c: token_of(self.centre.desk, item_row(c, item)))
        await pause(2.0)
        return Papers(case, phone, "", ""), label

    async def badge(self, role: str = "helper") -> str:
        wish = Enrolment(f"{role}-{self._count}", "赵敏", frozenset({role}), PIN, (self.machine.name,))
        digits = await self.centre.enrol_staff(wish)
        await pause(3.0)
        return digits

    async def at_the_hub(self, work: Callable[[Connection], Any]) -> None:
        """What no office does yet: written into its database, and told to the locker."""
        assert self.centre.store is not None
        self.centre.store.write_now(work)
        self.centre.serving.office.pump.wake([self.machine.name])

    # --- at the locker ---

    async def asks_to_hand_in(self, papers: Papers) -> None:
        view = await self.screen.typed(papers.typed)
        if view["screen"] != "offer":
            raise LostError(f"{view['screen']}: {view['refused']}")
        await self.wait(0.5, 3)
        await self.screen.act("open")

    async def asks_to_hand_in_blindly(self, papers: Papers) -> None:
        """The screen may go dark under their finger."""
        with suppress(DarkError):
            await self.asks_to_hand_in(papers)

    async def types_wrongly(self, papers: Papers, n: int) -> None:
        """A right locator, another secret, and the check digit that belongs to it."""
        right = papers.typed
        secret = f"{(int(right[3:10]) + 1 + n) % 10**7:07d}"
        view = await self.screen.typed(typed_text(right[:3], secret))
        if "leave" in {act["act"] for act in view["acts"]}:
            await self.screen.act("leave")

    async def opened(self, papers: Papers, screen: str = "place") -> int:
        view = await self.sees(screen)
        papers.door = int(view["door"])
        await self.wait(1, 4)
        return papers.door

    def puts(self, papers: Papers) -> None:
        self.world.contents.put(self.machine, papers.door, papers.thing)

    def takes(self, papers: Papers) -> None:
        self.world.contents.take(self.machine, papers.door)

    def shuts(self, door: int) -> None:
        self.machine.do(door, "shut")

    def shuts_all(self) -> None:
        for door in self.machine.model.numbers:
            if self.machine.is_open(door):
                self.shuts(door)

    async def cut(self, for_s: float = 5.0) -> None:
        """The power goes, and comes back."""
        self.machine.cut_power()
        await pause(for_s)
        self.machine.power_on()
        await self.up()

    async def leaves(self, *screens: str) -> None:
        await self.sees(*screens)
        await self.wait(0.5, 4)
        await self.screen.act("leave")
        await self.sees("home")

    async def hands_in(self, papers: Papers) -> None:
        await self.asks_to_hand_in(papers)
        door = await self.opened(papers)
        self.puts(papers)
        await self.wait(0.5, 3)
        self.shuts(door)
        await self.leaves("receipt")

    async def signs_in(self, badge: str) -> None:
        await self.screen.scanned(badge)
        await self.sees("pin")
        view = await self.screen.act("pin", digits=PIN)
        if view["screen"] != "menu":
            raise LostError(f"{view['screen']}: {view['refused']}")

    async def takes_in(self, badge: str, papers: Papers) -> None:
        await self.signs_in(badge)
        view = await self.screen.act("round", kind="intake")
        row = next((row for row in view["rows"] if row["title"] == papers.case), None)
        if row is None:
            raise LostError("it is not in the round")
        await self.screen.act("intake_open", **row["data"])
        await self.opened(papers, "take_out")
        self.takes(papers)
        self.shuts(papers.door)
        await self.sees("intake_confirm")
        await self.screen.act("intake_confirm", finding="complete")
        await self.screen.act("sign_out")

    async def loads(self, badge: str, papers: Papers, label: str) -> None:
        """And its code comes by telephone."""
        await self.signs_in(badge)
        await self.screen.act("load")
        await self.screen.scanned(label)
        door = await self.opened(papers, "put_in")
        self.puts(papers)
        self.shuts(door)
        await self.sees("second_look")
        await self.screen.scanned(label)
        await self.screen.act("sign_out")
        inbox = self.centre.phones.inbox
        sms = await self.until(lambda: inbox.get(papers.phone))
        papers.typed, papers.scan = sms[0].said["typed"], sms[0].said["scan"]

    async def loses(self, papers: Papers) -> None:
        """Their code; a new one is ordered, and comes by telephone."""
        item = await self._item(papers)
        inbox = self.centre.phones.inbox[papers.phone]
        count = len(inbox)
        await self.centre.reissue(Lost(item, "lost"))
        await self.until(lambda: len(inbox) > count)
        papers.typed, papers.scan = inbox[-1].said["typed"], inbox[-1].said["scan"]
        await pause(15.0)

    async def sends(self, papers: Papers) -> Papers:
        """An agent, who gets a code of their own."""
        _, phone = self._next()
        entrusting = Entrusting(await self._item(papers), Person("王芳", phone), 24)
        await self.centre.entrust(entrusting)
        (sms, *_) = await self.until(lambda: self.centre.phones.inbox.get(phone))
        return Papers(papers.case, phone, sms.said["typed"], sms.said["scan"], papers.door)

    async def _item(self, papers: Papers) -> str:
        own = OUTGOING_ITEM.c
        query = select(own.item).where(own.case_number == papers.case)
        return str(await self.centre.read(lambda c: c.execute(query).scalar_one()))

    async def collects_for_another(self, agents: Papers) -> None:
        await self.screen.scanned(agents.scan)
        await self.sees("phone")
        await self.screen.act("phone4", digits=agents.phone[-4:])
        door = await self.opened(agents, "take")
        self.world.contents.take(self.machine, door)
        self.shuts(door)
        await self.leaves("collected")

    async def collects(self, papers: Papers, *, takes: bool = True) -> None:
        await self.screen.scanned(papers.scan)
        door = await self.opened(papers, "take")
        if takes:
            self.takes(papers)
        self.shuts(door)
        await self.leaves("collected" if takes else "still_inside")
