"""Signing in and out at the console: a page a step, and nothing but the next step until the last is done."""

from collections.abc import Awaitable, Callable
from typing import Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync.central.access import factor
from sync.central.access.front import BACK
from sync.central.access.gate import ForeignPage
from sync.central.access.identity import Unreachable
from sync.central.access.passwords import WeakPassword
from sync.central.access.sessions import BROWSER_KNOWN_MS, STEP_LASTS_MS, Session, Stage
from sync.central.access.sign_in import Busy, Client, Entered, WrongSignIn
from sync.central.access.throttle import TooManyFailures
from sync.central.console import forms, qr
from sync.central.console.pages import ROOT, Frame, local
from sync.central.console.texts import Texts

LOGIN: Final = f"{ROOT}/login"
BROWSER_COOKIE: Final = "browser"
LEAVING_COOKIE: Final = "leaving"
PAGE: Final = {
    Stage.CODE: f"{LOGIN}/code",
    Stage.PASSWORD: f"{LOGIN}/password",
    Stage.ENROL: f"{LOGIN}/enrol",
    Stage.OPEN: ROOT,
}
REFUSED: Final = (WrongSignIn, TooManyFailures, Busy, WeakPassword, forms.BadForm, ForeignPage)
Form = dict[str, list[str]]


def add(frame: Frame) -> None:
    steps = _Steps(frame)
    for path, handler, method in (
        (LOGIN, steps.blank, "GET"),
        (LOGIN, steps.password, "POST"),
        (PAGE[Stage.CODE], steps.at(Stage.CODE), "GET"),
        (PAGE[Stage.CODE], steps.code, "POST"),
        (PAGE[Stage.PASSWORD], steps.at(Stage.PASSWORD), "GET"),
        (PAGE[Stage.PASSWORD], steps.own_password, "POST"),
        (PAGE[Stage.ENROL], steps.at(Stage.ENROL), "GET"),
        (PAGE[Stage.ENROL], steps.enrol, "POST"),
        (f"{LOGIN}/identity", steps.leave, "GET"),
        (BACK, steps.back, "GET"),
        (f"{ROOT}/logout", steps.sign_out, "POST"),
    ):
        frame.app.add_route(path, handler, methods=[method], include_in_schema=False)


