"""Under `/api/v1`: what is set for the fleet, an area, one locker."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path

from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import NamePath
from sync.central.office import Office
from sync.central.settings.levels import FLEET, Level, Target
from sync.central.settings.models import SettingsIn, SettingsOut, ToldOut, out
from sync.central.settings.views import sheet
from sync.central.settings.wishes import change

AreaPath = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,24}$")]


def add(app: FastAPI, office: Office, gate: Gate) -> None:
    """To the application that `sync.central.api` has built."""
    api = APIRouter(prefix="/api/v1")
    sees = Depends(gate.allowed(Action.SEE_SETTINGS))
    changes = Depends(gate.allowed(Action.CHANGE_SETTINGS))

    async def look(actor: Actor, target: Target) -> SettingsOut:
        return out(await office.store.read(lambda connection: sheet(connection, actor, target)))

    async def put(actor: Actor, target: Target, body: SettingsIn) -> ToldOut:
        return ToldOut(lockers=await change(office, actor, target, body.settings, body.revision))

    @api.get("/fleet/settings")
    async def of_fleet(actor: Annotated[Actor, sees]) -> SettingsOut:
        """What is wished for every locker."""
        return await look(actor, FLEET)

    @api.put("/fleet/settings")
    async def set_fleet(body: SettingsIn, actor: Annotated[Actor, changes]) -> ToldOut:
        """For every locker, where neither its area nor it says otherwise. By whoever sees every area."""
        return await put(actor, FLEET, body)

    @api.get("/areas/{area}/settings")
    async def of_area(area: AreaPath, actor: Annotated[Actor, sees]) -> SettingsOut:
        return await look(actor, Target(Level.AREA, area))

    @api.put("/areas/{area}/settings")
    async def set_area(area: AreaPath, body: SettingsIn, actor: Annotated[Actor, changes]) -> ToldOut:
        """For every locker of this area, where it does not say otherwise itself."""
        return await put(actor, Target(Level.AREA, area), body)

    @api.get("/lockers/{locker}/settings")
    async def of_locker(locker: NamePath, actor: Annotated[Actor, sees]) -> SettingsOut:
        """What is wished, what it was told, what is in force by its own report, and what it refused."""
        return await look(actor, Target(Level.LOCKER, locker))

    @api.put("/lockers/{locker}/settings")
    async def set_locker(locker: NamePath, body: SettingsIn, actor: Annotated[Actor, changes]) -> ToldOut:
        return await put(actor, Target(Level.LOCKER, locker), body)

    app.include_router(api)
