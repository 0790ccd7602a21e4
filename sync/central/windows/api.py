"""The register of windows and departments under `/api/v1/places`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, Path
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import IdempotencyKey, NamePath
from sync.central.api_models import Strict, Text40
from sync.central.custody.parties import Kind
from sync.central.office import Office, Repeatable
from sync.central.windows import register

PlacePath = Annotated[str, Path(pattern=r"^[a-z0-9]{16}$")]
AccountPath = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$")]
AccountName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$")]


class PlaceIn(Strict):
    kind: Literal["window", "department"]
    area: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,24}$")]
    name: Text40


class NameIn(Strict):
    name: Text40


class WhoIn(Strict):
    account: AccountName


class PersonIn(Strict):
    account: AccountName | None
    """Null: nobody's."""


class PlaceOut(BaseModel):
    place: str
    """Its id, in slips and wherever else it is named."""
    kind: str
    area: str
    name: str
    ended: bool
    mine: bool
    """The account that asks stands there."""
    accounts: list[str]


class HelperOut(BaseModel):
    staff: str
    account: str


class Register(BaseModel):
    places: list[PlaceOut]
    helpers: list[HelperOut]
    """Staff numbers of people who have an account as well."""


def add(app: FastAPI, office: Office, gate: Gate) -> None:
    """To the application that `sync.central.api` has built."""
    api, desk, store = APIRouter(prefix="/api/v1"), office.desk, office.store
    sees = Depends(gate.allowed(Action.SEE_PLACES))
    manages = Depends(gate.allowed(Action.MANAGE_PLACES))

    @api.get("/places")
    async def every(actor: Annotated[Actor, sees]) -> Register:
        """Windows and departments of one's areas, also those that ended."""
        return await store.read(lambda c: read(c, actor))

    @api.post("/places", status_code=201)
    async def make(
        body: PlaceIn, actor: Annotated[Actor, manages], idempotency_key: IdempotencyKey = ""
    ) -> Register:
        """One more window or department of an area."""
        repeatable = Repeatable(idempotency_key, body.model_dump_json())
        kind = Kind(body.kind)
        await office.once(
            "places", actor, repeatable, lambda c: register.add(c, desk, actor, kind, body.area, body.name)
        )
        return await store.read(lambda c: read(c, actor))

    @api.put("/places/{place}/name")
    async def rename(place: PlacePath, body: NameIn, actor: Annotated[Actor, manages]) -> Register:
        await store.write(lambda c: register.rename(c, desk, actor, place, body.name))
        return await store.read(lambda c: read(c, actor))

    @api.post("/places/{place}/end")
    async def end(place: PlacePath, actor: Annotated[Actor, manages]) -> Register:
        """Nothing goes there any more; refused while something is there."""
        await store.write(lambda c: register.end(c, desk, actor, place))
        return await store.read(lambda c: read(c, actor))

    @api.put("/places/{place}/accounts/{account}")
    async def bind(place: PlacePath, account: AccountPath, actor: Annotated[Actor, manages]) -> Register:
        """This account stands there: from the first one on nobody else signs for it."""
        await store.write(lambda c: register.bind(c, desk, actor, place, account, on=True))
        return await store.read(lambda c: read(c, actor))

    @api.delete("/places/{place}/accounts/{account}")
    async def unbind(place: PlacePath, account: AccountPath, actor: Annotated[Actor, manages]) -> Register:
        await store.write(lambda c: register.bind(c, desk, actor, place, account, on=False))
        return await store.read(lambda c: read(c, actor))

    @api.put("/staff/{staff}/account")
    async def person(staff: NamePath, body: PersonIn, actor: Annotated[Actor, manages]) -> Register:
        """That the helper with this staff number is the person of this account."""
        await store.write(lambda c: register.bind_staff(c, desk, actor, staff, body.account or ""))
        return await store.read(lambda c: read(c, actor))

    app.include_router(api)


def read(connection: Connection, actor: Actor) -> Register:
    """What exists for this actor."""
    accounts, helpers = register.bound(connection)
    mine = register.mine(connection, actor)
    return Register(
        places=[
            PlaceOut(
                place=row.place,
                kind=row.kind,
                area=row.area,
                name=row.name,
                ended=bool(row.ended_ms),
                mine=(row.kind, row.place) in mine,
                accounts=accounts.get(row.place, []),
            )
            for row in register.every(connection, actor, ended=True)
        ],
        helpers=[HelperOut(staff=row.staff, account=row.account) for row in helpers],
    )
