"""Custody under `/api/v1`: who holds what, slips, differences, dead lockers, stocktakes, evidence."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, FastAPI, Path, Query
from sqlalchemy import Connection
from starlette.responses import Response

from sync.central.access.actor import Actor
from sync.central.access.gate import Gate
from sync.central.access.matrix import Action
from sync.central.api import CasePath, IdempotencyKey, NamePath
from sync.central.custody import asked, evidence
from sync.central.custody import models as m
from sync.central.custody.keeper import Keeper
from sync.central.custody.parties import Room
from sync.central.office import Office, Repeatable
from sync.central.paging import Listed, WhichPage
from sync.central.windows import register

SlipPath = Annotated[str, Path(pattern=r"^[0-9]{12}$")]
NumberPath = Annotated[int, Path(ge=1, le=2**53)]
HolderKind = Annotated[Literal["", "helper", "window", "department", "courier"], Query()]
BUNDLES: Final[Mapping[str, Any]] = {"text/html": {}, "application/zip": {}}
"""One journal's page, or a zip of one for each journal."""


def add(app: FastAPI, office: Office, gate: Gate) -> None:
    """To the application that `sync.central.api` has built."""
    api, keeper = APIRouter(prefix="/api/v1"), Keeper(office)
    _add_looks(api, keeper, gate)
    _add_slips(api, keeper, gate)
    _add_differences(api, keeper, gate)
    _add_lockers(api, keeper, gate)
    app.include_router(api)


def _add_looks(api: APIRouter, keeper: Keeper, gate: Gate) -> None:
    sees, desk = Depends(gate.allowed(Action.SEE_CUSTODY)), keeper.office.desk

    @api.get("/custody/things")
    async def things(
        actor: Annotated[Actor, sees],
        page: WhichPage,
        kind: HolderKind = "",
        holder: Annotated[str, Query(max_length=40)] = "",
    ) -> Listed[m.HeldOut]:
        """What is in somebody's hands: unconfirmed first, then the longest held."""

        def look(connection: Connection) -> Listed[m.HeldOut]:
            who = register.known(connection, actor, kind, holder) if kind else None
            called = register.called(connection)
            found = asked.in_hands(connection, desk, actor, page, who)
            return found.told(lambda each: _held(each, called))

        return await keeper.look(look)

    @api.get("/custody/slips")
    async def slips(
        actor: Annotated[Actor, sees],
        page: WhichPage,
        only_open: Annotated[bool, Query(alias="open")] = False,
    ) -> Listed[m.SlipOut]:
        """The open ones oldest first, or all with the latest first."""

        def look(connection: Connection) -> Listed[m.SlipOut]:
            called = register.called(connection)
            found = asked.slips(connection, desk, actor, page, only_open=only_open)
            return found.told(lambda each: m.SlipOut(**_slip(each, called)))

        return await keeper.look(look)

    @api.get("/custody/slips/{slip}")
    async def one(slip: SlipPath, actor: Annotated[Actor, sees]) -> m.SlipWhole:
        return await _whole(keeper, slip, actor)

    @api.get("/custody/differences")
    async def differences(
        actor: Annotated[Actor, sees],
        page: WhichPage,
        only_open: Annotated[bool, Query(alias="open")] = True,
    ) -> Listed[m.DifferenceOut]:
        """What does not agree, the oldest first."""
        found = await keeper.look(lambda c: asked.differences(c, desk, actor, page, only_open=only_open))
        return found.told(m.difference)

    @api.get("/custody/stocktakes")
    async def stocktakes(actor: Annotated[Actor, sees], page: WhichPage) -> Listed[m.LookOut]:
        """What people found who looked into compartments, the latest first."""
        found = await keeper.look(lambda c: asked.looks(c, desk, actor, page))
        return found.told(_look)


def _add_slips(api: APIRouter, keeper: Keeper, gate: Gate) -> None:
    hands_over = Depends(gate.allowed(Action.HAND_OVER))

    @api.post("/custody/slips", status_code=201)
    async def propose(
        body: m.SlipIn, actor: Annotated[Actor, hands_over], idempotency_key: IdempotencyKey = ""
    ) -> m.SlipWhole:
        """Somebody else settles it; until then everything stays in the giver's hands."""
        repeatable = Repeatable(idempotency_key, body.model_dump_json())
        return await _whole(keeper, await keeper.propose(body.proposal(), actor, repeatable), actor)

    @api.post("/custody/slips/{slip}/receipt", status_code=201)
    async def settle(slip: SlipPath, body: m.ReceiptIn, actor: Annotated[Actor, hands_over]) -> m.SlipWhole:
        """What the receiver counted. Who proposed the slip cannot."""
        await keeper.settle(slip, body.receipt(), actor)
        return await _whole(keeper, slip, actor)

    @api.post("/custody/slips/{slip}/withdrawal", status_code=201)
    async def take_back(slip: SlipPath, actor: Annotated[Actor, hands_over]) -> m.SlipWhole:
        """By who proposed it, while nobody has settled it."""
        await keeper.take_back(slip, actor)
        return await _whole(keeper, slip, actor)


_ENDS: Final = (
    (Room.HAND_OVER, "/custody/differences", Action.HAND_OVER),
    (Room.STOCKTAKE, "/custody/stocktakes", Action.STOCKTAKE),
    (Room.LOCKER, "/custody/lockers", Action.RESOLVE_LOCKER),
)
"""Whose business a difference is, where its end is told, and by whom."""


