"""`hw-sim phone`: an SMS gateway that delivers to phones drawn in a browser."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from hw_sim import lifeline
from hw_sim.clock import mono_s, wall_iso
from hw_sim.sms import BadMessageError, GatewayDownError, Inbox, grouped, parsed
from hw_sim.web import (
    BAD_REQUEST,
    NOT_FOUND,
    Broadcast,
    bound,
    json_object,
    refused,
    say_refused,
    serve,
    url_of,
)

STATIC: Final = Path(__file__).parent / "phone_page"
DEFAULT_PORT: Final = 8702
UNAVAILABLE: Final = 503
QUIET_MODULES: Final = 4  # scanners want a white margin of four modules


def build(inbox: Inbox, broadcast: Broadcast) -> Starlette:
    phone = _Phone(inbox, broadcast)
    routes: list[Route | Mount] = [
        Route("/sms", phone.receive, methods=["POST"]),
        Route("/messages", phone.messages),
        Route("/messages/{message_id}/scan.svg", phone.scan),
        Route("/faults", phone.set_faults, methods=["POST"]),
        Route("/events", phone.events),
        Mount("/", StaticFiles(directory=STATIC, html=True)),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: say_refused})


class _Phone:
    def __init__(self, inbox: Inbox, broadcast: Broadcast) -> None:
        self._inbox = inbox
        self._broadcast = broadcast

    async def receive(self, request: Request) -> Response:
        body = await json_object(request)
        try:
            message_id, message = self._inbox.deliver(parsed(body), wall_iso(), mono_s())
        except BadMessageError as error:
            raise refused(BAD_REQUEST, str(error)) from None
        except GatewayDownError as error:
            raise refused(UNAVAILABLE, str(error)) from None
        if message is not None:
            self._broadcast.tell("message", _shown(asdict(message)))
        if self._inbox.loses_reply():
            raise refused(UNAVAILABLE, "the gateway's answer was lost")
        return JSONResponse({"id": message_id, "duplicate": message is None})

    async def messages(self, request: Request) -> Response:
        """Oldest first; `?to=` gives those of one number."""
        found = self._inbox.messages(request.query_params.get("to"))
        return JSONResponse([_shown(asdict(message)) for message in found])

    async def scan(self, request: Request) -> Response:
        message = self._inbox.find(request.path_params["message_id"])
        if message is None or message.scan is None:
            raise refused(NOT_FOUND, "no such message, or nothing to scan in it")
        return Response(scan_picture(message.scan), media_type="image/svg+xml")

    async def set_faults(self, request: Request) -> Response:
        try:
            return JSONResponse(self._inbox.set_faults(await json_object(request)))
        except BadMessageError as error:
            raise refused(BAD_REQUEST, str(error)) from None

    async def events(self, _request: Request) -> Response:
        return self._broadcast.stream()


def _shown(message: dict[str, Any]) -> dict[str, Any]:
    code = message["code"]
    return message | {"code_shown": None if code is None else grouped(code)}


def scan_picture(text: str) -> str:
    """The text as a QR code in SVG, dark on white whatever the page's colours are."""
    code: qrcode.QRCode[Any] = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_MODULES)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    side = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    )


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    lifeline.option(parser)


def run(options: argparse.Namespace) -> int:
    lifeline.obey(options.die_with_parent)
    try:
        listener = bound(options.port)
    except OSError as error:
        print(f"hw-sim phone: port {options.port}: {error.strerror}", file=sys.stderr)
        return 1
    broadcast = Broadcast()
    url = url_of(listener)
    serve(build(Inbox(), broadcast), broadcast, listener, lambda: print(f"phone: {url}", flush=True))
    return 0
