"""Sign-in by the city's own identity: OpenID Connect, authorization code with PKCE.

What the provider says is believed only as its signed ID token says it, for us, for this very sign-in.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import Connection, Row

from sync.central.access import sessions
from sync.central.access.accounts import SHOWN_CHARACTERS_MAX, Account
from sync.central.access.settings import Identity, first_fitting
from sync.central.access.sign_in import Elsewhere, Entered, SignIn, WrongSignIn
from sync.central.access.tables import ELSEWHERE
from sync.central.desk import Desk
from sync.central.store import Store, find

ALGORITHMS: Final = ["RS256", "PS256", "ES256", "EdDSA"]
"""Never ``none``, and nothing whose key the provider shares with us."""
LEEWAY_S: Final = 60
TIMEOUT_S: Final = 10.0
ANSWER_BYTES_MAX: Final = 1 << 20
GROUPS_MAX: Final = 1000
NAME_CHARACTERS: Final = 16
KNOWN_MS: Final = 3_600_000
"""How long addresses and keys of the provider are believed; a key we do not know is asked for at once."""


class Unreachable(Exception):
    """The provider does not answer, or not as its standard says. Sign in by name, or try again."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where the browser goes, and what it keeps meanwhile."""

    url: str
    token: str


@dataclass(frozen=True, slots=True)
class _Provider:
    authorise: str
    token: str
    jwks: str
    keys: KeySet
    read_ms: int


class Elsewheres:
    """Sign-ins by the one provider of the configuration."""

    def __init__(
        self,
        store: Store,
        desk: Desk,
        sign_in: SignIn,
        client: httpx.AsyncClient,
        settings: Identity,
        back: str,
    ) -> None:
        """``back``: our own address to which the provider sends people."""
        self._store, self._desk, self._sign_in = store, desk, sign_in
        self._client, self._settings, self._back = client, settings, back
        self._rules = settings.mapped()
        self._known: _Provider | None = None

    @property
    def called(self) -> str:
        """As its button says."""
        return self._settings.called or urlsplit(self._settings.issuer).netloc

    async def leave(self, onward: str) -> Leaving:
        """Raises Unreachable."""
        provider = await self._provider()
        token, state, nonce, verifier = (_fresh(self._desk) for _ in range(4))
        row = {"digest": sessions.digest(token), "state": state, "nonce": nonce, "verifier": verifier}
        now_ms = self._desk.clock.wall_ms()
        insert = ELSEWHERE.insert().values(**row, onward=onward, made_ms=now_ms)
        await self._store.write(lambda connection: connection.execute(insert))
        asked = {
            "response_type": "code",
            "client_id": self._settings.client,
            "redirect_uri": self._back,
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": _base64url(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        return Leaving(
            f"{provider.authorise}{'&' if '?' in provider.authorise else '?'}{urlencode(asked)}", token
        )

    async def back(self, token: str, state: str, code: str, browser: str) -> tuple[Entered, str]:
        """The session and where the person wanted to go. Raises WrongSignIn, Unreachable."""
        row = await self._store.write(lambda connection: self._taken(connection, token))
        if row is None or not hmac.compare_digest(row.state.encode(), state.encode("utf-8", "replace")):
            raise WrongSignIn
        claims = await self._claims(await self._id_token(code, row.verifier), row.nonce)
        return await self._sign_in.from_elsewhere(self._whom(claims), browser), row.onward

    def _taken(self, connection: Connection, token: str) -> Row[Any] | None:
        """Once: a second coming back finds nothing."""
        where = {"digest": sessions.digest(token)}
        row = find(connection, ELSEWHERE, where)
        connection.execute(ELSEWHERE.delete().where(ELSEWHERE.c.digest == where["digest"]))
        fresh = row is not None and self._desk.clock.wall_ms() - row.made_ms < sessions.STEP_LASTS_MS
        return row if fresh else None

    async def _id_token(self, code: str, verifier: str) -> str:
        provider = await self._provider()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": verifier,
            "client_id": self._settings.client,
        }
        secret = self._settings.secret
        auth = httpx.BasicAuth(self._settings.client, secret) if secret else None
        told = await self._asked("POST", provider.token, data=form, auth=auth)
        token = told.get("id_token")
        if not isinstance(token, str):
            raise WrongSignIn
        return token

    async def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        """Raises WrongSignIn for a token that is not the provider's, not for us, or not of this sign-in."""
        try:
            claims = self._decoded(token, (await self._provider()).keys)
        except (JoseError, ValueError):
            # It may be signed with a key that is new there.
            self._known = None
            try:
                claims = self._decoded(token, (await self._provider()).keys)
            except (JoseError, ValueError) as error:
                raise WrongSignIn from error
        wanted = jwt.JWTClaimsRegistry(
            now=self._desk.clock.wall_ms() // 1000,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            wanted.validate(claims)
        except JoseError as error:
            raise WrongSignIn from error
        if claims.get("azp", self._settings.client) != self._settings.client:
            raise WrongSignIn
        return claims

    @staticmethod
    def _decoded(token: str, keys: KeySet) -> dict[str, Any]:
        return jwt.decode(token, keys, algorithms=ALGORITHMS).claims

    def _whom(self, claims: Mapping[str, Any]) -> Elsewhere:
        told = claims.get(self._settings.claim, [])
        groups = [told] if isinstance(told, str) else told if isinstance(told, list) else []
        rule = first_fitting(self._rules, {str(group) for group in groups[:GROUPS_MAX]})
        if rule is None:
            raise WrongSignIn
        subject = f"{self._settings.issuer}|{claims['sub']}"
        name = hashlib.sha256(subject.encode()).hexdigest()[:NAME_CHARACTERS]
        shown = str(claims.get(self._settings.name_claim, ""))[:SHOWN_CHARACTERS_MAX]
        return Elsewhere(subject, Account(f"city-{name}", shown, rule.roles, rule.areas))

    # --- the provider's addresses and keys -----------------------------------------------------------------

    async def _provider(self) -> _Provider:
        """Raises Unreachable."""
        now_ms = self._desk.clock.wall_ms()
        known = self._known
        if known is None or not 0 <= now_ms - known.read_ms < KNOWN_MS:
            issuer = self._settings.issuer
            told = await self._asked("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if told.get("issuer") != issuer:
                raise Unreachable(f"{issuer} calls itself otherwise")
            try:
                jwks = str(told["jwks_uri"])
                keys = KeySet.import_key_set(await self._asked("GET", jwks))  # type: ignore[arg-type]
                endpoints = str(told["authorization_endpoint"]), str(told["token_endpoint"])
            except (KeyError, ValueError, TypeError, JoseError) as error:
                raise Unreachable(f"{issuer} does not tell its addresses and keys") from error
            known = self._known = _Provider(*endpoints, jwks, keys, now_ms)
        return known

    async def _asked(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        """Raises Unreachable; a refusal of the provider is one as well."""
        try:
            answer = await self._client.request(method, url, timeout=TIMEOUT_S, **more)
            told = answer.json() if len(answer.content) <= ANSWER_BYTES_MAX else None
        except (httpx.HTTPError, ValueError) as error:
            raise Unreachable(f"{url}: {type(error).__name__}") from error
        if not answer.is_success or not isinstance(told, dict):
            raise Unreachable(f"{url}: {answer.status_code}")
        return told


def _fresh(desk: Desk) -> str:
    return _base64url(desk.chance.random_bytes(sessions.TOKEN_BYTES))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