def _add_differences(api: APIRouter, keeper: Keeper, gate: Gate) -> None:
    for room, path, action in _ENDS:
        _add_ending(api, keeper, room, path, Depends(gate.allowed(action)))


def _add_ending(api: APIRouter, keeper: Keeper, room: Room, path: str, allowed: Any) -> None:
    # `Depends` stands as a default: an annotation is read where a name of this function is not known.
    async def end(number: NumberPath, body: m.EndingIn, actor: Actor = allowed) -> m.DifferenceOut:
        """What came of a difference. It stays in the list of those that are resolved."""
        await keeper.end(room, body.ending(number), actor)
        desk = keeper.office.desk
        found = await keeper.look(
            lambda c: asked.differences(c, desk, actor, room=room, only_open=False, number=number)
        )
        return m.difference(found.rows[0])

    api.add_api_route(f"{path}/{{number}}/resolution", end, methods=["POST"], status_code=201, name=room)


def _add_lockers(api: APIRouter, keeper: Keeper, gate: Gate) -> None:
    resolves = Depends(gate.allowed(Action.RESOLVE_LOCKER))
    exports = Depends(gate.allowed(Action.EXPORT_EVIDENCE))

    @api.get("/lockers/{locker}/holdings")
    async def holdings(locker: NamePath, actor: Annotated[Actor, resolves]) -> m.HoldingsOut:
        """What it holds by all that is known: for one that cannot be asked any more."""
        return _holdings(await keeper.holdings(locker, actor))

    @api.post("/lockers/{locker}/resolutions", status_code=201)
    async def resolve(
        locker: NamePath, body: m.ResolutionIn, actor: Annotated[Actor, resolves]
    ) -> m.HoldingsOut:
        """What became of one item that it held. A later one corrects an earlier; both are kept."""
        await keeper.resolve(body.resolution(locker), actor)
        return _holdings(await keeper.holdings(locker, actor))

    @api.get("/cases/{case}/evidence", response_class=Response, responses={200: {"content": BUNDLES}})
    async def bundle(case: CasePath, actor: Annotated[Actor, exports]) -> Response:
        """For `lockerctl evidence verify`: a page, or a zip of one for each journal with something of it."""
        return packed(case, await keeper.evidence(case, actor))


def packed(case: str, bundles: list[evidence.Bundle]) -> Response:
    name, media_type, data = evidence.as_file(case, bundles)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=media_type, headers=headers)


async def _whole(keeper: Keeper, slip: str, actor: Actor) -> m.SlipWhole:
    found = await keeper.slip(slip, actor)
    lines = [
        m.LineOut(
            thing=line.thing,
            case=line.case_number,
            service_item=line.service_item,
            window=line.window,
            queue=line.queue,
            state=line.state,
        )
        for line in found.lines
    ]
    told = [m.difference(row) for row in found.differences]
    called = await keeper.office.store.read(register.called)
    return m.SlipWhole(**_slip(found.slip, called), lines=lines, differences=told)


def _slip(slip: asked.Slip, called: Mapping[str, str]) -> dict[str, Any]:
    row = slip.row
    names = ("slip", "note", "proposed_by", "proposed_ms", "state", "settled_by", "settled_ms")
    return {
        **{name: row._mapping[name] for name in names},  # noqa: SLF001  # SQLAlchemy's public name for it
        "giver": f"{row.from_kind}/{row.from_name}",
        "receiver": f"{row.to_kind}/{row.to_name}",
        "giver_called": called.get(row.from_name, row.from_name),
        "receiver_called": called.get(row.to_name, row.to_name),
        "count": slip.count,
        "received": slip.received,
        "overdue": slip.overdue,
    }


def _held(each: asked.InHand, called: Mapping[str, str]) -> m.HeldOut:
    row = each.row
    names = ("thing", "holder_kind", "holder", "since_ms", "confirmed", "window", "queue", "slip")
    values = {name: row._mapping[name] for name in names}  # noqa: SLF001  # SQLAlchemy's public name for it
    values |= {"called": called.get(row.holder, row.holder), "window_called": called.get(row.window, "")}
    return m.HeldOut(case=row.case_number, overdue=each.overdue, **values)


def _look(row: Any) -> m.LookOut:
    names = ("locker", "door", "found", "staff", "second", "at_ms")
    values = {name: row._mapping[name] for name in names}  # noqa: SLF001  # SQLAlchemy's public name for it
    return m.LookOut(case=row.case_number, **values)


def _holdings(found: Any) -> m.HoldingsOut:
    return m.HoldingsOut(
        locker=found.locker,
        presence=found.presence,
        last_heard_ms=found.last_heard_ms,
        told_ms=found.told_ms,
        stored_to=found.stored_to,
        head=found.head,
        unsynced=found.unsynced,
        mark=found.mark,
        lies=[
            m.LiesOut(
                door=each.stay.door,
                deposit=each.stay.deposit,
                case=each.stay.case_number,
                kind=each.stay.kind,
                phase=each.stay.phase,
                since_ms=each.stay.since_ms,
                doubt=each.doubt,
                resolution=each.resolved.outcome if each.resolved else "",
                resolved_by=each.resolved.who if each.resolved else "",
            )
            for each in found.lies
        ],
        doubted_doors=[row.number for row in found.doubted],
    )
