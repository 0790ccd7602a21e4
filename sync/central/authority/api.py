"""What lockers ask for: whom to believe, their first certificate, the next one.

Open routes: each request proves by its signatures who asks, and nothing is told to anybody else.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sync import seal
from sync.central.authority import claims, register
from sync.central.authority.issuing import Authority, revocations
from sync.central.authority.register import NotProvisioned, Reason
from sync.central.authority.root import CannotSign
from sync.central.authority.settings import Bureau
from sync.central.desk import Desk
from sync.central.guard import problem
from sync.central.personal.limits import Limits, What
from sync.central.store import Store
from sync.wire import provision

FRAME: Final = "application/octet-stream"
LATER: Final = 202
STATUS: Final = {
    Reason.UNKNOWN_CLAIM: 404,
    Reason.UNKNOWN_CERTIFICATE: 404,
    Reason.BAD_REQUEST: 422,
    Reason.CLAIM_USED: 409,
    Reason.CLAIM_EXPIRED: 409,
    Reason.LOCKER_OTHERWISE: 409,
    Reason.CERTIFICATE_REVOKED: 403,
    Reason.CERTIFICATE_OVER: 403,
}


def add(app: Starlette, store: Store, desk: Desk, bureau: Bureau | None) -> None:
    """Without an authority the routes are there and know nothing."""
    routes = Routes(store, desk, bureau)
    for path, handler, method in (
        (provision.TRUST_PATH, routes.trust, "GET"),
        (provision.CLAIM_PATH, routes.claim, "POST"),
        (provision.RENEWAL_PATH, routes.renewal, "POST"),
    ):
        app.add_route(path, handler, methods=[method], include_in_schema=False)


@dataclass(slots=True)
class Routes:
    store: Store
    desk: Desk
    bureau: Bureau | None
    limits: Limits = field(default_factory=Limits)

    async def trust(self, request: Request) -> Response:
        """The root and the centre's key, for whoever holds their pin; and the time."""
        if not self._allows(What.VIEW, request):
            return _too_often()
        if self.bureau is None or not self.bureau.place.is_there:
            return problem(404, "no_authority", "this hub has no certificate authority")
        centre = self.desk.keys.sign.public.hex()
        root = self.bureau.place.root()
        words = [each.introduction.hex() for each in self.desk.keys.former]
        told = {"root": root, "centre": centre, "introductions": words}
        return JSONResponse({**told, "now_ms": self.desk.clock.wall_ms()})

    async def claim(self, request: Request) -> Response:
        frame = await request.body()

        def work(connection: Connection, bureau: Bureau, authority: Authority | None) -> bytes | None:
            return claims.take(connection, self.desk, bureau, authority, frame)

        return await self._answered(request, frame, work)

    async def renewal(self, request: Request) -> Response:
        frame = await request.body()

        def work(connection: Connection, bureau: Bureau, authority: Authority | None) -> bytes | None:
            now_ms = self.desk.clock.wall_ms()
            pem = register.renew(connection, authority, frame, now_ms)
            if pem is None:
                return None
            told = json.dumps({"certificate": pem, "root": bureau.place.root()})
            return seal.frame(self.desk.keys.sign, told.encode())

        return await self._answered(request, frame, work)

    async def _answered(
        self,
        request: Request,
        frame: bytes,
        work: Callable[[Connection, Bureau, Authority | None], bytes | None],
    ) -> Response:
        if not self._allows(What.FORM, request):
            return _too_often()
        bureau = self.bureau
        if bureau is None or not bureau.place.is_there:
            return problem(404, "no_authority", "this hub has no certificate authority")
        authority = opened(bureau)

        def whole(connection: Connection) -> bytes | None:
            before = register.revoked(connection)
            answer = work(connection, bureau, authority)
            after = register.revoked(connection)
            if authority is not None and after != before:
                now_ms = self.desk.clock.wall_ms()
                bureau.place.put_revoked(revocations(authority, after, now_ms))
            return answer

        try:
            answer = await self.store.write(whole)
        except NotProvisioned as refused:
            return await self._refused(request, frame, refused)
        if answer is None:
            return JSONResponse({"detail": "the operator has to sign it: ask again later"}, LATER)
        return Response(answer, media_type=FRAME)

    async def _refused(self, request: Request, frame: bytes, refused: NotProvisioned) -> Response:
        now_ms = self.desk.clock.wall_ms()
        if refused.reason is Reason.UNKNOWN_CLAIM and not self._allows(What.STRANGE, request):
            return _too_often()
        await self.store.write(lambda c: claims.note_refusal(c, frame, refused, now_ms))
        return problem(STATUS[refused.reason], refused.reason.value, refused.detail)

    def _allows(self, what: What, request: Request) -> bool:
        address = request.client.host if request.client else ""
        return self.limits.allows(what, address, self.desk.clock.mono_ms())


def opened(bureau: Bureau) -> Authority | None:
    """The authority, where its key can be had without a person."""
    try:
        return bureau.place.open()
    except CannotSign:
        return None


def _too_often() -> Response:
    return problem(429, "too_often", "too many requests from there: wait ten minutes")
