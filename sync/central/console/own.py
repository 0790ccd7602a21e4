"""One's own account: what one may do, password, second factor, signing out everywhere."""

from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from sync.central.access import factor
from sync.central.access.front import Means
from sync.central.access.matrix import Action
from sync.central.access.passwords import WeakPassword
from sync.central.access.sign_in import Busy, WrongSignIn
from sync.central.access.tables import ACCOUNT
from sync.central.access.throttle import TooManyFailures
from sync.central.console import forms, login, qr
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.store import find

OWN: Final = f"{ROOT}/own"


def add(frame: Frame, means: Means) -> None:
    pages = _Pages(frame, means)
    for path, page, method in (
        (OWN, pages.shown, "GET"),
        (f"{OWN}/password", pages.password, "POST"),
        (f"{OWN}/factor", pages.enrolling, "GET"),
        (f"{OWN}/factor", pages.enrol, "POST"),
        (f"{OWN}/sign-out", pages.sign_out, "POST"),
    ):
        frame.add(path, Action.OWN_ACCOUNT, page, method)


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame
    means: Means

    async def shown(self, visit: Visit) -> Response:
        return await self._shown(visit, "", 200)

    async def password(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        try:
            new, old = login.new_password(form), form.get("old", [""])[0]
            entered = await self.frame.front.sign_in.change_password(visit.session.token, new, old)
        except (WrongSignIn, TooManyFailures, Busy, WeakPassword) as error:
            return await self._shown(visit, *login.why(visit.text, error))
        return login.admitted(self.frame, RedirectResponse(f"{OWN}?done=password", 303), entered)

    async def enrolling(self, visit: Visit) -> Response:
        return await self._factor(visit, "", 200)

    async def enrol(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        try:
            entered = await self.frame.front.sign_in.enrol(visit.session.token, forms.one(form, "code"))
        except (WrongSignIn, TooManyFailures) as error:
            return await self._factor(visit, *login.why(visit.text, error))
        told = {"session": None, "codes": entered.recovery_codes, "next": OWN}
        page = self.frame.render(visit.request, "recovery.html", told, 200)
        return login.admitted(self.frame, page, entered)

    async def sign_out(self, visit: Visit) -> Response:
        await self.frame.form(visit)
        await self.frame.front.sign_in.sign_out_everywhere(visit.session)
        return RedirectResponse(login.LOGIN, 303)

    async def _shown(self, visit: Visit, problem: str, status: int) -> Response:
        row = await self._row(visit)
        account = visit.session.account
        values = {
            "account": account,
            "roles": sorted(account.roles),
            "areas": sorted(account.areas),
            "elsewhere": bool(row.subject),
            "factor": bool(row.totp_sealed),
            "done": visit.request.query_params.get("done", "") == "password",
            "problem": problem,
        }
        return self.frame.page(visit, "own.html", values, status)

    async def _factor(self, visit: Visit, problem: str, status: int) -> Response:
        try:
            secret = await self.frame.front.sign_in.second_factor(visit.session.token)
        except WrongSignIn:
            # There is one already: an administrator drops it first.
            return RedirectResponse(OWN, 303)
        told = factor.uri(secret, visit.session.account.account)
        drawn = Markup(qr.svg(told))  # noqa: S704  # our own drawing of our own text
        values = {"secret": secret, "code": drawn, "problem": problem}
        return self.frame.page(visit, "login_enrol.html", values, status)

    async def _row(self, visit: Visit) -> Any:
        return await self.means.store.read(
            lambda c: find(c, ACCOUNT, {"account": visit.session.account.account})
        )
