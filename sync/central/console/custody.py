"""Who holds what: slips to make, print and receive; differences, stocktakes, dead lockers, evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup
from sqlalchemy import Connection, Row
from starlette.responses import RedirectResponse, Response

from sync.central.access.matrix import Action, may
from sync.central.console import forms, qr
from sync.central.console.pages import ROOT, Form, Frame, Visit
from sync.central.custody import asked, models, stocktakes
from sync.central.custody.api import packed
from sync.central.custody.hand_over import SLIP_DIGITS
from sync.central.custody.keeper import Keeper
from sync.central.custody.parties import BEGINS, OUTCOMES, ROUTES, Difference, Kind, Resolved, Room
from sync.central.desk import Refusal, Refused
from sync.central.office import Repeatable
from sync.central.paging import CURSOR_CHARACTERS_MAX, Asked, Page
from sync.central.windows import register

CUSTODY: Final = f"{ROOT}/custody"
HOUR_MS: Final = 3_600_000
ROWS: Final = 100
NUMBER_DIGITS_MAX: Final = 15
NAME_CHARACTERS_MAX: Final = 40
RESOLVES: Final[Mapping[Room, tuple[str, Action]]] = {
    Room.HAND_OVER: ("differences", Action.HAND_OVER),
    Room.STOCKTAKE: ("stocktakes", Action.STOCKTAKE),
    Room.LOCKER: ("lockers", Action.RESOLVE_LOCKER),
}
"""Where the end of a difference is told, and by whom."""


def add(frame: Frame) -> None:
    keeper = Keeper(frame.office)
    looks, slips, lockers = _Looks(frame, keeper), _Slips(frame, keeper), _Lockers(frame, keeper)
    for path, action, page, method in (
        (CUSTODY, Action.SEE_CUSTODY, looks.all, "GET"),
        (f"{CUSTODY}/stocktakes", Action.SEE_CUSTODY, looks.stocktakes, "GET"),
        (f"{CUSTODY}/slips/{{slip}}", Action.SEE_CUSTODY, looks.slip, "GET"),
        (f"{CUSTODY}/new", Action.HAND_OVER, slips.blank, "GET"),
        (f"{CUSTODY}/new", Action.HAND_OVER, slips.propose, "POST"),
        (f"{CUSTODY}/slips/{{slip}}/receipt", Action.HAND_OVER, slips.settle, "POST"),
        (f"{CUSTODY}/slips/{{slip}}/withdrawal", Action.HAND_OVER, slips.take_back, "POST"),
        (f"{ROOT}/lockers/{{locker}}/holdings", Action.RESOLVE_LOCKER, lockers.holdings, "GET"),
        (f"{ROOT}/lockers/{{locker}}/holdings", Action.RESOLVE_LOCKER, lockers.resolve, "POST"),
        (f"{ROOT}/cases/{{case}}/evidence", Action.EXPORT_EVIDENCE, lockers.evidence, "GET"),
    ):
        frame.add(path, action, page, method)
    for room, (path, action) in RESOLVES.items():
        frame.add(f"{CUSTODY}/{path}/{{number}}", action, _Ending(frame, keeper, room).tell, "POST")


def page_of(visit: Visit, name: str, rows: int = ROWS) -> Asked:
    """Which page of one of a page's lists."""
    return Asked(rows, visit.request.query_params.get(name, "")[:CURSOR_CHARACTERS_MAX])


def onward(visit: Visit, name: str, page: Page[Any]) -> str:
    """The query of a list's following page, the rest of the page as it is; empty for the last."""
    if page.next is None:
        return ""
    return urlencode({**visit.request.query_params, name: page.next}) + f"#{name}"


