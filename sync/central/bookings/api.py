"""Booked slots under `/api/v1`."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, FastAPI, Path, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row, select

from sync.central.access import scope
from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import IdempotencyKey
from sync.central.api_models import Strict
from sync.central.bookings import desk, slots
from sync.central.bookings.said import State
from sync.central.bookings.tables import BOOKING
from sync.central.office import Office, Repeatable
from sync.central.paging import Asked, Keyset, Listed, Page, WhichPage

BookingPath = Annotated[str, Path(pattern=r"^[a-z2-7]{16}$")]
WallMs = Annotated[int, Field(ge=0, lt=2**53)]


class BookingIn(Strict):
    """Times are wall milliseconds. The locker is that of the authorisation."""

    authorisation: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,32}$")]
    from_ms: WallMs
    until_ms: WallMs

    def wanted(self) -> slots.Wanted:
        return slots.Wanted(self.authorisation, self.from_ms, self.until_ms)


class BookingOut(BaseModel):
    booking: str
    authorisation: str
    case: str
    locker: str
    size: str
    from_ms: int
    until_ms: int
    made_by: str
    made_ms: int
    state: State
    why: str
    since_ms: int


def add(app: FastAPI, office: Office, gate: Gate) -> None:
    """To the application that `sync.central.api` has built."""
    api = APIRouter(prefix="/api/v1")
    books = Depends(gate.allowed(Action.BOOK_SLOT))
    sees = Depends(gate.allowed(Action.SEE_AUTHORISATION))

    @api.post("/bookings", status_code=201)
    async def book(
        body: BookingIn, actor: Annotated[Actor, books], idempotency_key: IdempotencyKey = ""
    ) -> BookingOut:
        """A compartment is kept free from now until the slot lapses, an hour after its end."""
        repeatable = Repeatable(idempotency_key, body.model_dump_json())
        booking = await desk.book(office, actor, body.wanted(), repeatable)
        return _out(await office.store.read(lambda c: slots.one(c, actor, booking)))

    @api.delete("/bookings/{booking}", status_code=204)
    async def cancel(booking: BookingPath, actor: Annotated[Actor, books]) -> None:
        await desk.cancel(office, actor, booking)

    @api.get("/bookings")
    async def listed(
        actor: Annotated[Actor, sees],
        page: WhichPage,
        locker: Annotated[str, Query(pattern=r"^[a-z0-9-]{0,24}$")] = "",
        state: State | Literal[""] = "",
    ) -> Listed[BookingOut]:
        """The latest first."""
        found = await office.store.read(lambda c: list_page(c, office, actor, page, locker, str(state)))
        return found.told(_out)

    @api.get("/bookings/{booking}")
    async def one(booking: BookingPath, actor: Annotated[Actor, sees]) -> BookingOut:
        return _out(await office.store.read(lambda c: slots.one(c, actor, booking)))

    app.include_router(api)


def list_page(
    connection: Connection, office: Office, actor: Actor, page: Asked, locker: str, state: str
) -> Page[Row[Any]]:
    """Raises Refused."""
    own = BOOKING.c
    query = select(BOOKING).where(scope.sees(actor, own.locker))
    if locker:
        scope.locker_row(connection, actor, locker)
        query = query.where(own.locker == locker)
    if state:
        query = query.where(own.state == state)
    return _ORDER.page(connection, office.desk, query, page)


_ORDER: Final = Keyset("bookings", (BOOKING.c.made_ms, BOOKING.c.booking), newest_first=True)


def _out(row: Row[Any]) -> BookingOut:
    return BookingOut(
        booking=row.booking,
        authorisation=row.authorisation,
        case=row.case_number,
        locker=row.locker,
        size=row.size,
        from_ms=row.from_ms,
        until_ms=row.until_ms,
        made_by=row.made_by,
        made_ms=row.made_ms,
        state=State(row.state),
        why=row.why,
        since_ms=row.since_ms,
    )
