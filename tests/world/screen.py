"""The kiosk's screen as people meet it: its own web application, spoken to without a socket."""

import json
from asyncio import get_running_loop
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from tests.world.loop import NOBODY, EndedError, VirtualLoop

if TYPE_CHECKING:
    from starlette.applications import Starlette

HOST: Final = b"127.0.0.1:8080"
ORIGIN: Final = b"http://127.0.0.1:8080"

View = Mapping[str, Any]


class DarkError(Exception):
    """Nothing is on the screen: the daemon is down, or does not answer."""


class Screen:
    """``app`` is None while nobody serves it."""

    def __init__(self) -> None:
        self.app: Starlette | None = None
        self.frozen = False
        self.life = NOBODY
        """Of the daemon behind it: what is pressed is done by that one, and ends with it."""
        self.on_view: list[Callable[[View], object]] = []
        """Told of every view that somebody gets to see."""

    @property
    def dark(self) -> bool:
        return self.app is None or self.frozen

    async def view(self) -> View:
        return await self._ask("GET", "/api/view", None)

    async def act(self, name: str, **data: Any) -> View:
        """Press something. A refused press (409) shows the view as it is."""
        return await self._ask("POST", "/api/act", {"act": name, **data})

    async def typed(self, digits: str, **more: str) -> View:
        return await self._ask("POST", "/api/code", {"typed": digits, **more})

    async def scanned(self, digits: str, **more: str) -> View:
        return await self._ask("POST", "/api/code", {"scanned": digits, **more})

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> View:
        app = self.app
        if app is None or self.frozen:
            raise DarkError
        data = b"" if body is None else json.dumps(body).encode()
        said: list[bytes] = []
        status = 0

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                said.append(message.get("body", b""))

        loop: VirtualLoop = get_running_loop()  # type: ignore[assignment]
        try:
            await loop.within(self.life, app(_scope(method, path, len(data), app.state.boot), receive, send))
        except EndedError:
            raise DarkError from None
        if self.app is not app:
            raise DarkError
        answer: dict[str, Any] = json.loads(b"".join(said))
        if status != 200:  # whatever else: it was not done
            return {**await self.view(), "problem": answer.get("reason", str(status))}
        for tell in self.on_view:
            tell(answer)
        return answer


def _scope(method: str, path: str, length: int, boot: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"x-kiosk-boot", boot.encode()),
            (b"host", HOST),
            (b"origin", ORIGIN),
            (b"content-type", b"application/json"),
            (b"content-length", str(length).encode()),
        ],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8080),
    }