class _Steps:
    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._sign_in = frame.front.sign_in
        self._gate = frame.front.gate

    async def blank(self, request: Request) -> Response:
        return self._again(request, "login.html", local(request.query_params.get("next", "")), "", 200)

    async def password(self, request: Request) -> Response:
        form: Form = {}

        async def enter() -> Entered:
            form.update(await self._form(request))
            client = Client(
                request.client.host if request.client else "", request.cookies.get(BROWSER_COOKIE, "")
            )
            given = form.get("password", [""])[0]
            return await self._sign_in.with_password(forms.one(form, "name"), given, client)

        return await self._step(request, form, "login.html", enter)

    async def code(self, request: Request) -> Response:
        form: Form = {}

        async def enter() -> Entered:
            form.update(await self._form(request))
            return await self._sign_in.with_code(self._token(request), forms.one(form, "code"))

        return await self._step(request, form, "login_code.html", enter)

    async def own_password(self, request: Request) -> Response:
        form: Form = {}

        async def enter() -> Entered:
            form.update(await self._form(request))
            return await self._sign_in.change_password(self._token(request), new_password(form))

        return await self._step(request, form, "login_password.html", enter)

    async def enrol(self, request: Request) -> Response:
        form: Form = {}

        async def enter() -> Entered:
            form.update(await self._form(request))
            return await self._sign_in.enrol(self._token(request), forms.one(form, "code"))

        return await self._step(request, form, "login_enrol.html", enter)

    def at(self, stage: Stage) -> Callable[[Request], Awaitable[Response]]:
        """The page of a step, for who stands there."""

        async def page(request: Request) -> Response:
            session = await self._sign_in.find(self._token(request))
            if session is None or session.stage is not stage:
                return RedirectResponse(PAGE[session.stage] if session else LOGIN, 303)
            onward = local(request.query_params.get("next", ""))
            return self._again(request, f"login_{stage}.html", onward, "", 200, await self._drawn(session))

        return page

    async def sign_out(self, request: Request) -> Response:
        try:
            self._gate.require_own_page(request)
            form = forms.fields(await request.body())
        except (forms.BadForm, ForeignPage):
            form = {}
        session = await self._sign_in.find(self._token(request))
        if session is not None and forms.one(form, "form_key") == session.form_key:
            await self._sign_in.sign_out(session.token)
        return RedirectResponse(LOGIN, 303)

    # --- the city's own identity ---------------------------------------------------------------------------

    async def leave(self, request: Request) -> Response:
        onward = local(request.query_params.get("next", ""))
        elsewhere = self._frame.front.elsewhere
        if elsewhere is None:
            return RedirectResponse(LOGIN, 303)
        try:
            leaving = await elsewhere.leave(onward)
        except Unreachable:
            problem = self._frame.text(request)("page.no_identity")
            return self._again(request, "login.html", onward, problem, 502)
        answer = RedirectResponse(leaving.url, 303)
        # Lax: the browser comes back from another site, and a strict cookie would stay behind.
        answer.set_cookie(
            LEAVING_COOKIE,
            leaving.token,
            STEP_LASTS_MS // 1000,
            path=BACK,
            httponly=True,
            samesite="lax",
            secure=self._gate.secure,
        )
        return answer

    async def back(self, request: Request) -> Response:
        asked, elsewhere = request.query_params, self._frame.front.elsewhere
        if elsewhere is None:
            return RedirectResponse(LOGIN, 303)
        text = self._frame.text(request)
        try:
            entered, onward = await elsewhere.back(
                request.cookies.get(LEAVING_COOKIE, ""),
                asked.get("state", ""),
                asked.get("code", ""),
                request.cookies.get(BROWSER_COOKIE, ""),
            )
        except WrongSignIn:
            return self._again(request, "login.html", ROOT, text("page.not_vouched"), 403)
        except Unreachable:
            return self._again(request, "login.html", ROOT, text("page.no_identity"), 502)
        # A page of ours that leads on: what another site began carries no strict cookie.
        values = {"session": None, "next": onward}
        answer = admitted(self._frame, self._frame.render(request, "onward.html", values, 200), entered)
        answer.delete_cookie(LEAVING_COOKIE, path=BACK)
        return answer

    # --------------------------------------------------------------------------------------------------------

    async def _step(
        self, request: Request, form: Form, template: str, enter: Callable[[], Awaitable[Entered]]
    ) -> Response:
        """The next step, or this one again with what was wrong."""
        try:
            entered = await enter()
        except REFUSED as error:
            return await self._refused(request, template, local(forms.one(form, "next")), error)
        onward = local(forms.one(form, "next"))
        if entered.recovery_codes:
            answer: Response = self._frame.render(
                request,
                "recovery.html",
                {"session": None, "codes": entered.recovery_codes, "next": onward},
                200,
            )
        elif entered.stage is Stage.OPEN:
            answer = RedirectResponse(onward, 303)
        else:
            answer = RedirectResponse(f"{PAGE[entered.stage]}?next={onward}", 303)
        return admitted(self._frame, answer, entered)

    async def _refused(self, request: Request, template: str, onward: str, error: Exception) -> Response:
        text = self._frame.text(request)
        session = await self._sign_in.find(self._token(request))
        drawn = await self._drawn(session) if session else {}
        if isinstance(error, WrongSignIn) and template != "login.html" and not session:
            return RedirectResponse(LOGIN, 303)  # it took too long
        return self._again(request, template, onward, *why(text, error), drawn)

    def _again(
        self,
        request: Request,
        template: str,
        onward: str,
        problem: str,
        status: int,
        more: dict[str, object] | None = None,
    ) -> Response:
        values = {
            "session": None,
            "next": onward,
            "problem": problem,
            "elsewhere": self._frame.front.elsewhere,
            "secret": "",
            "code": "",
            **(more or {}),
        }
        return self._frame.render(request, template, values, status)

    async def _drawn(self, session: Session) -> dict[str, object]:
        """What an app scans, on the page where it is enrolled."""
        if session.stage is not Stage.ENROL:
            return {}
        secret = await self._sign_in.second_factor(session.token)
        told = factor.uri(secret, session.account.account)
        drawn = Markup(qr.svg(told))  # noqa: S704  # our own drawing of our own text
        return {"secret": secret, "code": drawn}

    async def _form(self, request: Request) -> Form:
        """Raises BadForm, ForeignPage."""
        self._gate.require_own_page(request)
        return forms.fields(await request.body())

    def _token(self, request: Request) -> str:
        return request.cookies.get(self._gate.cookie, "")


def new_password(form: Form) -> str:
    """Typed twice. Raises WeakPassword where the two differ."""
    new, again = form.get("new", [""])[0], form.get("again", [""])[0]
    if new != again:
        raise WeakPassword("different")
    return new


def admitted(frame: Frame, answer: Response, entered: Entered) -> Response:
    """With the cookies of the session."""
    _cookie(frame, answer, frame.front.gate.cookie, entered.token, None)
    if entered.browser:
        _cookie(frame, answer, BROWSER_COOKIE, entered.browser, BROWSER_KNOWN_MS // 1000)
    return answer


def _cookie(frame: Frame, answer: Response, name: str, value: str, lasts_s: int | None) -> None:
    answer.set_cookie(
        name, value, lasts_s, path="/", httponly=True, samesite="strict", secure=frame.front.gate.secure
    )


def why(text: Texts, error: Exception) -> tuple[str, int]:
    """What a person is told of a refusal, and the status it goes out with."""
    if isinstance(error, TooManyFailures):
        return text("page.wait", seconds=error.wait_s), 429
    if isinstance(error, Busy):
        return text("page.wait", seconds=1), 429
    if isinstance(error, WeakPassword):
        return text.word("weak", error.reason), 422
    if isinstance(error, forms.BadForm):
        return text("why.form"), 422
    return text("refusal.foreign" if isinstance(error, ForeignPage) else "page.wrong_sign_in"), 403
