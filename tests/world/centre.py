"""The centre as a machine: the real hub on a disk of the world, the desk's clerks, and everybody's phones."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path
from random import Random  # noqa: TID251  # seeded
from typing import Any, Final, TypeVar

import httpx
from sqlalchemy import Connection

from locker.domain.compartment import Size
from sync import seal
from sync.central import config as configuration
from sync.central import hub, lockers
from sync.central.access.actor import EVERY_AREA, Actor, Role, person
from sync.central.acts.approvals import Thing
from sync.central.acts.sending import View, Wish
from sync.central.cases import Person, PreReview
from sync.central.desk import Desk, Keys
from sync.central.fleet import sites
from sync.central.fleet.neighbours import Neighbourhood
from sync.central.fleet.sites import Place, Point
from sync.central.fleet.watch import Watch
from sync.central.hub import Hub
from sync.central.messages.settings import Messages
from sync.central.office import Office, Repeatable
from sync.central.outgoing import Outgoing
from sync.central.pickups.agents import Entrusting
from sync.central.pickups.codes import Lost
from sync.central.pickups.desk import Pickups
from sync.central.platform import Chance, Threads
from sync.central.staff import Enrolment
from sync.central.store import Store
from sync.central.switchboard import link_settings
from tests.power.recording import AtOnce
from tests.world import times
from tests.world.broker import Broker
from tests.world.disks import Platter, Rack, WorldVfs
from tests.world.link import WorldLink
from tests.world.loop import LIFE, EndedError, VirtualLoop

T = TypeVar("T")
NAME: Final = "_central"
CLERK: Final = person("clerk", [Role.WINDOW_CLERK], [EVERY_AREA])
RESTART_S: Final = 5.0
SMS_URL: Final = "http://sms.invalid/"


@dataclass(frozen=True, slots=True)
class Sms:
    """One message as a phone shows it."""

    template: str
    said: dict[str, str]
    at_s: float


class Phones(httpx.AsyncBaseTransport):
    """The SMS gateway, and all phones behind it. Each message is delivered once, by its own key."""

    def __init__(self) -> None:
        self.up = True
        self.inbox: dict[str, list[Sms]] = {}
        self.waiting: dict[str, list[Callable[[Sms], object]]] = {}
        self._known: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await times.pause(0.2)
        if not self.up:
            raise httpx.ConnectError("no route to the gateway", request=request)
        body = json.loads(await request.aread())
        if body["idempotency_key"] not in self._known:
            self._known.add(body["idempotency_key"])
            sms = Sms(body["template"], body["variables"], asyncio.get_running_loop().time())
            self.inbox.setdefault(body["to"], []).append(sms)
            for tell in tuple(self.waiting.get(body["to"], ())):
                asyncio.get_running_loop().call_soon(tell, sms, context=Context())
        return httpx.Response(200)


@dataclass
class Centre:
    folder: Path
    broker: Broker
    rack: Rack
    vfs: WorldVfs
    rng: Random
    phones: Phones = field(default_factory=Phones)
    hub: Hub | None = None
    life: int = 0
    running: bool = False

    def __post_init__(self) -> None:
        self.loop: VirtualLoop = asyncio.get_running_loop()  # type: ignore[assignment]
        self.time = times.MachineTime()
        self.folder.mkdir(parents=True)
        self.restarts, self.is_street = True, False
        self.failed: list[BaseException] = []
        clock = times.HubClock(self.time)
        keys = Keys(
            seal.SigningKey.from_seed(self.rng.randbytes(32)),
            seal.SealKey.from_private(self.rng.randbytes(32)),
        )
        self.desk = Desk(keys, clock, Chance(self.rng.randbytes))
        self.config = configuration.Config(
            self.folder,
            configuration.Hub(),
            configuration.Web(),
            configuration.Broker(),
            configuration.Sms(SMS_URL),
            # It begins at 22:13: people of a world are awake.
            messages=Messages(0, 0),
        )
        self.platter = Platter({str(self.config.database): self.vfs.new_hub})
        self.rack.put(self.folder, self.platter)
        self.store: Store | None = None
        self.pages: dict[str, set[str]] = {}
        """Tokens that applicants' own pages have shown, by case: who lengthens a right makes another one."""
        self.agreed_s: dict[str, float] = {}
        """When the second person had agreed to each act, by true time."""

    # --- what the office does ---

    def enrol_locker(self, name: str, folder: Path) -> None:
        """Before the hub serves: keys for the locker in ``folder``."""
        own = seal.SigningKey.from_seed(self.rng.randbytes(32))
        public = own.public.hex()
        (folder / "keys").mkdir()
        (folder / "keys" / "own.json").write_text(json.dumps({"locker": name, "sign_seed": own.seed.hex()}))
        store = Store.open(self.config.database, Threads(AtOnce(), AtOnce()))
        known = store.write_now(lambda c: lockers.enrol(c, self.desk, name, "park", public))
        store.close()
        (folder / "keys" / "centre.json").write_text(json.dumps(known), encoding="utf-8")

    def places(self, names: Sequence[str]) -> None:
        """Before the hub serves: these stand in one street, and each is told of the others."""
        self.is_street = True
        store = Store.open(self.config.database, Threads(AtOnce(), AtOnce()))
        for number, name in enumerate(names):
            place = Place(name, name, "World Street", Point(31.2 + number / 200, 121.4))
            store.write_now(lambda c, place=place: sites.put(c, CLERK, place, self.time.wall_ms()))  # type: ignore[misc]
        store.close()

    @property
    def serving(self) -> Hub:
        if self.hub is None:
            raise ClosedError
        return self.hub

    async def pre_review(self, passed: PreReview) -> str:
        """The authorisation. Raises ClosedError, Refused."""
        made = await self._at_the_hub(self.serving.office.pre_review(passed, CLERK, Repeatable()))
        return str(made.authorisation)

    async def outgoing_item(self, ready: Outgoing) -> str:
        return await self._at_the_hub(self.serving.office.outgoing_item(ready, CLERK, Repeatable()))

    async def reissue(self, lost: Lost) -> str:
        return await self._at_the_hub(Pickups(self.serving.office).reissue(lost, CLERK, Repeatable()))

    async def entrust(self, wanted: Entrusting) -> str:
        return await self._at_the_hub(Pickups(self.serving.office).entrust(wanted, CLERK, Repeatable()))

    async def does(self, ask: Callable[[Office], Coroutine[Any, Any, T]]) -> T:
        """Whatever else the office does. Raises ClosedError, Refused."""
        return await self._at_the_hub(ask(self.serving.office))

    async def enrol_staff(self, person: Enrolment) -> str:
        """The badge's digits."""
        return await self._at_the_hub(self.serving.office.enrol_staff(person, CLERK, Repeatable()))

    async def ask(self, wish: Wish, actor: Actor) -> str:
        """An act. Raises ClosedError, Refused."""
        return await self._at_the_hub(self.serving.acts.request(wish, actor))

    async def agree(self, act: str, thing: Thing, actor: Actor) -> None:
        view = await self._at_the_hub(self.serving.acts.approve(act, thing, actor))
        if view.row.agreed_ms:
            self.agreed_s.setdefault(act, self.loop.time())

    async def act(self, act: str) -> View:
        return await self._at_the_hub(self.serving.acts.one(act, CLERK))

    async def read(self, work: Callable[[Connection], T]) -> T:
        self._open()
        assert self.store is not None
        return self.store.read_now(work)

    async def _at_the_hub(self, asked: Coroutine[Any, Any, T]) -> T:
        """Done by the hub's own process; whoever asked waits in theirs."""
        try:
            return await self.loop.within(self.life, asked)
        except EndedError:
            raise ClosedError from None

    def _open(self) -> None:
        if self.hub is None:
            raise ClosedError

    # --- its process ---

    def start(self) -> None:
        if self.running:
            return
        self.rack.lives += 1
        self.life = self.rack.lives
        self.running = True
        context = Context()
        context.run(LIFE.set, self.life)
        self.loop.create_task(self._live(), context=context)

    def kill(self) -> None:
        self._end(None)

    def cut_power(self) -> None:
        self._end(self.rng)

    def restore(self, image: dict[str, bytes]) -> None:
        """The database of an older day."""
        self._end(None, image)

    def _end(self, power: Random | None, image: dict[str, bytes] | None = None) -> None:
        if not self.running:
            return
        self.broker.gone(NAME, orderly=False)
        life, store = self.life, self.store
        self.running, self.hub, self.store = False, None, None
        self.vfs.power_gone(self.folder)
        self.platter = self.platter.after_cut(power) if image is None else Platter(image, self.platter.ills)
        self.rack.put(self.folder, self.platter)
        self.loop.kill(life)
        if store is not None:
            with suppress(Exception):
                store.close()
        if self.restarts:
            times.at(self.loop.time() + RESTART_S, self.start)

    async def _live(self) -> None:
        life = self.life
        try:
            await self._run()
        except Exception as error:  # noqa: BLE001  # whatever ends a hub ends its process
            if life not in self.loop.dead and not self.platter.stopped:
                self.failed.append(error)
        if self.life == life and self.running:
            times.at(self.loop.time(), self.kill)

    async def _run(self) -> None:
        self.store = Store.open(self.config.database, Threads(AtOnce(), AtOnce()))
        broker = self.config.broker
        settings = link_settings(broker.host, broker.port, broker.user, broker.password, None)
        link = WorldLink(self.broker, settings, self.desk.clock, self.desk.chance.draw)
        async with httpx.AsyncClient(transport=self.phones, trust_env=False) as client:
            self.hub = hub.build(self.config, self.desk, self.store, link, client)
            await hub.run(self.hub, self._beside)

    async def _beside(self) -> None:
        """What the hub does beside its pages, as far as somebody here would notice; for ever."""
        assert self.hub is not None
        assert self.store is not None
        if self.is_street:
            clock = self.desk.clock
            await Neighbourhood(self.store, clock, Watch(self.store, clock)).keep(self.hub.pump.wake)
        await asyncio.Event().wait()


class ClosedError(Exception):
    """The hub is down just now."""


__all__ = ["Centre", "ClosedError", "Person", "Phones", "Size", "Sms"]
