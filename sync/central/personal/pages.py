"""Pages that need no sign-in: one's own, by a link that nobody can guess, and the one for lost codes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from sync.central.access import audit
from sync.central.complaints import ratings, work
from sync.central.complaints.policy import Category
from sync.central.complaints.register import Complaint, Origin, register
from sync.central.console import forms, qr, texts
from sync.central.console.texts import Texts
from sync.central.desk import Desk, Refused
from sync.central.fleet import sites
from sync.central.fleet.watch import Watch
from sync.central.messages.templates import LANGUAGES, grouped, language_of
from sync.central.personal import case, link, lost
from sync.central.personal.limits import Limits, What
from sync.central.store import Store

LOCKERS_SHOWN: Final = 3
CASE_CHARACTERS: Final = 24
PHONE_CHARACTERS: Final = 20
TEXT_CHARACTERS: Final = 500
CODE: Final = "code"
"""What a form asks that changes nothing: it only shows."""
GRADES: Final = (5, 4, 3, 2, 1)
CATEGORIES: Final = tuple(each for each in Category if each is not Category.LOW_RATING)
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
_FOLDER: Final = Path(__file__).parent


def words() -> Mapping[str, Texts]:
    return texts.load(_FOLDER / "texts")


def add(app: Starlette, store: Store, desk: Desk, watch: Watch, utc_offset_minutes: int) -> None:
    pages = Pages(store, desk, watch, timedelta(minutes=utc_offset_minutes))
    app.mount(f"{link.ROOT}/static", StaticFiles(directory=_FOLDER / "static"))
    for path, handler, method in (
        ("/lost", pages.lost, "GET"),
        ("/lost", pages.ask_lost, "POST"),
        ("/{link}", pages.own, "GET"),
        ("/{link}", pages.do, "POST"),
    ):
        app.add_route(f"{link.ROOT}{path}", handler, methods=[method], include_in_schema=False)


@dataclass(slots=True)
class Pages:
    store: Store
    desk: Desk
    watch: Watch
    offset: timedelta
    limits: Limits = field(default_factory=Limits)
    words: Mapping[str, Texts] = field(default_factory=words)
    _templates: jinja2.Environment = field(init=False)

    def __post_init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["moment"] = self._moment

    # --- what is asked ---

    async def own(self, request: Request) -> Response:
        if not self._allows(What.VIEW, request):
            return self._busy(request)
        return await self._own(request, said=request.query_params.get("said", ""))

    async def do(self, request: Request) -> Response:
        """One form of somebody's own page."""
        if not self._allows(What.FORM, request):
            return self._busy(request)
        try:
            form = forms.fields(await request.body())
        except forms.BadForm:
            return self._gone(request)
        about = self._about(request)
        wanted = forms.one(form, "do")
        if about is None or wanted not in {CODE, *_DO}:
            return self._gone(request)
        if wanted == CODE:
            return await self._own(request, form=form, code=True)
        try:
            said = await self.store.write(lambda connection: _DO[wanted](self, connection, about, form))
        except Refused as error:
            said = error.reason.value
        if said == "gone":
            return self._gone(request)
        # So that going back, or a reload, sends nothing again.
        language = self._language(request, form)
        return RedirectResponse(f"{request.url.path}?l={language}&said={said}", 303, headers=HEADERS)

    async def lost(self, request: Request) -> Response:
        if not self._allows(What.VIEW, request):
            return self._busy(request)
        return self._render(request, "lost.html", {"said": request.query_params.get("said") == "lost"})

    async def ask_lost(self, request: Request) -> Response:
        """One answer always."""
        if not self._allows(What.FORM, request):
            return self._busy(request)
        try:
            form = forms.fields(await request.body())
        except forms.BadForm:
            form = {}
        named, phone = forms.one(form, "case"), forms.one(form, "phone")
        if 0 < len(named) <= CASE_CHARACTERS and 0 < len(phone) <= PHONE_CHARACTERS:
            await self.store.write(lambda connection: lost.ask(connection, self.desk, named, phone))
        language = self._language(request, form)
        return RedirectResponse(f"{link.ROOT}/lost?l={language}&said=lost", 303, headers=HEADERS)

    # --- one's own page ---

    async def _own(
        self,
        request: Request,
        *,
        said: str = "",
        form: Mapping[str, list[str]] | None = None,
        code: bool = False,
    ) -> Response:
        about = self._about(request)
        if about is None:
            return self._gone(request)
        if about.kind is link.Kind.COMPLAINT:
            return await self._complaint(request, about, said)
        now_ms = self.desk.clock.wall_ms()
        view = await self.store.read(lambda connection: case.look(connection, about, now_ms))
        if view is None:
            return self._gone(request)
        contact = self.desk.opened(view.sealed)
        shown: dict[str, Any] = {}
        if code and view.may_hand_in:
            await self.store.write(lambda connection: self._journal(connection, about, now_ms))
            shown = _code(contact, view)
        values = {
            "view": view,
            "said": said if said in _SAID else "",
            "shown": shown,
            "near": await self._near(view) if view.may_hand_in else [],
            "grades": GRADES,
            "categories": CATEGORIES,
            "link_of": lambda reference: link.path_of(self.desk, link.Kind.AUTHORISATION, reference),
        }
        return self._render(request, "own.html", values, wanted=language_of(contact), form=form)

    async def _complaint(self, request: Request, about: link.About, said: str) -> Response:
        now_ms = self.desk.clock.wall_ms()
        row = await self.store.read(lambda connection: case.complaint(connection, about, now_ms))
        if row is None:
            return self._gone(request)
        return self._render(request, "complaint.html", {"row": row, "said": said if said in _SAID else ""})

    async def _near(self, view: case.View) -> list[tuple[sites.Near, bool]]:
        """Lockers with room of the size, from the one that was chosen; and whether it is that one."""
        _, glances = await self.watch.since(0, lambda area: area == view.area)
        here = self.watch.places.get(view.locker)
        if here is None:
            return []
        places = self.watch.places
        found = sites.near(here.point, glances, places, size=view.size, area=view.area, most=LOCKERS_SHOWN)
        return [(near, near.place.locker == view.locker) for near in found]

    def _journal(self, connection: Connection, about: link.About, now_ms: int) -> None:
        audit.write(connection, now_ms, lost.APPLICANT, audit.Event.PERSONAL_LOOK, about.reference)

    # --- what its forms do; each names what is said then ---

    def lose(self, connection: Connection, about: link.About, form: Mapping[str, list[str]]) -> str:
        view = case.look(connection, about, self.desk.clock.wall_ms())
        phone = forms.one(form, "phone")
        if view is not None and 0 < len(phone) <= PHONE_CHARACTERS:
            lost.ask(connection, self.desk, view.case, phone)
        return "lost"

    def rate(self, connection: Connection, about: link.About, form: Mapping[str, list[str]]) -> str:
        view = case.look(connection, about, self.desk.clock.wall_ms())
        grade = forms.number(form, "grade")
        if view is None or not view.may_rate or grade not in GRADES:
            return "gone"
        text = forms.one(form, "text")[:TEXT_CHARACTERS]
        rated = ratings.Rated(about.kind.value, about.reference)
        ratings.rate(connection, self.desk, rated, int(grade), text)
        return "rated"

    def complain(self, connection: Connection, about: link.About, form: Mapping[str, list[str]]) -> str:
        view = case.look(connection, about, self.desk.clock.wall_ms())
        category, text = forms.one(form, "category"), forms.one(form, "text")
        if view is None or category not in CATEGORIES or not text:
            return "gone" if view is None else "nothing"
        told = Complaint(
            Category(category),
            text[:TEXT_CHARACTERS],
            phone=forms.one(form, "phone")[:PHONE_CHARACTERS] or self.desk.opened(view.sealed)["phone"],
            locker=view.locker,
            area=view.area,
            case=view.case,
        )
        register(connection, self.desk, told, lost.APPLICANT.who, Origin.PAGE)
        return "complained"

    def answer(self, connection: Connection, about: link.About, form: Mapping[str, list[str]]) -> str:
        if about.kind is not link.Kind.COMPLAINT:
            return "gone"
        satisfied = forms.one(form, "satisfied") == "yes"
        text = forms.one(form, "text")[:TEXT_CHARACTERS]
        work.answer(connection, self.desk, about.reference, satisfied=satisfied, text=text)
        return "answered"

    # --- how it is told ---

    def _about(self, request: Request) -> link.About | None:
        about = link.read(self.desk, request.path_params["link"])
        if about is None:
            self._allows(What.STRANGE, request)
        return about

    def _allows(self, what: What, request: Request) -> bool:
        address = request.client.host if request.client else ""
        return self.limits.allows(what, address, self.desk.clock.mono_ms())

    def _gone(self, request: Request) -> Response:
        """The same for a link that ended and for one that never was."""
        if not self._allows(What.STRANGE, request):
            return self._busy(request)
        return self._render(request, "told.html", {"told": "gone"}, status=404)

    def _busy(self, request: Request) -> Response:
        return self._render(request, "told.html", {"told": "busy"}, status=429)

    def _language(self, request: Request, form: Mapping[str, list[str]] | None, wanted: str = "") -> str:
        asked = (forms.one(form, "l") if form else "") or request.query_params.get("l", "")
        return asked if asked in LANGUAGES else wanted or LANGUAGES[0]

    def _render(
        self,
        request: Request,
        template: str,
        values: Mapping[str, Any],
        *,
        status: int = 200,
        wanted: str = "",
        form: Mapping[str, list[str]] | None = None,
    ) -> Response:
        language = self._language(request, form, wanted)
        text = self.words[language]
        other = next(each for each in LANGUAGES if each != language)
        frame = {"t": text, "root": link.ROOT, "here": request.url.path, "other": other, **values}
        return HTMLResponse(self._templates.get_template(template).render(frame), status, headers=HEADERS)

    def _moment(self, wall_ms: int) -> str:
        return (datetime.fromtimestamp(wall_ms / 1000, UTC) + self.offset).strftime("%Y-%m-%d %H:%M")


def _code(contact: Mapping[str, str], view: case.View) -> dict[str, Any]:
    """Only while nothing was handed in: until then it opens vacant compartments and nothing else."""
    drawn = Markup(qr.svg(contact["token"]))  # noqa: S704  # our own drawing of our own digits
    return {"typed": grouped(contact["typed"]) if view.state == "granted" else "", "scan": drawn}


_Do = Callable[[Pages, Connection, link.About, Mapping[str, list[str]]], str]
_DO: Final[Mapping[str, _Do]] = {
    "lost": Pages.lose,
    "rating": Pages.rate,
    "help": Pages.complain,
    "answer": Pages.answer,
}
_SAID: Final = frozenset(
    {"lost", "rated", "complained", "answered", "nothing", "already_rated", "not_now", "too_often"}
)
