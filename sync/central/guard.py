"""What stands before every request: limits, headers, who may come in, and how a refusal is told."""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX: Final = 64 * 1024
FILE_BYTES_MAX: Final = 1024 * 1024 + 16 * 1024
"""A file of `sync.central.imports` and what a form puts around it."""
FILE_PATHS: Final = frozenset({"/api/v1/imports", "/console/imports"})
PROBLEM_TYPE: Final = "application/problem+json"
CONTENT_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    b"img-src 'self' data:; form-action 'self'; "
    b"frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = (
    (b"content-security-policy", CONTENT_POLICY),
    (b"x-content-type-options", b"nosniff"),
    # Not `no-referrer`: browsers then hide the origin of our own forms too, by which strangers' are told.
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


def problem(
    status: int,
    reason: str,
    detail: str,
    errors: Sequence[dict[str, str]] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """A refusal as RFC 9457 has it. ``detail`` tells what to do; nothing of what was sent is repeated."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "reason": reason,
        "detail": detail,
    }
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, media_type=PROBLEM_TYPE, headers=headers)


def is_one_of(candidate: str, secrets: Iterable[str]) -> bool:
    """Compared by digest and in constant time, all of them, so that time tells nothing."""
    digest = hashlib.sha256(candidate.encode("utf-8", "surrogateescape")).digest()
    found = [hmac.compare_digest(digest, hashlib.sha256(secret.encode()).digest()) for secret in secrets]
    return any(found)


class Limits:
    """Refuses bodies that are too long before anything reads them; sets the headers of every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", [])
                # A page may be stricter about itself.
                set_there = {name for name, _ in own}
                message["headers"] = [*own, *(header for header in HEADERS if header[0] not in set_there)]
            await send(message)

        longest = FILE_BYTES_MAX if scope["path"] in FILE_PATHS else BODY_BYTES_MAX
        body = await _whole_body(receive, _declared(scope), longest)
        if body is None:
            answer = problem(413, "too_large", f"at most {longest} bytes")
            await answer(scope, receive, send_guarded)
            return
        await self._app(scope, _replay(body, receive), send_guarded)


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:12])
    return 0


async def _whole_body(receive: Receive, declared: int, longest: int) -> bytes | None:
    """The body; None where it is too long, without having read it all."""
    if declared > longest:
        return None
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(chunks)
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > longest:
            return None
        if not message.get("more_body"):
            return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
