"""What lockers ask for: the list of releases, and one of them, from any byte on.

Open routes: a release is no secret, and no locker takes one by whom it came from. They are bounded: how
often somebody asks, and how many fetch at once.
"""

import asyncio
import contextlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sync.central.desk import Desk
from sync.central.guard import problem
from sync.central.personal.limits import Limits, What, network
from sync.central.releases.shelf import Shelf

PATH: Final = "/api/v1/releases"
AT_ONCE: Final = 16
"""Each at the pace that a locker keeps, half a MiB a second: eight are left to the line at the most."""
AT_ONCE_FROM_ONE: Final = 4
"""A hall's own network is one address."""
LONGEST_S: Final = 1_800
"""Whoever is slower than that goes on from where it ended, and others had their turn."""
LATER_S: Final = 60


def add(app: Starlette, desk: Desk, folder: Path | None) -> None:
    """Without a folder the list is empty."""
    routes = Routes(desk, Shelf(folder))
    app.add_route(PATH, routes.every, methods=["GET"], include_in_schema=False)
    app.add_route(f"{PATH}/{{file}}", routes.one, methods=["GET"], include_in_schema=False)


@dataclass(slots=True)
class Fetching:
    """Who is fetching now."""

    _by: Counter[str] = field(default_factory=Counter)

    @property
    def is_free(self) -> bool:
        """Whether nobody is."""
        return not self._by

    def begin(self, lane: str) -> bool:
        if self._by.total() >= AT_ONCE or self._by[lane] >= AT_ONCE_FROM_ONE:
            return False
        self._by[lane] += 1
        return True

    def end(self, lane: str) -> None:
        self._by[lane] -= 1
        if not self._by[lane]:
            del self._by[lane]


@dataclass(slots=True)
class Routes:
    desk: Desk
    shelf: Shelf
    limits: Limits = field(default_factory=Limits)
    fetching: Fetching = field(default_factory=Fetching)

    async def every(self, request: Request) -> Response:
        if not self._allows(What.VIEW, request):
            return _later(429, "too_often", "too many requests from there")
        return JSONResponse({"releases": [asdict(each) for each in self.shelf.offers()]})

    async def one(self, request: Request) -> Response:
        if not self._allows(What.FORM, request):
            return _later(429, "too_often", "too many requests from there")
        path = self.shelf.path(request.path_params["file"])
        if path is None:
            return problem(404, "unknown_release", "no such release lies here")
        return Bounded(path, self.fetching, network(_address(request)))

    def _allows(self, what: What, request: Request) -> bool:
        return self.limits.allows(what, _address(request), self.desk.clock.mono_ms())


class Bounded(FileResponse):
    """Counted as long as it is being sent."""

    def __init__(self, path: Path, fetching: Fetching, lane: str, longest_s: float = LONGEST_S) -> None:
        super().__init__(path, media_type="application/octet-stream")
        self._fetching, self._lane, self._longest_s = fetching, lane, longest_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._fetching.begin(self._lane):
            await _later(503, "busy", "others are fetching")(scope, receive, send)
            return
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._longest_s):
                    await super().__call__(scope, receive, send)
        finally:
            self._fetching.end(self._lane)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _later(status: int, reason: str, why: str) -> Response:
    return problem(status, reason, f"{why}: ask again later", headers={"Retry-After": str(LATER_S)})
