"""The console's frame: who is signed in, in which language, and how a page is made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jinja2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from sync.central.access.accounts import AccountRefused
from sync.central.access.actor import Actor
from sync.central.access.api import STATUS as ACCOUNT_STATUS
from sync.central.access.front import Front
from sync.central.access.gate import ForeignPage, NotAllowed, NotSignedIn
from sync.central.access.matrix import Action, may
from sync.central.access.sessions import Session
from sync.central.api import STATUS
from sync.central.console import forms, texts
from sync.central.desk import Refused
from sync.central.office import Office

ROOT: Final = "/console"
LANGUAGE_COOKIE: Final = "language"
LANGUAGE_LASTS_S: Final = 365 * 86_400
_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in and may make it."""

    request: Request
    session: Session
    text: texts.Texts

    @property
    def actor(self) -> Actor:
        return self.session.account.actor


Page = Callable[[Visit], Awaitable[Response]]
Form = Mapping[str, list[str]]


class Frame:
    """Adds pages to the application; every one names the action it is."""

    def __init__(self, app: Starlette, office: Office, front: Front, utc_offset_minutes: int) -> None:
        self.office = office
        self.front = front
        self.app = app
        self.offset = timedelta(minutes=utc_offset_minutes)
        self._texts = texts.load()
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["moment"] = self.moment
        self._templates.filters["second"] = self.second
        self._templates.filters["may"] = lambda session, action: may(session.account.actor, Action(action))
        app.mount(f"{ROOT}/static", StaticFiles(directory=_FOLDER / "static"))
        for path, handler in (("/", self._home), (f"{ROOT}/language", self._language)):
            app.add_route(path, handler, methods=["GET"], include_in_schema=False)

    def add(self, path: str, action: Action, page: Page, method: str = "GET") -> None:
        # The first argument tells the action to whoever walks the routes: see `sync.central.access.gate`.
        endpoint = partial(self._guarded, action, page)
        self.app.add_route(path, endpoint, methods=[method], include_in_schema=False)

    async def _guarded(self, action: Action, page: Page, request: Request) -> Response:
        gate, text = self.front.gate, self.text(request)
        try:
            session = await gate.by_session(request)
            await gate.permit(session.account.actor, action, request)
        except NotSignedIn:
            back = quote(request.url.path) if request.method in {"GET", "HEAD"} else ROOT
            return RedirectResponse(f"{ROOT}/login?next={back}", 303)
        except (NotAllowed, ForeignPage) as error:
            why = text("refusal.foreign" if isinstance(error, ForeignPage) else "refusal.forbidden")
            refused = {"session": None, "title": text("page.refused"), "detail": why}
            return self.render(request, "refused.html", refused, 403)
        visit = Visit(request, session, text)
        try:
            return await page(visit)
        except Refused as error:
            detail = text.word("refusal", error.reason)
            refused = {"title": text("page.refused"), "detail": detail}
            return self.page(visit, "refused.html", refused, STATUS[error.reason])
        except AccountRefused as error:
            refused = {"title": text("page.refused"), "detail": text.word("refusal", error.reason)}
            return self.page(visit, "refused.html", refused, ACCOUNT_STATUS[error.reason])
        except forms.BadForm:
            refused = {"title": text("page.refused"), "detail": text("why.form")}
            return self.page(visit, "refused.html", refused, 422)

    def page(self, visit: Visit, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
        return self.render(visit.request, template, {"session": visit.session, **values}, status)

    async def form(self, visit: Visit) -> dict[str, list[str]]:
        """What was sent. Raises BadForm, also where it was not our page that sent it."""
        form = forms.fields(await visit.request.body())
        if forms.one(form, "form_key") != visit.session.form_key:
            raise forms.BadForm(["form"])
        return form

    def moment(self, wall_ms: int) -> str:
        """Local time to the minute; empty for none."""
        return self.second(wall_ms)[:16]

    def second(self, wall_ms: int) -> str:
        """Local time for what is told second by second: journals, trails, what was heard just now."""
        try:
            local = datetime.fromtimestamp(wall_ms / 1000, UTC) + self.offset
        except (OverflowError, ValueError, OSError):
            return ""
        return local.strftime("%Y-%m-%d %H:%M:%S") if wall_ms else ""

    async def _home(self, _request: Request) -> Response:
        return RedirectResponse(ROOT, 303)

    async def _language(self, request: Request) -> Response:
        answer = RedirectResponse(local(request.query_params.get("next", "")), 303)
        language = request.query_params.get("to", "")
        if language in texts.LANGUAGES:
            answer.set_cookie(LANGUAGE_COOKIE, language, LANGUAGE_LASTS_S, path="/", samesite="strict")
        return answer

    def text(self, request: Request) -> texts.Texts:
        language = request.cookies.get(LANGUAGE_COOKIE, "")
        return self._texts.get(language, self._texts[texts.LANGUAGES[0]])

    def render(self, request: Request, template: str, values: Mapping[str, Any], status: int) -> Response:
        """A page; ``values["session"]`` is None for somebody who is not signed in."""
        text, session = self.text(request), values["session"]
        others = [language for language in texts.LANGUAGES if language != text.language]
        menu = _menu(session.account.actor) if session else []
        frame = {
            "t": text,
            "root": ROOT,
            "here": request.url.path,
            "other_language": others[0],
            "menu": menu,
            "under": _here(request.url.path, menu),
            **values,
        }
        return HTMLResponse(self._templates.get_template(template).render(frame), status)

    def part(self, visit: Visit, template: str, values: Mapping[str, Any]) -> str:
        """A piece of a page, for one that renews itself."""
        return self._templates.get_template(template).render({"t": visit.text, "root": ROOT, **values})


_MENU: Final = (
    (
        "fleet",
        (
            ("", "lockers", Action.SEE_LOCKERS),
            ("/alarms", "alarms", Action.SEE_LOCKERS),
            ("/acts", "acts", Action.SEE_LOCKER),
            ("/figures", "figures", Action.SEE_FIGURES),
            ("/settings", "settings", Action.SEE_SETTINGS),
            ("/certificates", "certificates", Action.SEE_CERTIFICATES),
        ),
    ),
    (
        "hall",
        (
            ("/cases", "cases", Action.SEE_CASES),
            ("/awaiting", "awaiting", Action.SEE_CASES),
            ("/supplements", "supplements", Action.SEE_CASES),
            ("/deferrals", "deferrals", Action.SEE_CASES),
            ("/outgoing", "outgoing_list", Action.SEE_ITEMS),
            ("/pre-reviews/new", "pre_review", Action.AUTHORISE),
            ("/outgoing/new", "outgoing", Action.ANNOUNCE_ITEM),
            ("/imports", "imports", Action.IMPORT_CASES),
            ("/custody", "custody", Action.SEE_CUSTODY),
            ("/custody/stocktakes", "stocktakes", Action.SEE_CUSTODY),
            ("/complaints", "complaints", Action.SEE_TICKETS),
            ("/solutions", "solutions", Action.SEE_TICKETS),
        ),
    ),
    (
        "people",
        (("/staff", "staff", Action.SEE_STAFF), ("/staff/new", "enrol", Action.ENROL_STAFF)),
    ),
    (
        "administration",
        (
            ("/accounts", "accounts", Action.SEE_ACCOUNTS),
            ("/places", "places", Action.SEE_PLACES),
            ("/keys", "keys", Action.SEE_KEYS),
            ("/access", "access", Action.SEE_ACCESS),
            ("/workdays", "workdays", Action.SEE_CALENDAR),
            ("/audit", "audit", Action.SEE_AUDIT),
            ("/messages", "messages", Action.SEE_MESSAGES),
            ("/webhooks", "webhooks", Action.SEE_MESSAGES),
        ),
    ),
)


_LISTED: Final = {"/authorisations": "/cases", "/owed": "/supplements", "/items": "/outgoing"}
"""Where pages of one thing lie in the menu, if not under their own path."""


def _menu(actor: Actor) -> list[tuple[str, list[tuple[str, str]]]]:
    """By group: paths and words of what this person may do."""
    groups = [
        (group, [(path, word) for path, word, action in entries if may(actor, action)])
        for group, entries in _MENU
    ]
    return [(group, entries) for group, entries in groups if entries]


def _here(path: str, menu: list[tuple[str, list[tuple[str, str]]]]) -> str:
    """The entry of the menu that a page lies under: the longest that its path begins with, or none."""
    under = path.removeprefix(ROOT)
    known = [entry for _, entries in menu for entry, _ in entries]
    for single, listed in _LISTED.items():
        if under.startswith(f"{single}/") and under not in known:
            under = f"{listed}{under.removeprefix(single)}"
    # The first page is the list of lockers: theirs lie under it, though its own path is empty.
    fits = [entry for entry in known if under == entry or under.startswith(f"{entry or '/lockers'}/")]
    return max(fits, key=len, default="nowhere")


def local(path: str) -> str:
    """A page of this console; anything else leads to its first page."""
    inside = path == ROOT or path.startswith(f"{ROOT}/")
    return path if inside and path.isascii() and path.isprintable() and "\\" not in path else ROOT
