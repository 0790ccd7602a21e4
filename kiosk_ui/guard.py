"""What every answer carries, and which requests are none of ours: the page is for this machine alone."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kiosk_ui.acts import BadRequest

BODY_MAX: Final = 4_096
BOOT_HEADER: Final = "x-kiosk-boot"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        # No second window, no download, no dialogue, no other program: whatever a script may want.
        "sandbox allow-scripts allow-same-origin allow-forms"
    ),
    "permissions-policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), midi=()",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_HEADERS: Final = {name.encode(): value.encode() for name, value in HEADERS.items()}


def problem(status: int, reason: str, detail: str) -> JSONResponse:
    return JSONResponse({"reason": reason, "detail": detail}, status, media_type="application/problem+json")


class Guard:
    """ASGI wrapper: strict headers on every answer; only this machine's own pages may ask.

    A foreign Host is a rebound name, a foreign Origin is another site's page in the same browser.
    """

    def __init__(self, app: ASGIApp, boot: str) -> None:
        """``boot`` is the word of this start, which everything that is posted must carry."""
        self._app, self._boot = app, boot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [each for each in message["headers"] if each[0] not in _HEADERS]
                message["headers"] = [*own, *_HEADERS.items()]
            await send(message)

        headers = Request(scope).headers
        host, origin = headers.get("host", ""), headers.get("origin")
        if urlsplit(f"//{host}").hostname not in _LOOPBACK:
            answer = problem(421, "foreign_host", "this page answers on loopback only")
            await answer(scope, receive, send_with_headers)
        elif origin is not None and origin != f"http://{host}":
            await problem(403, "foreign_origin", "only this kiosk's own page may ask")(
                scope, receive, send_with_headers
            )
        elif scope["method"] == "POST" and headers.get(BOOT_HEADER) != self._boot:
            await problem(409, "other_boot", "this was posted from the page of another start; look again")(
                scope, receive, send_with_headers
            )
        else:
            await self._app(scope, receive, send_with_headers)


async def json_body(request: Request) -> Mapping[str, Any]:
    """The JSON object of a POST. Raises BadRequest."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadRequest("content_type", "the content type must be application/json")
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > BODY_MAX:
            raise BadRequest("too_large", f"at most {BODY_MAX} bytes")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRequest("not_json", "the body is not JSON") from error
    if not isinstance(body, dict):
        raise BadRequest("not_json", "the body must be a JSON object")
    return body
