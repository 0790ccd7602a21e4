"""The kiosk over HTTP on loopback: one page, its view, and what it posts.

======  ==================  =================================================================================
GET     ``/``               the page
GET     ``/api/view``       the current view (see `kiosk_ui.view.view_of`): ``screen``, ``visit``, ``lang``,
                            ``title``, ``lead``, ``refused`` (null or ``{"reason", "wait_s"}``), ``door``,
                            ``acts`` ``[{"act", "label", "look", "data"}]``, ``rows``, ``facts``, ``papers``,
                            ``entry`` (keypad), ``receipt``, ``cabinet``, ``ask`` …
GET     ``/api/events``     the view as server-sent events named ``view``: at once, then after every change
GET     ``/api/qr?visit=``  SVG of the signed receipt or slip on the screen; 404 where there is none
GET     ``/healthz``        ``{"ok", "seq"}``; 503 while nothing can be recorded
POST    ``/api/code``       ``{"typed": "11 digits"}`` or ``{"scanned": "digits"}``, with ``phone4`` if wanted
POST    ``/api/act``        ``{"act": …, …}``; ``visit`` may name the visit it is meant for
POST    ``/api/alive``      ``{}``, by the page itself every ten seconds: its script runs, and it paints; 204
======  ==================  =================================================================================

Acts and what they carry: ``open``, ``load_open`` (``lower``: bool, optional); ``again``, ``confirm_in``,
``taken``, ``take_back``, ``still_inside``, ``refusing`` (ask for the reason), ``back``, ``not_empty``,
``load``, ``menu``, ``sign_out``, ``stay``, ``leave`` (nothing); ``refuse`` (``reason``: not_mine, damaged,
incomplete); ``phone4``, ``pin`` (``digits``); ``language`` (``lang``); ``round`` (``kind``: intake, withdraw,
check); ``intake_open``, ``withdraw_open`` (``deposit``); ``check_open`` (``door``: number);
``intake_confirm`` (``finding``: complete, missing, wrong, empty); ``withdraw_confirm``;
``check_confirm`` (``empty``: bool).
Of a round: ``round_go``, ``round_end``, ``skipping``, ``resume``, ``load_low``, ``name_seen`` (nothing);
``skip`` (``why``: stuck, nothing_inside, not_mine, other; ``deposit``); ``round_undo`` (``deposit``: one
of their own findings; optional, else the last); ``correct`` (``finding``: complete, missing, wrong, undone;
``deposit``).
Of an applicant, beside their visit: ``help``, ``lost``, ``sheet_back`` (nothing); ``help_about``
(``category``: code, door, not_empty, wrong_item, papers, other); ``help_phone`` (``digits``, optional);
``lost_case``, ``lost_phone`` (``digits``); ``rate`` (``grade``: 5 … 1).
A technician's: ``service`` (``tab``: doors, boards, sensors, versions, self_test; ``page``: number, from 0);
``service_door`` (``door``); ``test_open``, ``unblock`` (``door``, optional); ``blocking`` (ask why);
``block`` (``why``: lock, leaf, sensor, dirty, other); ``self_test``, ``self_test_stop`` (nothing).
Of several people: ``stocktake``, ``stock_go``, ``stock_end``, ``vouch``, ``second``, ``second_back``,
``second_leave``, ``assist``, ``window``, ``window_open``, ``window_close`` (nothing); ``stock_begin``
(``scope``: doubts, all); ``stock_open`` (``door``); ``stock_skip`` (``door``, optional); ``stock_say``
(``found``: empty, expected, missing, unknown_item, removed, unsure; ``door``, optional); ``second_pin``
(``digits``).
A load is confirmed by scanning its label again. Which acts a screen takes: `kiosk_ui.offers.ACTS`.

A POST carries the header ``x-kiosk-boot`` with the view's ``boot``, which is new at every start: a press made
on the page of an earlier start does nothing. It answers 200 with the new view, also where the locker refused
(``refused`` says why). A body that does not fit answers 4xx with problem JSON ``{"reason", "detail"}`` and
changes nothing: 400 for its form (reasons ``not_json``, ``unknown_act``, ``unknown_field``,
``missing_field``, ``wrong_type``, ``wrong_value``, ``wrong_code``, ``too_long``), 413 ``too_large``, 415
``content_type``, 409 ``not_here`` for an act that this screen does not have, 409 ``other_visit`` and
``other_boot``, 403 and 421 for other origins and hosts.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, select_autoescape
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from kiosk_ui import qr, round_page, texts
from kiosk_ui.acts import BadRequest, NotHere, read_code, read_press
from kiosk_ui.backroom import Backroom
from kiosk_ui.guard import Guard, json_body, problem
from kiosk_ui.kiosk import Kiosk
from kiosk_ui.view import Settings, View
from locker.domain.entry import Entry
from locker.domain.state import LockerState
from locker.operations.ports import World

HEARTBEAT_S: Final = 15
RETRY_MS: Final = 500
"""A page whose daemon was restarted should not keep its visitor waiting."""
_STATUS: Final = {"content_type": 415, "too_large": 413}

Subscribe = Callable[[Callable[[LockerState, tuple[Entry, ...]], None]], Callable[[], None]]


def create_app(
    world: World,
    subscribe: Subscribe,
    settings: Settings,
    failing: Callable[[], bool] = lambda: False,
    backroom: Backroom = Backroom(),  # noqa: B008  # frozen, and empty
    lives: Callable[[], None] = lambda: None,
) -> Starlette:
    """The kiosk of one locker; ``app.state.kiosk`` is its `Kiosk`, ``app.state.boot`` the word of this start.

    ``subscribe`` is the journal's, ``failing`` says whether it cannot be written,
    ``backroom`` is what technicians see of the machine, ``lives`` hears each sign of life of the page.
    Call it on the event loop.
    Before the server stops, ``app.state.kiosk.close()`` lets the event streams end.
    """
    kiosk = Kiosk(world, settings, texts.load_all(), failing, backroom)
    unsubscribe = subscribe(kiosk.entries_committed)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        unsubscribe()
        kiosk.close()

    boot = world.secrets.new_id()
    pages = _Pages(kiosk, world, failing, boot, lives)
    app = Starlette(
        routes=[
            Route("/", pages.page),
            Route("/healthz", pages.health),
            Route("/api/view", pages.view),
            Route("/api/events", pages.events),
            Route("/api/qr", pages.receipt_code),
            Route("/api/code", pages.code, methods=["POST"]),
            Route("/api/act", pages.act, methods=["POST"]),
            Route("/api/alive", pages.alive, methods=["POST"]),
            Mount("/static", StaticFiles(directory=Path(str(files("kiosk_ui") / "static")))),
        ],
        middleware=[Middleware(Guard, boot=boot)],
        exception_handlers={BadRequest: _bad_request, NotHere: _not_here},
        lifespan=lifespan,
    )
    app.state.kiosk, app.state.boot = kiosk, boot
    return app


class _Pages:
    """The handlers; each reads, asks the kiosk, and answers."""

    def __init__(
        self,
        kiosk: Kiosk,
        world: World,
        failing: Callable[[], bool],
        boot: str,
        lives: Callable[[], None],
    ) -> None:
        self._kiosk, self._world, self._failing, self._boot = kiosk, world, failing, boot
        self._lives = lives
        loader = PackageLoader("kiosk_ui")
        self._templates = Environment(loader=loader, autoescape=select_autoescape())

    async def page(self, request: Request) -> Response:
        del request
        view = self._told(self._kiosk.view())
        return HTMLResponse(self._templates.get_template("kiosk.html").render(view=view))

    def _told(self, view: View) -> View:
        return {**view, "boot": self._boot}

    async def health(self, request: Request) -> Response:
        del request
        failing = self._failing()
        body = {"ok": not failing, "seq": self._world.journal.state.seq}
        return JSONResponse(body, 503 if failing else 200)

    async def view(self, request: Request) -> Response:
        del request
        return JSONResponse(self._told(self._kiosk.view()))

    async def events(self, request: Request) -> Response:
        del request
        return EventSourceResponse(self._events(), ping=HEARTBEAT_S)

    async def _events(self) -> AsyncIterator[ServerSentEvent]:
        async for view in self._kiosk.views():
            text = json.dumps(self._told(view), ensure_ascii=False)
            yield ServerSentEvent(text, event="view", retry=RETRY_MS)

    async def receipt_code(self, request: Request) -> Response:
        visit = self._kiosk.visit
        number = round_page.slip_code(visit, self._world.journal.state)
        if number and request.query_params.get("visit") == visit.visit:
            return Response(qr.svg(number), media_type="image/svg+xml")
        if visit.receipt is None or request.query_params.get("visit") != visit.visit:
            return problem(404, "no_receipt", "no receipt of this visit is at hand")
        signed = visit.receipt
        return Response(
            qr.svg(f"{signed.text}\n{signed.key}\n{signed.signature}"), media_type="image/svg+xml"
        )

    async def code(self, request: Request) -> Response:
        shown = read_code(await json_body(request))
        await self._kiosk.code(shown)
        return JSONResponse(self._told(self._kiosk.view()))

    async def act(self, request: Request) -> Response:
        press, visit = read_press(await json_body(request))
        if visit and visit != self._kiosk.visit.visit:
            return problem(409, "other_visit", "that visit has ended")
        await self._kiosk.act(press)
        return JSONResponse(self._told(self._kiosk.view()))

    async def alive(self, request: Request) -> Response:
        if await json_body(request):
            raise BadRequest("unknown_field", "a sign of life carries nothing")
        self._lives()
        return Response(status_code=204)


async def _bad_request(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, BadRequest)  # noqa: S101  # registered for this type only
    return problem(_STATUS.get(error.reason, 400), error.reason, error.detail)


async def _not_here(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, NotHere)  # noqa: S101  # registered for this type only
    return problem(409, "not_here", f"“{error.act}” is nothing that the screen “{error.screen}” takes")
