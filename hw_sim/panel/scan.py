"""The panel's scanner: hold a code before it, pull it, plug it in again."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hw_sim.scanner import CODE_LONGEST, Scanner, UnpluggedError
from hw_sim.web import BAD_REQUEST, json_object, refused

CONFLICT: Final = 409


def routes(scanner: Scanner | None) -> list[Route]:
    """``GET /api/scanner``; ``POST /api/scanner`` ``{"plugged"}``; ``POST /api/scan`` ``{"code"}``, which
    answers whether it was read. None of them where the cabinet has no scanner."""
    if scanner is None:
        return []
    gadget = scanner

    async def state(_request: Request) -> Response:
        return JSONResponse(gadget.state())

    async def plug(request: Request) -> Response:
        wish = await json_object(request)
        if set(wish) != {"plugged"} or not isinstance(wish["plugged"], bool):
            raise refused(BAD_REQUEST, "say whether it is plugged in: true or false")
        gadget.plug_in() if wish["plugged"] else gadget.unplug()
        return JSONResponse(gadget.state())

    async def scan(request: Request) -> Response:
        code = (await json_object(request)).get("code")
        if not isinstance(code, str) or not code.isascii() or not 0 < len(code) <= CODE_LONGEST:
            raise refused(BAD_REQUEST, f"code is a text of 1 to {CODE_LONGEST} ASCII characters")
        try:
            return JSONResponse({"read": gadget.hold(code)})
        except UnpluggedError:
            raise refused(CONFLICT, "the scanner is not plugged in") from None

    return [
        Route("/api/scanner", state),
        Route("/api/scanner", plug, methods=["POST"]),
        Route("/api/scan", scan, methods=["POST"]),
    ]
