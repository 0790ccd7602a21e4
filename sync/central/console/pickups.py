"""What may be said of a result that waits for its recipient, and of a right: pages of their own."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from sync.central import cases
from sync.central.access import scope
from sync.central.access.matrix import Action, may
from sync.central.console import forms
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.office import Repeatable
from sync.central.pickups import agents, codes, holds
from sync.central.pickups import models as m
from sync.central.pickups.desk import Pickups
from sync.central.pickups.rights import may_lengthen

ITEM: Final = f"{ROOT}/items/{{item}}/pickup"
RIGHT: Final = f"{ROOT}/authorisations/{{authorisation}}/change"


def add(frame: Frame) -> None:
    pages = _Pages(frame, Pickups(frame.office))
    frame.add(ITEM, Action.SEE_ITEM, pages.item)
    frame.add(f"{ITEM}/reissue", Action.REISSUE_CODE, pages.reissue, "POST")
    frame.add(f"{ITEM}/agents", Action.ENTRUST, pages.entrust, "POST")
    frame.add(f"{ITEM}/agents/{{entrustment}}/end", Action.ENTRUST, pages.end, "POST")
    frame.add(f"{ITEM}/hold", Action.CHANGE_ITEM, pages.hold, "POST")
    frame.add(f"{ITEM}/recall", Action.CHANGE_ITEM, pages.recall, "POST")
    frame.add(RIGHT, Action.SEE_AUTHORISATION, pages.right)
    frame.add(f"{RIGHT}/extension", Action.CHANGE_AUTHORISATION, pages.extend, "POST")
    frame.add(f"{RIGHT}/revocation", Action.CHANGE_AUTHORISATION, pages.revoke, "POST")


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame
    pickups: Pickups

    async def item(self, visit: Visit) -> Response:
        name, office = visit.request.path_params["item"], self.frame.office
        now_ms = office.desk.clock.wall_ms()

        def look(connection: Connection) -> dict[str, Any]:
            row = scope.item_row(connection, visit.actor, name)
            return {
                "row": row,
                "agents": [(each, agents.lives(each, now_ms)) for each in agents.of_item(connection, name)],
                "orders": codes.of_item(connection, name),
                "recalled": holds.recalled(connection, name),
                "hold_days": holds.days_of(row),
            }

        values = await office.store.read(look)
        state = values["row"].state
        allowed = {action.value for action in _ACTIONS if may(visit.actor, action)}
        values |= {
            "may_reissue": state == "awaiting_pickup" and Action.REISSUE_CODE in allowed,
            "may_entrust": state in agents.OPEN and Action.ENTRUST in allowed,
            "may_change": state in holds.COLLECTABLE and Action.CHANGE_ITEM in allowed,
            "once": office.desk.chance.new_id(),
        }
        return self.frame.page(visit, "pickups_item.html", values)

    async def reissue(self, visit: Visit) -> Response:
        item, form = await self._item(visit)
        values = {
            "reason": forms.one(form, "reason"),
            "stolen": forms.one(form, "stolen") == "yes",
            "entrustment": forms.one(form, "entrustment"),
        }
        body = forms.read(m.ReissueIn, values)
        await self.pickups.reissue(body.lost(item), visit.actor, _once(form, item + body.model_dump_json()))
        return _back(item)

    async def entrust(self, visit: Visit) -> Response:
        item, form = await self._item(visit)
        agent = {"name": forms.one(form, "name"), "phone": forms.one(form, "phone")}
        values = {"agent": agent, "valid_hours": forms.number(form, "valid_hours")}
        body = forms.read(m.EntrustIn, values)
        once = _once(form, item + body.model_dump_json())
        await self.pickups.entrust(body.entrusting(item), visit.actor, once)
        return _back(item)

    async def end(self, visit: Visit) -> Response:
        item, form = await self._item(visit)
        body = forms.read(m.ReasonGiven, {"reason": forms.one(form, "reason")})
        entrustment = visit.request.path_params["entrustment"]
        await self.pickups.end(item, entrustment, body.reason, visit.actor)
        return _back(item)

    async def hold(self, visit: Visit) -> Response:
        item, form = await self._item(visit)
        body = forms.read(m.HoldIn, {"hold_days": forms.number(form, "hold_days")})
        await self.pickups.hold(item, body.hold_days, visit.actor)
        return _back(item)

    async def recall(self, visit: Visit) -> Response:
        item, form = await self._item(visit)
        body = forms.read(m.ReasonGiven, {"reason": forms.one(form, "reason")})
        await self.pickups.recall(item, body.reason, visit.actor)
        return _back(item)

    async def right(self, visit: Visit) -> Response:
        name, office = visit.request.path_params["authorisation"], self.frame.office
        row = await office.store.read(lambda c: scope.authorisation_row(c, visit.actor, name))
        now_ms = office.desk.clock.wall_ms()
        changes = not row.ended and may(visit.actor, Action.CHANGE_AUTHORISATION)
        values = {
            "row": row,
            "state": cases.state_of(row, now_ms),
            "may_extend": changes and may_lengthen(row, now_ms),
            "may_revoke": changes and row.valid_until_ms > now_ms,
        }
        return self.frame.page(visit, "pickups_right.html", values)

    async def extend(self, visit: Visit) -> Response:
        form, name = await self.frame.form(visit), visit.request.path_params["authorisation"]
        body = forms.read(m.ExtensionIn, {"valid_hours": forms.number(form, "valid_hours")})
        await self.pickups.extend(name, body.valid_hours, visit.actor)
        return RedirectResponse(f"{ROOT}/authorisations/{name}/change", 303)

    async def revoke(self, visit: Visit) -> Response:
        form, name = await self.frame.form(visit), visit.request.path_params["authorisation"]
        body = forms.read(m.ReasonGiven, {"reason": forms.one(form, "reason")})
        await self.pickups.revoke(name, body.reason, visit.actor)
        return RedirectResponse(f"{ROOT}/authorisations/{name}/change", 303)

    async def _item(self, visit: Visit) -> tuple[str, dict[str, list[str]]]:
        return visit.request.path_params["item"], await self.frame.form(visit)


_ACTIONS: Final = (Action.REISSUE_CODE, Action.ENTRUST, Action.CHANGE_ITEM)


def _once(form: dict[str, list[str]], body: str) -> Repeatable:
    key = forms.one(form, "once")[:32]
    return Repeatable(f"console/{key}" if key else "", body)


def _back(item: str) -> Response:
    return RedirectResponse(f"{ROOT}/items/{item}/pickup", 303)
