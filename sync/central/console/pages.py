"""The console's frame: who is signed in, in which language, and how a page is made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jinja2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from sync.central.api import STATUS
from sync.central.console import forms, texts
from sync.central.console.sessions import Session, Sessions, TooManyFailures
from sync.central.desk import Refused
from sync.central.office import Office

ROOT: Final = "/console"
SESSION_COOKIE: Final = "session"
LANGUAGE_COOKIE: Final = "language"
LANGUAGE_LASTS_S: Final = 365 * 86_400
_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in."""

    request: Request
    session: Session
    text: texts.Texts


Page = Callable[[Visit], Awaitable[Response]]


class Frame:
    """Adds pages to the application; every one of them but the sign-in asks for a session."""

    def __init__(self, app: Starlette, office: Office, password: str, utc_offset_minutes: int) -> None:
        self.office = office
        self._app = app
        self._offset = timedelta(minutes=utc_offset_minutes)
        self._sessions = Sessions(office.desk.clock, office.desk.chance, password)
        self._texts = texts.load()
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["moment"] = self.moment
        app.mount(f"{ROOT}/static", StaticFiles(directory=_FOLDER / "static"))
        for path, handler, method in (
            ("/", self._home, "GET"),
            (f"{ROOT}/login", self._sign_in_page, "GET"),
            (f"{ROOT}/login", self._sign_in, "POST"),
            (f"{ROOT}/logout", self._sign_out, "POST"),
            (f"{ROOT}/language", self._language, "GET"),
        ):
            app.add_route(path, handler, methods=[method], include_in_schema=False)

    def add(self, path: str, page: Page, method: str = "GET") -> None:
        async def guarded(request: Request) -> Response:
            session = self._sessions.find(request.cookies.get(SESSION_COOKIE, ""))
            if session is None:
                back = quote(request.url.path) if method == "GET" else ROOT
                return RedirectResponse(f"{ROOT}/login?next={back}", 303)
            visit = Visit(request, session, self._text(request))
            try:
                return await page(visit)
            except Refused as error:
                refused = {
                    "title": visit.text("page.refused"),
                    "detail": visit.text.word("refusal", error.reason),
                }
                return self.page(visit, "refused.html", refused, STATUS[error.reason])

        self._app.add_route(path, guarded, methods=[method], include_in_schema=False)

    def page(self, visit: Visit, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
        return self._render(visit.request, visit.text, template, {"session": visit.session, **values}, status)

    async def form(self, visit: Visit) -> dict[str, list[str]]:
        """What was sent. Raises BadForm, also where it was not our page that sent it."""
        form = forms.fields(await visit.request.body())
        if forms.one(form, "form_key") != visit.session.form_key:
            raise forms.BadForm(["form"])
        return form

    def moment(self, wall_ms: int) -> str:
        """Local time; empty for none."""
        try:
            local = datetime.fromtimestamp(wall_ms / 1000, UTC) + self._offset
        except (OverflowError, ValueError, OSError):
            return ""
        return local.strftime("%Y-%m-%d %H:%M:%S") if wall_ms else ""

    # --- pages without a session ---------------------------------------------------------------------------

    async def _home(self, _request: Request) -> Response:
        return RedirectResponse(ROOT, 303)

    async def _sign_in_page(self, request: Request) -> Response:
        return self._sign_in_again(request, _local(request.query_params.get("next", "")), "", 200)

    async def _sign_in(self, request: Request) -> Response:
        text = self._text(request)
        try:
            form = forms.fields(await request.body())
        except forms.BadForm:
            return self._sign_in_again(request, ROOT, text("why.form"), 422)
        onward = _local(forms.one(form, "next"))
        try:
            token = self._sessions.sign_in(form.get("password", [""])[0])
        except TooManyFailures as error:
            return self._sign_in_again(request, onward, text("page.wait", seconds=error.wait_s), 429)
        if token is None:
            return self._sign_in_again(request, onward, text("page.wrong_sign_in"), 403)
        answer = RedirectResponse(onward, 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(SESSION_COOKIE, token, path="/", httponly=True, samesite="strict", secure=secure)
        return answer

    def _sign_in_again(self, request: Request, onward: str, problem: str, status: int) -> Response:
        values = {"session": None, "next": onward, "problem": problem}
        return self._render(request, self._text(request), "login.html", values, status)

    async def _sign_out(self, request: Request) -> Response:
        token = request.cookies.get(SESSION_COOKIE, "")
        session = self._sessions.find(token)
        try:
            form = forms.fields(await request.body())
        except forms.BadForm:
            form = {}
        if session is not None and forms.one(form, "form_key") == session.form_key:
            self._sessions.sign_out(token)
        return RedirectResponse(f"{ROOT}/login", 303)

    async def _language(self, request: Request) -> Response:
        answer = RedirectResponse(_local(request.query_params.get("next", "")), 303)
        language = request.query_params.get("to", "")
        if language in texts.LANGUAGES:
            answer.set_cookie(LANGUAGE_COOKIE, language, LANGUAGE_LASTS_S, path="/", samesite="strict")
        return answer

    # -------------------------------------------------------------------------------------------------------

    def _text(self, request: Request) -> texts.Texts:
        language = request.cookies.get(LANGUAGE_COOKIE, "")
        return self._texts.get(language, self._texts[texts.LANGUAGES[0]])

    def _render(
        self, request: Request, text: texts.Texts, template: str, values: Mapping[str, Any], status: int
    ) -> Response:
        here = request.url.path
        others = [language for language in texts.LANGUAGES if language != text.language]
        frame = {"t": text, "root": ROOT, "here": here, "other_language": others[0], **values}
        return HTMLResponse(self._templates.get_template(template).render(frame), status)


def _local(path: str) -> str:
    """A page of this console; anything else leads to its first page."""
    inside = path == ROOT or path.startswith(f"{ROOT}/")
    return path if inside and path.isascii() and path.isprintable() and "\\" not in path else ROOT
