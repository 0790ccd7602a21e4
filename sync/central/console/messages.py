"""Messages to people: which wait, which nobody took, which a clerk must tell; and sending one again."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from sync.central.access.matrix import Action, may
from sync.central.console import forms
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.messages import board


def add(frame: Frame) -> None:
    pages = _Pages(frame)
    frame.add(f"{ROOT}/messages", Action.SEE_MESSAGES, pages.listed)
    frame.add(f"{ROOT}/messages", Action.REPLAY_MESSAGE, pages.replay, "POST")


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame

    async def listed(self, visit: Visit) -> Response:
        asked = visit.request.query_params.get("state", "")
        state = asked if asked in board.STATES else board.STATES[0]
        now_ms = self.frame.office.desk.clock.wall_ms()
        found = await self.frame.office.store.read(lambda c: board.board(c, visit.actor, state, now_ms))
        values = {
            "board": found,
            "state": state,
            "states": board.STATES,
            "may_replay": may(visit.actor, Action.REPLAY_MESSAGE) and state in {*board.REPLAYABLE, "failing"},
            "may_see_case": may(visit.actor, Action.SEE_CASE),
        }
        return self.frame.page(visit, "messages.html", values)

    async def replay(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        key, state = forms.one(form, "key"), forms.one(form, "state")
        desk = self.frame.office.desk
        now_ms = desk.clock.wall_ms()
        await self.frame.office.store.write(lambda c: board.replay(c, desk, visit.actor, key, now_ms))
        return RedirectResponse(f"{ROOT}/messages?state={state if state in board.STATES else ''}", 303)
