"""Accounts, keys, the matrix and the journal of acts, as the API tells them. For people only: no key's scope
reaches here.
"""

import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from sync.central.access import accounts, audit, keys
from sync.central.access.accounts import Account, AccountRefusal, AccountRefused
from sync.central.access.actor import Actor, Role, Scope
from sync.central.access.front import Front, Means
from sync.central.access.matrix import MATRIX, Action
from sync.central.guard import problem

ROWS_MAX: Final = 1000
STATUS: Final = {
    AccountRefusal.UNKNOWN: 404,
    AccountRefusal.EXISTS: 409,
    AccountRefusal.ONESELF: 409,
    AccountRefusal.BAD_NAME: 422,
    AccountRefusal.BAD_ROLES: 422,
    AccountRefusal.BAD_AREAS: 422,
}
Name = Annotated[str, Path(pattern=r"^[a-z0-9._-]{1,32}$")]
NameIn = Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,32}$")]
Areas = Annotated[list[Annotated[str, Field(pattern=r"^(\*|[a-z0-9-]{1,24})$")]], Field(max_length=1000)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RightsIn(Body):
    roles: Annotated[list[Role], Field(max_length=20)]
    areas: Areas


class NewAccount(RightsIn):
    account: NameIn
    shown: Annotated[str, Field(max_length=accounts.SHOWN_CHARACTERS_MAX, pattern=r"^[^\x00-\x1f\x7f]*$")] = (
        ""
    )


class KeyIn(Body):
    name: NameIn
    scopes: Annotated[list[Scope], Field(max_length=50)]
    areas: Areas
    lasts_days: Annotated[int, Field(ge=keys.LASTS_DAYS.start, lt=keys.LASTS_DAYS.stop)] = 365


class Secret(Body):
    """Shown this once."""

    name: str
    secret: str


class AccountOut(Body):
    account: str
    shown: str
    roles: list[str]
    areas: list[str]
    second_factor: bool
    by_identity: bool
    ended: bool


class KeyOut(Body):
    name: str
    prefix: str
    scopes: list[str]
    areas: list[str]
    made_by: str
    expires_ms: int
    revoked_ms: int
    used_ms: int


class ActOut(Body):
    seq: int
    at_ms: int
    actor: str
    roles: str
    action: str
    object: str
    detail: dict[str, Any]
    hash: str


class RuleOut(Body):
    action: str
    roles: list[str]
    scope: str | None
    journaled: bool


def add(app: FastAPI, front: Front, means: Means) -> None:
    api = APIRouter(prefix="/api/v1")
    _add_accounts(api, front, means)
    _add_keys(api, front, means)
    _add_looks(api, front, means)
    app.include_router(api)
    app.add_exception_handler(AccountRefused, _on_refused)


def _add_accounts(api: APIRouter, front: Front, means: Means) -> None:
    sees = Depends(front.gate.allowed(Action.SEE_ACCOUNTS))
    manages = Depends(front.gate.allowed(Action.MANAGE_ACCOUNTS))
    store, clock = means.store, means.desk.clock

    @api.get("/accounts")
    async def listed(actor: Annotated[Actor, sees]) -> list[AccountOut]:
        return [_account(row) for row in await store.read(lambda c: accounts.listed(c, actor))]

    @api.post("/accounts", status_code=201)
    async def added(body: NewAccount, actor: Annotated[Actor, manages]) -> Secret:
        """A person, with a password for the first sign-in."""
        new = Account(body.account, body.shown, frozenset(body.roles), frozenset(body.areas))
        plain, hashed = await front.sign_in.first_password()
        await store.write(lambda c: accounts.add(c, clock.wall_ms(), actor, new, hashed))
        return Secret(name=new.account, secret=plain)

    @api.put("/accounts/{name}/rights", status_code=204)
    async def changed(name: Name, body: RightsIn, actor: Annotated[Actor, manages]) -> None:
        await store.write(
            lambda c: accounts.change_rights(c, clock.wall_ms(), actor, name, body.roles, body.areas)
        )

    @api.post("/accounts/{name}/password", status_code=201)
    async def given(name: Name, actor: Annotated[Actor, manages]) -> Secret:
        """A new first password; also brings an ended account back."""
        plain, hashed = await front.sign_in.first_password()
        await store.write(lambda c: accounts.restore(c, clock.wall_ms(), actor, name, hashed))
        return Secret(name=name, secret=plain)

    @api.delete("/accounts/{name}", status_code=204)
    async def ended(name: Name, actor: Annotated[Actor, manages]) -> None:
        await store.write(lambda c: accounts.end(c, clock.wall_ms(), actor, name))

    @api.delete("/accounts/{name}/second-factor", status_code=204)
    async def dropped(name: Name, actor: Annotated[Actor, manages]) -> None:
        await store.write(lambda c: accounts.drop_second_factor(c, clock.wall_ms(), actor, name))


def _add_keys(api: APIRouter, front: Front, means: Means) -> None:
    sees = Depends(front.gate.allowed(Action.SEE_KEYS))
    manages = Depends(front.gate.allowed(Action.MANAGE_KEYS))

    @api.get("/keys")
    async def listed(actor: Annotated[Actor, sees]) -> list[KeyOut]:
        return [_key(row) for row in await means.store.read(lambda c: keys.listed(c, actor))]

    @api.post("/keys", status_code=201)
    async def made(body: KeyIn, actor: Annotated[Actor, manages]) -> Secret:
        new = keys.NewKey(body.name, frozenset(body.scopes), frozenset(body.areas), body.lasts_days)
        secret = await means.store.write(lambda c: keys.make(c, means.desk, actor, new))
        return Secret(name=new.name, secret=secret)

    @api.delete("/keys/{name}", status_code=204)
    async def revoked(name: Name, actor: Annotated[Actor, manages]) -> None:
        await means.store.write(lambda c: keys.revoke(c, means.desk.clock.wall_ms(), actor, name))


def _add_looks(api: APIRouter, front: Front, means: Means) -> None:
    sees_access = Depends(front.gate.allowed(Action.SEE_ACCESS))
    sees_audit = Depends(front.gate.allowed(Action.SEE_AUDIT))

    @api.get("/access")
    async def access(_actor: Annotated[Actor, sees_access]) -> list[RuleOut]:
        """The whole of who may do what."""
        return [
            RuleOut(action=action, roles=sorted(rule.roles), scope=rule.scope, journaled=rule.journaled)
            for action, rule in MATRIX.items()
        ]

    @api.get("/audit")
    async def acts(
        _actor: Annotated[Actor, sees_audit],
        after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
        limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 200,
    ) -> list[ActOut]:
        """The journal of acts, in order, after a number."""
        return [_act(row) for row in await means.store.read(lambda c: audit.page(c, after, limit))]


def _account(row: Any) -> AccountOut:
    found = accounts.of_row(row)
    return AccountOut(
        account=found.account,
        shown=found.shown,
        roles=sorted(found.roles),
        areas=sorted(found.areas),
        second_factor=bool(row.totp_sealed),
        by_identity=bool(row.subject),
        ended=bool(row.ended_ms),
    )


def _key(row: Any) -> KeyOut:
    return KeyOut(
        name=row.name,
        prefix=row.prefix,
        scopes=json.loads(row.scopes),
        areas=json.loads(row.areas),
        made_by=row.made_by,
        expires_ms=row.expires_ms,
        revoked_ms=row.revoked_ms,
        used_ms=row.used_ms,
    )


def _act(row: Any) -> ActOut:
    return ActOut(
        seq=row.seq,
        at_ms=row.at_ms,
        actor=row.actor,
        roles=row.roles,
        action=row.action,
        object=row.object,
        detail=json.loads(row.detail),
        hash=row.hash,
    )


async def _on_refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AccountRefused)  # noqa: S101  # registered for nothing else
    return problem(STATUS[error.reason], error.reason, error.detail)
