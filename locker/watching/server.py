"""``/``: the page; ``/metrics``: OpenMetrics; ``/api/status``: the troubles as JSON. On loopback alone.

A port of its own: the browser at the screen is held to the kiosk's. Whoever collects figures from elsewhere
does so through an agent on this machine.
"""

import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from locker.watching import metrics, page, troubles
from locker.watching.look import Look

_LOGGER = logging.getLogger(__name__)
HOST: Final = "127.0.0.1"
_HEADERS: Final = {
    "content-security-policy": f"default-src 'none'; style-src '{page.STYLE_DIGEST}'; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def create_app(look: Look) -> Starlette:
    async def shown(request: Request) -> Response:
        language = request.query_params.get("lang", page.LANGUAGES[0])
        return HTMLResponse(page.render(look.take(), language), headers=_HEADERS)

    async def measured(request: Request) -> Response:
        del request
        return Response(metrics.exposition(look.take()), media_type=metrics.FORMAT, headers=_HEADERS)

    async def status(request: Request) -> Response:
        del request
        there = troubles.found(look.take())
        body = [{"name": each.name, "grade": each.grade.name.lower()} for each in there]
        return JSONResponse({"troubles": body}, headers=_HEADERS)

    return Starlette(
        routes=[Route("/", shown), Route("/metrics", measured), Route("/api/status", status)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
    )


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(look: Look, port: int) -> None:
    """Until cancelled. A port that is taken is said, and no door waits for it."""
    if not port:
        return
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        _LOGGER.error(  # noqa: TRY400  # the reason is in the line, and where it arose is here
            "no status page: %s:%d (%s). Change [status] port", HOST, port, error.strerror
        )
        return
    settings = uvicorn.Config(create_app(look), log_level="warning", access_log=False, lifespan="off")
    server = _Server(settings)
    try:
        await server.serve(sockets=[listener])
    finally:  # cancelled: nobody waits for a figure
        for each in getattr(server, "servers", ()):
            each.close()
        listener.close()
