"""Outgoing items as a working list, and what becomes of those that left a locker uncollected."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from sync.central import outgoing
from sync.central.access import scope
from sync.central.access.matrix import Action, may
from sync.central.console import forms
from sync.central.console.intake import list_values, locker_names, page_of, wanted_of
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.custody.parties import Kind
from sync.central.custody.tables import HELD
from sync.central.desk import locker_row
from sync.central.onward import hands, lists, moves, ways
from sync.central.onward.api import MoveIn
from sync.central.onward.ways import Signal, State
from sync.central.store import find
from sync.central.windows import register

ITEMS: Final = f"{ROOT}/items"


def add(frame: Frame) -> None:
    pages = _Pages(frame)
    frame.add(f"{ROOT}/outgoing", Action.SEE_ITEMS, pages.every)
    frame.add(f"{ITEMS}/{{item}}/onward", Action.SEE_ITEM, pages.one)
    frame.add(f"{ITEMS}/{{item}}/onward", Action.CHANGE_ITEM, pages.move, "POST")


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame

    async def every(self, visit: Visit) -> Response:
        wanted, desk = wanted_of(visit, lists.STATES), self.frame.office.desk

        def look(connection: Connection) -> dict[str, Any]:
            page = lists.outgoing(connection, desk, visit.actor, wanted, page_of(visit))
            return list_values(wanted, page, lists.STATES, locker_names(connection, visit))

        values = await self.frame.office.store.read(look)
        values["named"] = {row.item: outgoing.results_of(row) for row in values["rows"]}
        values["uncollected"] = moves.UNCOLLECTED
        return self.frame.page(visit, "outgoing_list.html", values)

    async def one(self, visit: Visit) -> Response:
        item = visit.request.path_params["item"]

        def look(connection: Connection) -> tuple[Any, Any, dict[str, Any]]:
            row = scope.item_row(connection, visit.actor, item)
            area = locker_row(connection, row.locker).area
            every = register.every(connection, visit.actor)
            beside = {
                "held": find(connection, HELD, {"thing": f"result/{item}"}),
                "called": register.called(connection),
                "windows": [each for each in every if (each.kind, each.area) == (Kind.WINDOW, area)],
            }
            return row, moves.onward_row(connection, item), beside

        row, onward, beside = await self.frame.office.store.read(look)
        state = State(onward.state) if onward else State.NOWHERE
        outside = row.state in moves.OUTSIDE
        steps = [step for step in ways.signals(state) if outside or step in ways.MAY_LIE_INSIDE]
        if row.state not in moves.UNCOLLECTED or not may(visit.actor, Action.CHANGE_ITEM):
            steps = []
        values = {
            **beside,
            "receives": any(hands.GIVES.get(step) is Kind.WINDOW for step in steps),
            "row": row,
            "named": outgoing.results_of(row),
            "onward": onward,
            "state": state.value,
            "steps": [step.value for step in steps if step is not Signal.POST],
            "posts": Signal.POST in steps,
            "uncollected": row.state in moves.UNCOLLECTED,
            "inside": row.state in moves.UNCOLLECTED and not outside,
        }
        return self.frame.page(visit, "item_onward.html", values)

    async def move(self, visit: Visit) -> Response:
        form, item = await self.frame.form(visit), visit.request.path_params["item"]
        values = {
            "step": forms.one(form, "step"),
            "carrier": forms.one(form, "carrier") or None,
            "tracking": forms.one(form, "tracking") or None,
            "remark": forms.one(form, "remark"),
            "window": forms.one(form, "window") or None,
        }
        body, desk = forms.read(MoveIn, values), self.frame.office.desk
        await self.frame.office.store.write(lambda c: moves.move(c, desk, visit.actor, item, body.asked()))
        return RedirectResponse(f"{ITEMS}/{item}/onward", 303)
