"""What stands before every route: who asks, whether the matrix lets them, and the journal of it.

A route names its action: ``actor: Annotated[Actor, Depends(gate.allowed(Action.SEE_CASE))]``. Looks are
journaled here, before anything is shown; acts are journaled by themselves, in their own transaction.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route

from sync.central.access import audit, keys
from sync.central.access.actor import Actor
from sync.central.access.matrix import MATRIX, Action, may
from sync.central.access.sessions import Session, Stage
from sync.central.access.sign_in import SignIn
from sync.central.desk import Desk
from sync.central.guard import problem
from sync.central.store import Store

KEY_CHARACTERS_MAX: Final = 300
LIVE: Final = "live"
"""In the query of what a page fetches by itself: that nobody left their desk is not shown by it."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER: Final = HTTPBearer(auto_error=False, description="An API key, made by an administrator.")

OPEN_ROUTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "/healthz": "load balancers ask it; it tells nothing of anybody",
        "/readyz": "the same, of who sends people here",
        "/api/v1/openapi.json": "what may be asked, not what is answered",
        "/": "leads to the console",
        "/console/static": "style and drawings",
        "/console/language": "sets a cookie with a language",
        "/console/login": "signing in",
        "/console/login/code": "signing in; asks for a session of that step",
        "/console/login/password": "asks for a session of that step",  # pragma: allowlist secret  # a path
        "/console/login/enrol": "signing in; asks for a session of that step",
        "/console/login/identity": "signing in elsewhere",
        "/console/login/identity/back": "coming back from there",
        "/console/logout": "ends one's own session",
        "/api/v1/provision/trust": "public keys, for who holds their pin",
        "/api/v1/provision/claim": "a locker's first certificate: signed by a claim's key, sealed for it",
        "/api/v1/provision/renewal": "its next one: signed by the locker's own key and by the one it wears",
        "/api/v1/releases": "versions of the software that lockers may fetch; of nobody",
        "/api/v1/releases/{file}": "one of them: signed, and judged by who takes it; bounded by how many ask",
        "/p/static": "style",
        "/p/lost": "asks for a code anew: one answer always, and a message to the phone on file",
        "/p/{link}": "one's own case: the link is the right, 128 bits keyed; nothing of others is shown",
    }
)
"""Routes without an action, each with its reason. Every other route has one."""


class NotSignedIn(Exception):
    """No or an unknown API key, no living session."""


class NotAllowed(Exception):
    """Known, and not allowed: ``action`` is not in the matrix for any role of the actor, or for the key."""

    def __init__(self, action: Action) -> None:
        super().__init__(str(action))
        self.action = action


class ForeignPage(Exception):
    """A browser sent this from a page that is not the hub's."""


class Gate:
    def __init__(
        self, store: Store, desk: Desk, sign_in: SignIn, configured_keys: tuple[str, ...], url: str
    ) -> None:
        """``url``: where people reach the hub; a proxy may have changed what a request says of it."""
        self._store = store
        self._desk = desk
        self._sign_in = sign_in
        self._configured = configured_keys
        self._own_host = urlsplit(url).netloc
        self.secure = url.startswith("https://")
        """Whether cookies may travel encrypted only."""

    @property
    def cookie(self) -> str:
        """The session's; with the prefix no neighbouring host can set it."""
        return "__Host-session" if self.secure else "session"

    def allowed(self, action: Action) -> "Allowed":
        """A dependency: the actor, if the matrix lets them."""
        return Allowed(self, action)

    async def by_key(self, key: str) -> Actor:
        """Raises NotSignedIn."""
        if len(key) > KEY_CHARACTERS_MAX:
            raise NotSignedIn
        known = keys.configured(key, self._configured)
        if known is not None:
            return known
        now_ms = self._desk.clock.wall_ms()
        row = await self._store.read(lambda c: keys.lookup(c, key, now_ms))
        if row is None:
            raise NotSignedIn
        if abs(now_ms - row.used_ms) >= keys.USED_EVERY_MS:
            await self._store.write(lambda c: keys.used(c, row.name, now_ms))
        return keys.actor_of(row)

    async def by_session(self, request: Request) -> Session:
        """Raises NotSignedIn, and ForeignPage for what a stranger's page made a browser send."""
        by_itself = LIVE in request.query_params
        session = await self._sign_in.find(request.cookies.get(self.cookie, ""), by_itself=by_itself)
        if session is None or session.stage is not Stage.OPEN:
            raise NotSignedIn
        self.require_own_page(request)
        return session

    def require_own_page(self, request: Request) -> None:
        """Browsers tell the origin of whatever is not a plain look. Raises ForeignPage."""
        if request.method in SAFE_METHODS:
            return
        told = urlsplit(request.headers.get("origin", "")).netloc
        if not told or told not in {self._own_host, request.headers.get("host", "")}:
            raise ForeignPage

    async def permit(self, actor: Actor, action: Action, request: Request) -> None:
        """Raises NotAllowed. A look is written down first; a refusal as well."""
        subject = "/".join(str(value) for value in request.path_params.values())
        if not may(actor, action):
            await self._note(actor, audit.Event.REFUSED, subject, wanted=action)
            raise NotAllowed(action)
        if request.method in SAFE_METHODS and MATRIX[action].journaled:
            await self._note(actor, action, subject)

    async def _note(self, actor: Actor, action: Action | audit.Event, subject: str, **detail: str) -> None:
        now_ms = self._desk.clock.wall_ms()
        await self._store.write(lambda c: audit.write(c, now_ms, actor, action, subject, detail))


