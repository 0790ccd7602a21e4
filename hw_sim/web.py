"""What the simulator's pages share: reading bodies, refusing with a reason, server-sent events, serving."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp

from hw_sim.loopback import HOST

BODY_LIMIT: Final = 16 * 1024
QUEUE_LIMIT: Final = 500
KEEP_ALIVE_S: Final = 15.0
BATCH_S: Final = 0.2
BATCH_LIMIT: Final = 100
CLOSING_S: Final = 2

BAD_REQUEST: Final = 400
NOT_FOUND: Final = 404
TOO_LARGE: Final = 413


def refused(status: int, reason: str) -> HTTPException:
    return HTTPException(status, reason)


async def say_refused(_request: Request, error: Exception) -> Response:
    """Exception handler: every refusal is JSON with the reason under `error`."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for this type alone
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=error.headers)


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object, at most BODY_LIMIT bytes; refused with 400 or 413."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise refused(TOO_LARGE, f"the body is longer than {BODY_LIMIT} bytes")
    try:
        value = json.loads(bytes(body))
    except ValueError as error:
        raise refused(BAD_REQUEST, f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise refused(BAD_REQUEST, "the body is not a JSON object")
    return value


class Broadcast:
    """Server-sent events to every open page. `tell` may be called from any thread.

    Rows of the `batched` events leave a few times a second, as lists, under the name with an s.
    """

    def __init__(self, batched: frozenset[str] = frozenset()) -> None:
        self._batched = batched
        self._waiting: dict[str, list[Mapping[str, Any]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pages: set[asyncio.Queue[bytes | None]] = set()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def tell(self, event: str, row: Mapping[str, Any]) -> None:
        if self._loop is None or not self._pages:
            return
        if event in self._batched:
            self._gather(event, row)
        else:
            self._later(lambda: self._spread(_event(event, row)))

    def _gather(self, event: str, row: Mapping[str, Any]) -> None:
        rows = self._waiting.setdefault(event, [])
        rows.append(row)
        if len(rows) == 1:  # the first one starts the clock; the others of its batch go with it
            self._later(lambda: self._flush_later(event))

    def _flush_later(self, event: str) -> None:
        if self._loop is not None:
            self._loop.call_later(BATCH_S, self._flush, event)

    def _flush(self, event: str) -> None:
        rows = self._waiting.pop(event, [])
        self._spread(_event(f"{event}s", rows[-BATCH_LIMIT:]))

    def close(self) -> None:
        """End every stream, so that the server need not wait for pages that never leave."""
        self._later(lambda: self._spread(None))

    def stream(self) -> StreamingResponse:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(), media_type="text/event-stream", headers=headers)

    def _later(self, work: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    def _spread(self, text: bytes | None) -> None:
        for page in tuple(self._pages):
            if page.full():  # a page that does not read is dropped; it reconnects and asks for the state
                self._pages.discard(page)
                page.get_nowait()
                page.put_nowait(None)
            else:
                page.put_nowait(text)

    async def _events(self) -> AsyncIterator[bytes]:
        page: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_LIMIT)
        self._pages.add(page)
        try:
            yield b"retry: 1000\n\n"
            while True:
                try:
                    text = await asyncio.wait_for(page.get(), KEEP_ALIVE_S)
                except TimeoutError:
                    text = b": still here\n\n"
                if text is None:
                    return
                yield text
        finally:
            self._pages.discard(page)


def _event(name: str, value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


class _Server(uvicorn.Server):
    """Ends the event streams first when it is told to leave: otherwise it would wait for them."""

    def __init__(self, config: uvicorn.Config, broadcast: Broadcast) -> None:
        super().__init__(config)
        self._broadcast = broadcast

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: `serve` takes the signals before it greets, so that none falls into the gap between."""
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._broadcast.close()
        super().handle_exit(sig, frame)


def bound(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one. OSError when it is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Handed on to every connection; without it the second packet of an answer waits for the first one's ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}/"


def serve(app: ASGIApp, broadcast: Broadcast, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; both end it as a success."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=CLOSING_S,
    )

    server = _Server(config, broadcast)

    async def run() -> None:
        broadcast.attach(asyncio.get_running_loop())
        ready()
        await server.serve(sockets=[listener])

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    asyncio.run(run())


def announce(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write `ready.json` in one step: who finds it finds everything served."""
    fresh = folder / ".ready.json"
    fresh.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    fresh.replace(folder / "ready.json")
