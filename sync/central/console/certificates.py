"""Certificates with their end, claims that nobody has taken yet; a new claim, the end of a locker's."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from sync.central.access.matrix import Action, may
from sync.central.authority import bearers, releasing
from sync.central.authority.bearers import State
from sync.central.authority.settings import CLAIM_HOURS_MAX, Bureau
from sync.central.console import forms
from sync.central.console.pages import ROOT, Frame, Visit

CERTIFICATES: Final = f"{ROOT}/certificates"
SHOWN: Final = 300
CLAIM_HOURS: Final = 72
TOLD: Final = ("told", "later", "asked", "released", "released_later")
"""What became of it, on the page after."""
Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,24}$")]


class ClaimForm(BaseModel):
    """Of a locker that is to come in."""

    model_config = ConfigDict(extra="forbid")

    locker: Name
    area: Name
    hours: Annotated[int, Field(ge=1, le=CLAIM_HOURS_MAX)]


def add(frame: Frame, bureau: Bureau | None) -> None:
    pages = _Pages(frame, bureau)
    frame.add(CERTIFICATES, Action.SEE_CERTIFICATES, pages.every)
    frame.add(f"{CERTIFICATES}/claims", Action.MANAGE_CERTIFICATES, pages.claim, "POST")
    frame.add(f"{CERTIFICATES}/revoked", Action.MANAGE_CERTIFICATES, pages.revoke, "POST")
    frame.add(f"{CERTIFICATES}/releases", Action.MANAGE_CERTIFICATES, pages.ask_release, "POST")
    frame.add(f"{CERTIFICATES}/released", Action.MANAGE_CERTIFICATES, pages.release, "POST")


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame
    bureau: Bureau | None

    async def every(self, visit: Visit) -> Response:
        return await self._every(visit, {}, ())

    async def claim(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        values = {
            "locker": forms.one(form, "locker"),
            "area": forms.one(form, "area"),
            "hours": forms.number(form, "hours"),
        }
        try:
            body = forms.read(ClaimForm, values)
        except forms.BadForm as error:
            return await self._every(visit, form, error.problems)
        office = self.frame.office
        slip = await office.store.write(
            lambda c: bearers.make_claim(
                c, office.desk, self.bureau, visit.actor, body.locker, body.area, body.hours
            )
        )
        return self.frame.page(visit, "certificates_claim.html", {"slip": slip})

    async def revoke(self, visit: Visit) -> Response:
        form, office = await self.frame.form(visit), self.frame.office
        locker, why = forms.one(form, "locker"), forms.one(form, "why")
        if not why:
            raise forms.BadForm(["why"])
        told = await office.store.write(
            lambda c: bearers.revoke(c, office.desk, self.bureau, visit.actor, locker, why)
        )
        return RedirectResponse(f"{CERTIFICATES}?ended={'told' if told else 'later'}", 303)

    async def ask_release(self, visit: Visit) -> Response:
        form, office = await self.frame.form(visit), self.frame.office
        locker, why = forms.one(form, "locker"), forms.one(form, "why")
        if not why:
            raise forms.BadForm(["why"])
        await office.store.write(lambda c: releasing.ask(c, office.desk, visit.actor, locker, why))
        return RedirectResponse(f"{CERTIFICATES}?ended=asked", 303)

    async def release(self, visit: Visit) -> Response:
        form, office = await self.frame.form(visit), self.frame.office
        asked = forms.one(form, "release")
        told = await office.store.write(
            lambda c: bearers.release(c, office.desk, self.bureau, visit.actor, asked)
        )
        return RedirectResponse(f"{CERTIFICATES}?ended={'released' if told else 'released_later'}", 303)

    async def _every(self, visit: Visit, form: Any, problems: Any) -> Response:
        asked = visit.request.query_params
        wanted, named = asked.get("state", ""), asked.get("q", "").strip()
        now_ms = self.frame.office.desk.clock.wall_ms()

        def look(connection: Connection) -> bearers.Seen:
            return bearers.look(connection, visit.actor, now_ms)

        seen = await self.frame.office.store.read(look)
        rows = [each for each in seen.bearers if wanted in {"", each.state.value} and named in each.name]
        place = self.bureau.place if self.bureau and self.bureau.place.is_there else None
        values = {
            "bearers": rows[:SHOWN],
            "more": max(0, len(rows) - SHOWN),
            "counts": {each.value: sum(row.state is each for row in seen.bearers) for each in State},
            "state": wanted if wanted in list(State) else "",
            "q": named,
            "claims": seen.claims,
            "waiting": seen.waiting,
            "is_there": place is not None,
            "ended": asked.get("ended", "") if asked.get("ended") in TOLD else "",
            "releases": seen.releases,
            "hours": CLAIM_HOURS,
            "hours_max": CLAIM_HOURS_MAX,
            "manages": may(visit.actor, Action.MANAGE_CERTIFICATES),
            "form": form,
            "problems": problems,
        }
        return self.frame.page(visit, "certificates.html", values, 422 if problems else 200)