def _shown(visit: Visit, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """Differences, with where their end is told; nowhere for who may not."""
    found = []
    for row in rows:
        path, action = RESOLVES[Room(row.room)]
        outcomes = sorted(OUTCOMES[Difference(row.kind)])
        where = f"{CUSTODY}/{path}/{row.number}" if may(visit.actor, action) else ""
        found.append({"row": row, "outcomes": outcomes, "where": where})
    return found


@dataclass(frozen=True, slots=True)
class _Looks:
    frame: Frame
    keeper: Keeper

    async def all(self, visit: Visit) -> Response:
        query = visit.request.query_params
        wanted = query.get("slip", "").strip()
        if len(wanted) == SLIP_DIGITS and wanted.isascii() and wanted.isdigit():
            return RedirectResponse(await self._where(visit, wanted), 303)
        kind, name = query.get("kind", ""), query.get("name", "")[:NAME_CHARACTERS_MAX]
        desk, actor = self.frame.office.desk, visit.actor

        def look(connection: Connection) -> dict[str, Any]:
            holder = register.known(connection, actor, kind, name) if kind in ROUTES else None
            hands = asked.in_hands(connection, desk, actor, page_of(visit, "hands"), holder)
            slips = asked.slips(connection, desk, actor, page_of(visit, "slips"), only_open=True)
            differences = asked.differences(connection, desk, actor, page_of(visit, "differences"))
            return {
                "holder": holder,
                "hands": hands.rows,
                "holders": asked.holders(connection, actor),
                "slips": slips.rows,
                "differences": _shown(visit, differences.rows),
                "called": register.called(connection),
                "more": {
                    "hands": onward(visit, "hands", hands),
                    "slips": onward(visit, "slips", slips),
                    "differences": onward(visit, "differences", differences),
                },
            }

        found = await self.keeper.look(look)
        values = {
            **found,
            "hours": asked.UNCONFIRMED_MAX_MS // HOUR_MS,
            "gives": may(actor, Action.HAND_OVER),
        }
        return self.frame.page(visit, "custody.html", values)

    async def _where(self, visit: Visit, number: str) -> str:
        """A slip; or what was taken out on the round that has this number, for a slip to be made of it."""
        giver = await self.keeper.look(lambda connection: asked.giver_of(connection, visit.actor, number))
        if giver is None:
            return f"{CUSTODY}/slips/{number}"
        return f"{CUSTODY}/new?{urlencode({'kind': giver[0], 'name': giver[1], 'round': number})}"

    async def slip(self, visit: Visit) -> Response:
        found = await self.keeper.slip(visit.request.path_params["slip"], visit.actor)
        slip = found.slip.row.slip
        values = {
            "found": found,
            "called": await self.frame.office.store.read(register.called),
            "code": Markup(qr.svg(slip)),  # noqa: S704  # our own drawing of our own digits
            "differences": _shown(visit, found.differences),
            "open": found.slip.row.state == "proposed",
            "own": found.slip.row.proposed_by == visit.actor.who,
            "gives": may(visit.actor, Action.HAND_OVER),
        }
        return self.frame.page(visit, "custody_slip.html", values)

    async def stocktakes(self, visit: Visit) -> Response:
        desk, actor = self.frame.office.desk, visit.actor

        def look(connection: Connection) -> dict[str, Any]:
            opened = asked.differences(
                connection, desk, actor, page_of(visit, "differences"), room=Room.STOCKTAKE
            )
            looks = asked.looks(connection, desk, actor, page_of(visit, "looks"))
            return {
                "looks": looks.rows,
                "stocktakes": stocktakes.latest(connection, visit.actor),
                "differences": _shown(visit, opened.rows),
                "more": {
                    "looks": onward(visit, "looks", looks),
                    "differences": onward(visit, "differences", opened),
                },
            }

        return self.frame.page(visit, "custody_looks.html", await self.keeper.look(look))


@dataclass(frozen=True, slots=True)
class _Slips:
    frame: Frame
    keeper: Keeper

    async def blank(self, visit: Visit) -> Response:
        query = visit.request.query_params
        return await self._form(visit, query.get("kind", ""), query.get("name", ""), {}, ())

    async def propose(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        kind, name = forms.one(form, "kind"), forms.one(form, "name")
        try:
            body = forms.read(
                models.SlipIn,
                {
                    "giver": {"kind": kind, "name": name},
                    "receiver": {"kind": forms.one(form, "to_kind"), "name": forms.one(form, "to_name")},
                    "things": form.get("things", []),
                    "note": forms.one(form, "note"),
                },
            )
        except forms.BadForm as error:
            return await self._form(visit, kind, name, form, error.problems)
        once = Repeatable(f"console/{forms.one(form, 'once')[:32]}", body.model_dump_json())
        slip = await self.keeper.propose(body.proposal(), visit.actor, once)
        return RedirectResponse(f"{CUSTODY}/slips/{slip}", 303)

    async def settle(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        slip = visit.request.path_params["slip"]
        found = await self.keeper.slip(slip, visit.actor)
        received, unknown = ticked(found.lines, form.get("received", []), forms.lines(form, "scanned"))
        note = forms.one(form, "missing_note")
        missing = [{"thing": line.thing, "said": note} for line in found.lines if line.thing not in received]
        body = forms.read(
            models.ReceiptIn,
            {
                "received": sorted(received),
                "missing": missing,
                "too_many": [*unknown, *forms.lines(form, "too_many")],
            },
        )
        await self.keeper.settle(slip, body.receipt(), visit.actor)
        return RedirectResponse(f"{CUSTODY}/slips/{slip}", 303)

    async def take_back(self, visit: Visit) -> Response:
        await self.frame.form(visit)
        slip = visit.request.path_params["slip"]
        await self.keeper.take_back(slip, visit.actor)
        return RedirectResponse(f"{CUSTODY}/slips/{slip}", 303)

    async def _form(
        self, visit: Visit, kind: str, name: str, form: Form, problems: Sequence[str]
    ) -> Response:
        said = name.strip()[:NAME_CHARACTERS_MAX] if kind in ROUTES else ""
        desk, actor = self.frame.office.desk, visit.actor
        page = page_of(visit, "hands", models.THINGS_MAX)
        number = visit.request.query_params.get("round", "")[:SLIP_DIGITS]

        def look(connection: Connection) -> dict[str, Any]:
            giver = register.known(connection, actor, kind, said) if said else None
            hands = (
                asked.in_hands(connection, desk, actor, page, giver, free=True, of_round=number)
                if giver
                else None
            )
            begins = giver is not None and giver[0] in BEGINS
            return {
                "giver": giver,
                "round": number,
                "called": register.called(connection),
                "hands": hands.rows if hands else [],
                "more": {"hands": onward(visit, "hands", hands) if hands else ""},
                "unmoved": asked.unmoved(connection, actor) if begins else [],
                "names": asked.names(connection, actor),
            }

        values = {
            **await self.keeper.look(look),
            "kinds": list(ROUTES),
            "to_kinds": sorted(ROUTES[Kind(kind)]) if said else [],
            "form": form,
            "problems": problems,
            "once": self.frame.office.desk.chance.new_id(),
        }
        return self.frame.page(visit, "custody_new.html", values, status=422 if problems else 200)


def ticked(
    lines: Sequence[Row[Any]], marked: Sequence[str], scanned: Sequence[str]
) -> tuple[set[str], list[str]]:
    """What of a slip was received, and what was scanned that is not on it."""
    received, unknown = {line.thing for line in lines} & set(marked), []
    for text in scanned:
        fits = [line.thing for line in lines if text in {line.case_number, line.thing.rpartition("/")[2]}]
        left = [thing for thing in fits if thing not in received]
        if left:
            received.add(left[0])
        elif not fits:
            unknown.append(text)
    return received, unknown


@dataclass(frozen=True, slots=True)
class _Ending:
    frame: Frame
    keeper: Keeper
    room: Room

    async def tell(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        text = visit.request.path_params["number"]
        if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX):
            raise Refused(Refusal.UNKNOWN_DIFFERENCE, "no such difference")
        told = {"outcome": forms.one(form, "outcome"), "note": forms.one(form, "note")}
        body = forms.read(models.EndingIn, told)
        await self.keeper.end(self.room, body.ending(int(text)), visit.actor)
        return RedirectResponse(CUSTODY if self.room is not Room.STOCKTAKE else f"{CUSTODY}/stocktakes", 303)


@dataclass(frozen=True, slots=True)
class _Lockers:
    frame: Frame
    keeper: Keeper

    async def holdings(self, visit: Visit) -> Response:
        found = await self.keeper.holdings(visit.request.path_params["locker"], visit.actor)
        called = await self.frame.office.store.read(register.called)
        values = {"found": found, "outcomes": list(Resolved), "called": called}
        return self.frame.page(visit, "custody_holdings.html", values)

    async def resolve(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        locker = visit.request.path_params["locker"]
        names = ("deposit", "outcome", "whereto", "taken_by", "note")
        body = forms.read(models.ResolutionIn, {name: forms.one(form, name) for name in names})
        await self.keeper.resolve(body.resolution(locker), visit.actor)
        return RedirectResponse(f"{ROOT}/lockers/{locker}/holdings", 303)

    async def evidence(self, visit: Visit) -> Response:
        case = visit.request.path_params["case"]
        return packed(case, await self.keeper.evidence(case, visit.actor))
