"""The panel's HTTP side. Every act answers with the door as it is afterwards; what does not fit is a 4xx."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from hw_sim.faults import BadFaultsError
from hw_sim.hands import ACTS, NoSuchDoorError, RefusedError
from hw_sim.panel import scan
from hw_sim.physics import Reading
from hw_sim.rig import NoSuchLineError, Rig
from hw_sim.scanner import Scanner
from hw_sim.web import BAD_REQUEST, NOT_FOUND, Broadcast, json_object, refused, say_refused

STATIC: Final = Path(__file__).parent / "static"
CONFLICT: Final = 409
FRAMES_SHOWN: Final = 60
NUMBER_LONGEST: Final = 4


def build(rig: Rig, broadcast: Broadcast, scanner: Scanner | None = None) -> Starlette:
    """The application; `broadcast` must be fed by the rig (`rig.listen(broadcast.tell)`)."""
    panel = _Panel(rig, broadcast)
    routes: list[Route | Mount] = [
        Route("/state", panel.state),
        Route("/doors/{number}/sensors", panel.sensors, methods=["POST"]),
        Route("/doors/{number}/{act}", panel.act, methods=["POST"]),
        Route("/faults", panel.faults),
        Route("/faults", panel.set_faults, methods=["POST"]),
        Route("/faults", panel.clear_faults, methods=["DELETE"]),
        Route("/pulses", panel.rows("pulses")),
        Route("/moves", panel.rows("moves")),
        Route("/frames", panel.rows("frames")),
        Route("/events", panel.events),
        *scan.routes(scanner),
        Mount("/", StaticFiles(directory=STATIC, html=True)),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: say_refused})


class _Panel:
    def __init__(self, rig: Rig, broadcast: Broadcast) -> None:
        self._rig = rig
        self._broadcast = broadcast

    async def state(self, _request: Request) -> Response:
        faults = self._rig.faults()
        lines = [
            {
                "name": name,
                "port": port,
                "baud": self._rig.wire(name).baud,
                "transport": self._rig.layout.wire(name).transport,
                "boards": self._boards(name),
                "faults": asdict(faults[name]),
            }
            for name, port in self._rig.ports.items()
        ]
        shown = self._rig.latest("frames")[-FRAMES_SHOWN:]
        return JSONResponse(
            {"layout": self._rig.layout.name, "doors": self._rig.doors(), "lines": lines, "frames": shown}
        )

    def _boards(self, line: str) -> list[dict[str, Any]]:
        plans = [plan for plan in self._rig.layout.boards if plan.line == line]
        return [
            {
                "address": plan.address,
                "profile": plan.profile,
                "family": plan.kind.family,
                "reports": plan.kind.reports,
            }
            for plan in plans
        ]

    async def act(self, request: Request) -> Response:
        number, act = _number(request), request.path_params["act"]
        if act not in ACTS:
            raise refused(NOT_FOUND, f"unknown act {act!r}; known are {', '.join(ACTS)}")
        try:
            return JSONResponse(self._rig.act(number, act))
        except NoSuchDoorError as error:
            raise refused(NOT_FOUND, str(error)) from None
        except RefusedError as error:
            raise refused(CONFLICT, str(error)) from None

    async def sensors(self, request: Request) -> Response:
        wish = await json_object(request)
        if unknown := sorted(set(wish) - {"door", "item"}):
            raise refused(BAD_REQUEST, f"unknown sensor {unknown[0]!r}; known are door, item")
        door, item = (_reading(name, wish.get(name)) for name in ("door", "item"))
        try:
            return JSONResponse(self._rig.break_sensors(_number(request), door, item))
        except NoSuchDoorError as error:
            raise refused(NOT_FOUND, str(error)) from None

    async def faults(self, _request: Request) -> Response:
        return JSONResponse({name: asdict(faults) for name, faults in self._rig.faults().items()})

    async def set_faults(self, request: Request) -> Response:
        wish = await json_object(request)
        line = wish.pop("line", None)
        if line is not None and not isinstance(line, str):
            raise refused(BAD_REQUEST, "line is a name")
        try:
            self._rig.set_faults(wish, line)
        except BadFaultsError as error:
            raise refused(BAD_REQUEST, str(error)) from None
        except NoSuchLineError as error:
            raise refused(NOT_FOUND, str(error)) from None
        return self._faults_changed()

    async def clear_faults(self, _request: Request) -> Response:
        self._rig.clear_faults()
        return self._faults_changed()

    def rows(self, what: str) -> Callable[[Request], Awaitable[Response]]:
        """The newest rows of a record; `?after=N` leaves out those up to number N."""

        async def answer(request: Request) -> Response:
            after = request.query_params.get("after", "0")
            if not (after.isascii() and after.isdigit()):
                raise refused(BAD_REQUEST, "after is a row number")
            return JSONResponse([row for row in self._rig.latest(what) if row["n"] > int(after)])

        return answer

    async def events(self, _request: Request) -> Response:
        return self._broadcast.stream()

    def _faults_changed(self) -> Response:
        now: Mapping[str, Any] = {name: asdict(faults) for name, faults in self._rig.faults().items()}
        self._broadcast.tell("faults", now)
        return JSONResponse(now)


def _number(request: Request) -> int:
    text = request.path_params["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_LONGEST):
        raise refused(NOT_FOUND, "doors have numbers from 1")
    return int(text)


def _reading(sensor: str, value: Any) -> Reading | None:
    if value is None:
        return None
    if value not in tuple(Reading):
        raise refused(BAD_REQUEST, f"{sensor} is one of {', '.join(Reading)}")
    return Reading(value)
