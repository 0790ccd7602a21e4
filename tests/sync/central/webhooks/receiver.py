"""Another system of the city: takes events over real HTTP on loopback, or does not."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

AWAKE_S = 60


@dataclass
class Receiver:
    """``answers`` are given one after the other, 204 when they are used up; 0: it takes its time."""

    port: int
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    async def take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        status = self.answers.pop(0) if self.answers else 204
        if not status:
            await asyncio.Event().wait()
        if status == 307:
            return RedirectResponse(f"http://127.0.0.1:{self.port}/elsewhere", status)
        return Response(status_code=status)


@contextmanager
def receiving(port: int) -> Iterator[Receiver]:
    receiver = Receiver(port)
    routes = [Route(path, receiver.take, methods=["POST"]) for path in ("/events", "/elsewhere")]
    app = Starlette(routes=routes)
    config = uvicorn.Config(app, port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    patience = time.monotonic() + AWAKE_S
    while not server.started and time.monotonic() < patience:
        time.sleep(0.01)  # noqa: TID251  # a thread's own waiting
    try:
        yield receiver
    finally:
        server.should_exit = True
        thread.join()