@dataclass(frozen=True)
class Allowed:
    """See `Gate.allowed`."""

    gate: Gate
    action: Action

    async def __call__(
        self, request: Request, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
    ) -> Actor:
        if bearer is not None:
            actor = await self.gate.by_key(bearer.credentials)
        else:
            actor = (await self.gate.by_session(request)).account.actor
        await self.gate.permit(actor, self.action, request)
        return actor


# --- how it is told ---------------------------------------------------------------------------------------


async def _on_stranger(_request: Request, _error: Exception) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"}
    return problem(401, "unauthorised", "send `Authorization: Bearer KEY`", headers=headers)


async def _on_not_allowed(_request: Request, error: Exception) -> JSONResponse:
    return problem(
        403, "forbidden", f"{error} is not among what you may do; an administrator can change that"
    )


async def _on_foreign(_request: Request, _error: Exception) -> JSONResponse:
    return problem(403, "foreign_page", "open the hub's own page and send it from there")


HANDLERS: Final[Mapping[type[Exception], Callable[[Request, Exception], Awaitable[JSONResponse]]]] = (
    MappingProxyType({NotSignedIn: _on_stranger, NotAllowed: _on_not_allowed, ForeignPage: _on_foreign})
)


# --- that no route is without -----------------------------------------------------------------------------


def actions(routes: Sequence[BaseRoute], under: str = "") -> Iterator[tuple[str, str, Action | None]]:
    """Path, methods and action of every route; None where it asks for none."""
    for context in iter_route_contexts(routes):
        route, path = context.original_route, under + str(context.path or context.original_route)
        if isinstance(route, APIRoute):
            yield path, _methods(route), _of_dependant(route.dependant)
        elif isinstance(route, Route):
            yield path, _methods(route), _of_endpoint(route.endpoint)
        elif isinstance(route, Mount) and route.routes:
            yield from actions(route.routes, path)
        else:
            yield path, "", None


def unguarded(routes: Sequence[BaseRoute]) -> list[str]:
    """Paths that ask for no action and are not among `OPEN_ROUTES`."""
    return [path for path, _, action in actions(routes) if action is None and path not in OPEN_ROUTES]


def _methods(route: Route | APIRoute) -> str:
    return " ".join(sorted((route.methods or set()) - {"HEAD"}))


def _of_dependant(dependant: Dependant) -> Action | None:
    if isinstance(dependant.call, Allowed):
        return dependant.call.action
    return next(filter(None, map(_of_dependant, dependant.dependencies)), None)


def _of_endpoint(endpoint: Any) -> Action | None:
    """Pages bind theirs as the first argument of a partial: see `sync.central.console.pages`."""
    if isinstance(endpoint, partial):
        return next((value for value in endpoint.args if isinstance(value, Action)), None)
    return None
