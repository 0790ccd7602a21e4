"""The kiosk over the in-memory locker: asked by HTTP without a port, doors and time in the test's hands."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from kiosk_ui.kiosk import Kiosk
from kiosk_ui.view import Settings
from kiosk_ui.web import create_app
from locker.domain.ids import DepositId
from locker.operations.upkeep import upkeep
from tests.kiosk_ui.machine import Machine
from tests.locker.operations.world import MemoryWorld

View = dict[str, Any]
SETTINGS = Settings(place="North hall", help_line="12345", scanner="screen")


def kiosk_of(app: Starlette) -> Kiosk:
    kiosk = app.state.kiosk
    assert isinstance(kiosk, Kiosk)
    return kiosk


class Page:
    """What the page's script does, without a browser."""

    def __init__(self, world: MemoryWorld, settings: Settings = SETTINGS, *, live: bool = False) -> None:
        """``live``: reports of the doors become journal by themselves, as in the daemon."""
        self.world = world
        self.live = live
        self.following: asyncio.Task[None] | None = None
        self.settings = settings
        self.signs_of_life = 0
        self.on_life: Callable[[], None] = lambda: None
        self._begin()
        transport = httpx.ASGITransport(app=self.asgi)
        hooks = {"request": [self._carries_the_boot]}
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", event_hooks=hooks)

    def _begin(self) -> None:
        journal = self.world.journal
        self.machine = Machine(self.world)
        journal.subscribe(self.machine.tester.entries_committed)
        self.testing = asyncio.create_task(self.machine.tester.run())
        backroom = self.machine.backroom()
        self.app = create_app(
            self.world.world, journal.subscribe, self.settings, lambda: journal.failing, backroom, self._lives
        )
        self.kiosk = kiosk_of(self.app)
        if self.live:
            self.following = asyncio.create_task(self.world.follower.run())

    def _lives(self) -> None:
        self.signs_of_life += 1
        self.on_life()

    async def _carries_the_boot(self, request: httpx.Request) -> None:
        request.headers.setdefault("x-kiosk-boot", self.app.state.boot)

    async def close(self) -> None:
        self._end()
        await self.http.aclose()

    def _end(self) -> None:
        self.kiosk.close()
        self.testing.cancel()
        if self.following:
            self.following.cancel()

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app of the running daemon, whichever start that is."""
        await self.app(scope, receive, send)

    async def restart(self) -> View:
        """As after a kill: nothing of the visit is left in memory."""
        self._end()
        self.world.journal._subscribers.clear()
        await self.world.restart()
        self._begin()
        return await self.view()

    async def overdue(self) -> None:
        """Eight days pass, as far as the clock on the wall is concerned."""
        self.world.clock.wall_offset_ms += 8 * 86_400_000
        await upkeep(self.world.world)

    async def view(self) -> View:
        await self.settle()
        answer = await self.http.get("/api/view")
        assert answer.status_code == 200
        return dict(answer.json())

    async def code(self, **body: str) -> View:
        return await self._post("/api/code", body)

    async def act(self, act: str, **data: Any) -> View:
        return await self._post("/api/act", {"act": act, **data})

    async def _post(self, path: str, body: View) -> View:
        answer = await self.http.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return await self.view()

    async def settle(self) -> None:
        """Let reports become journal, and what the kiosk started by itself end."""
        await self.world.settle()
        while self.kiosk._tasks:
            await asyncio.gather(*self.kiosk._tasks)
            await self.world.settle()

    async def shut(self, door: int) -> View:
        self.world.hands.shut(door)
        return await self.view()

    async def later(self, ms: int) -> View:
        self.world.clock.advance(ms)
        return await self.view()

    # --- longer ways that many tests go ------------------------------------------------------------------

    async def hand_in(self, case: str = "C-1") -> View:
        """Drop off by a fresh typed code; ends on the receipt where a sensor sees the papers."""
        await self.code(typed=await self.world.grant(case))
        view = await self.act("open")
        self.world.hands.put(view["door"])
        return await self.shut(view["door"])

    async def sign_in(self) -> View:
        await self.code(scanned=await self.world.enrol())
        return await self.act("pin", digits="135790")

    async def technician(self, staff: str = "t-1", roles: frozenset[str] = frozenset({"technician"})) -> View:
        """Signs in and looks at the doors."""
        await self.code(scanned=await self.world.enrol(staff, roles=roles))
        await self.act("pin", digits="135790")
        return await self.act("service", tab="doors")

    async def load(
        self, item: str = "I-1", case: str = "C-1", *, second_factor: bool = False
    ) -> dict[str, str]:
        """Announce and load an item as a helper, sign out; returns its pickup codes."""
        await self.world.announce(item, case, second_factor=second_factor)
        await self.sign_in()
        label = self.world.token(item, case=case)
        await self.code(scanned=label)
        view = await self.act("load_open")
        self.world.hands.put(view["door"])
        await self.shut(view["door"])
        deposit = DepositId(self.kiosk.visit.deposit)
        view = await self.code(scanned=label)
        assert view["said"]
        await self.act("sign_out")
        return self.world.pickup_codes(deposit)


Start = Callable[..., Awaitable[Page]]
