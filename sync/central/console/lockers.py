"""One locker on its pages: its cabinet and doors, its history, what it was told, what it was asked to do."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Row, select
from starlette.responses import RedirectResponse, Response

from locker.domain.acts import ActKind
from locker.domain.compartment import Size
from sync.central import queries, staff
from sync.central.access import scope
from sync.central.access.matrix import Action, may
from sync.central.acts import approvals
from sync.central.acts.sending import Acts, View, Wish
from sync.central.bookings import desk as slots_desk
from sync.central.bookings.api import list_page
from sync.central.console import details, forms
from sync.central.console.pages import ROOT, Frame, Visit
from sync.central.console.texts import Texts
from sync.central.doors import bars
from sync.central.doors.life import lives
from sync.central.doors.tables import DOOR_BAR
from sync.central.hello import TOLD
from sync.central.ledger import current_epoch
from sync.central.paging import Asked
from sync.central.presence import presence
from sync.central.store import find
from sync.central.tables import LEDGER

HISTORY_ROWS: Final = 60
ORDERS_ROWS: Final = 40
NUMBER_DIGITS_MAX: Final = 9
SEQ_DIGITS_MAX: Final = 15
LONG_AGO_MS: Final = 1_000_000_000_000
"""A number of a fact that is larger is a time: 2001, in wall ms."""
Moment = Callable[[int], str]
_TABS: Final = (
    ("", "cabinet", Action.SEE_LOCKER),
    ("/history", "history", Action.SEE_LEDGER),
    ("/directives", "directives", Action.SEE_LOCKER),
    ("/acts", "acts", Action.SEE_LOCKER),
    ("/slots", "slots", Action.SEE_AUTHORISATION),
    ("/staff", "staff", Action.SEE_STAFF),
    ("/settings", "settings", Action.SEE_SETTINGS),
)


def add(frame: Frame, acts: Acts) -> None:
    pages, orders = _Pages(frame), _Orders(frame, acts)
    one = f"{ROOT}/lockers/{{locker}}"
    frame.add(one, Action.SEE_LOCKER, pages.cabinet)
    frame.add(f"{one}/doors/{{door}}", Action.SEE_LOCKER, pages.door)
    frame.add(f"{one}/history", Action.SEE_LEDGER, pages.history)
    frame.add(f"{one}/directives", Action.SEE_LOCKER, pages.directives)
    frame.add(f"{one}/slots", Action.SEE_AUTHORISATION, pages.slots)
    frame.add(f"{one}/staff", Action.SEE_STAFF, pages.staff)
    frame.add(f"{one}/doors/{{door}}/bar", Action.DIRECT_LOCKER, pages.bar, "POST")
    frame.add(f"{one}/confirm", Action.RESOLVE_LOCKER, pages.confirm, "POST")
    frame.add(f"{one}/acts", Action.SEE_LOCKER, orders.of_locker)
    frame.add(f"{one}/acts", Action.ASK_REMOTE_OPEN, orders.ask, "POST")
    frame.add(f"{ROOT}/acts", Action.SEE_LOCKER, orders.every)
    frame.add(f"{ROOT}/acts/{{act}}", Action.APPROVE_REMOTE_OPEN, orders.approve, "POST")
    frame.add(f"{ROOT}/bookings/{{booking}}/cancel", Action.BOOK_SLOT, pages.cancel_slot, "POST")


def head(visit: Visit, row: Row[Any], tab: str, now_ms: int) -> dict[str, Any]:
    """What every page of a locker begins with."""
    return {
        "locker": row.locker,
        "area": row.area,
        "presence": presence(row, now_ms).value,
        "tab": tab,
        "tabs": [(path, name) for path, name, action in _TABS if may(visit.actor, action)],
    }


@dataclass(frozen=True, slots=True)
class _Pages:
    frame: Frame

    def _now_ms(self) -> int:
        return self.frame.office.desk.clock.wall_ms()

    async def cabinet(self, visit: Visit) -> Response:
        name = visit.request.path_params["locker"]
        now_ms = self._now_ms()

        def look(connection: Connection) -> tuple[Any, ...]:
            row = scope.locker_row(connection, visit.actor, name)
            view = queries.overview(connection, name, now_ms)
            told = queries.tickets(connection, name), queries.alarms(connection, name)
            return row, view, current_epoch(connection, name), *told

        row, view, epoch, tickets, troubles = await self.frame.office.store.read(look)
        values = {
            **head(visit, row, "cabinet", now_ms),
            "view": view,
            "cabinets": _cabinets(view.doors),
            "lying": [door for door in view.doors if door.case],
            "tickets": tickets,
            "troubles": troubles,
            "says": partial(details.alarm, visit.text),
            "doubted": row.link_reason if row.link_reason in TOLD else "",
            "confirms": epoch if may(visit.actor, Action.RESOLVE_LOCKER) else "",
        }
        return self.frame.page(visit, "locker.html", values)

    async def door(self, visit: Visit) -> Response:
        return await self._door(visit, "", "")

    async def _door(self, visit: Visit, reason: str, problem: str) -> Response:
        name, number = visit.request.path_params["locker"], _number(visit)
        now_ms = self._now_ms()

        def look(connection: Connection) -> tuple[Row[Any], queries.Overview, Row[Any] | None]:
            row = scope.locker_row(connection, visit.actor, name)
            wanted = find(connection, DOOR_BAR, {"locker": name, "door": number})
            return row, queries.overview(connection, name, now_ms), wanted

        row, view, wanted = await self.frame.office.store.read(look)
        values = {
            **head(visit, row, "cabinet", now_ms),
            "door": next((door for door in view.doors if door.number == number), None),
            "wanted": wanted,
            "bars": may(visit.actor, Action.DIRECT_LOCKER),
            "opens": may(visit.actor, Action.ASK_REMOTE_OPEN),
            "reason": reason,
            "problem": problem,
        }
        return self.frame.page(visit, "locker_door.html", values, 422 if problem else 200)

    async def bar(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        name, number = visit.request.path_params["locker"], _number(visit)
        office = self.frame.office
        if forms.one(form, "what") == "unbar":
            await bars.unbar(office, visit.actor, name, number)
        else:
            reason = forms.one(form, "reason")
            if approvals.unfit_reason(reason):
                return await self._door(visit, reason, "why.act_reason")
            await bars.bar(office, visit.actor, name, number, reason)
        return RedirectResponse(f"{ROOT}/lockers/{name}/doors/{number}", 303)

    async def confirm(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        name = visit.request.path_params["locker"]
        await self.frame.office.confirm_history(name, forms.one(form, "epoch"), visit.actor)
        return RedirectResponse(f"{ROOT}/lockers/{name}", 303)

    async def history(self, visit: Visit) -> Response:
        name = visit.request.path_params["locker"]
        asked = visit.request.query_params.get("before", "")
        before = int(asked) if asked.isdigit() and len(asked) <= SEQ_DIGITS_MAX else 0

        def look(connection: Connection) -> tuple[Row[Any], Any]:
            row = scope.locker_row(connection, visit.actor, name)
            own = LEDGER.c
            query = select(own.seq, own.kind, own.case_number, own.public, own.received_ms, own.problem)
            query = query.where(own.locker == name, own.epoch == current_epoch(connection, name))
            if before:
                query = query.where(own.seq < before)
            return row, connection.execute(query.order_by(own.seq.desc()).limit(HISTORY_ROWS)).all()

        row, entries = await self.frame.office.store.read(look)
        told = [_entry(visit.text, self.frame.moment, entry) for entry in entries]
        older = entries[-1].seq if len(entries) == HISTORY_ROWS else 0
        values = {**head(visit, row, "history", self._now_ms()), "entries": told, "older": older}
        return self.frame.page(visit, "locker_history.html", values)

    async def directives(self, visit: Visit) -> Response:
        name = visit.request.path_params["locker"]
        office = self.frame.office

        def look(connection: Connection) -> tuple[Row[Any], Any]:
            row = scope.locker_row(connection, visit.actor, name)
            return row, lives(connection, office.desk, row, office.pump.sent_to(name), _asked(visit))

        row, found = await office.store.read(look)
        told = [(life, _words(visit.text, self.frame.moment, life.about)) for life in found.rows]
        values = {**head(visit, row, "directives", self._now_ms()), "lives": told, "older": found.next}
        return self.frame.page(visit, "locker_directives.html", values)

    async def slots(self, visit: Visit) -> Response:
        name = visit.request.path_params["locker"]
        office = self.frame.office

        def look(connection: Connection) -> tuple[Row[Any], Any]:
            row = scope.locker_row(connection, visit.actor, name)
            return row, list_page(connection, office, visit.actor, _asked(visit), name, "")

        row, found = await office.store.read(look)
        values = {
            **head(visit, row, "slots", self._now_ms()),
            "slots": found.rows,
            "older": found.next,
            "books": may(visit.actor, Action.BOOK_SLOT),
        }
        return self.frame.page(visit, "locker_slots.html", values)

    async def cancel_slot(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        await slots_desk.cancel(self.frame.office, visit.actor, visit.request.path_params["booking"])
        return RedirectResponse(f"{ROOT}/lockers/{forms.one(form, 'locker')[:32]}/slots", 303)

    async def staff(self, visit: Visit) -> Response:
        name = visit.request.path_params["locker"]

        def look(connection: Connection) -> tuple[Row[Any], Any]:
            row = scope.locker_row(connection, visit.actor, name)
            return row, staff.listed(connection, frozenset({name}))

        row, found = await self.frame.office.store.read(look)
        here = [(each, json.loads(each.row.roles)) for each in found if each.grants]
        values = {**head(visit, row, "staff", self._now_ms()), "people": here, "now_ms": self._now_ms()}
        return self.frame.page(visit, "locker_staff.html", values)


@dataclass(frozen=True, slots=True)
class _Orders:
    """Acts: asked for by one person, approved by two others."""

    frame: Frame
    acts: Acts

    async def of_locker(self, visit: Visit) -> Response:
        return await self._of_locker(visit, "", "")

    async def _of_locker(self, visit: Visit, reason: str, problem: str) -> Response:
        name = visit.request.path_params["locker"]
        row = await self.frame.office.store.read(lambda c: scope.locker_row(c, visit.actor, name))
        now_ms = self.frame.office.desk.clock.wall_ms()
        views = await self.acts.listed(visit.actor, name, ORDERS_ROWS)
        values = {
            **head(visit, row, "acts", now_ms),
            **_shown(visit, views, now_ms),
            "asks": may(visit.actor, Action.ASK_REMOTE_OPEN),
            "reason": reason,
            "problem": problem,
        }
        return self.frame.page(visit, "locker_acts.html", values, 422 if problem else 200)

    async def every(self, visit: Visit) -> Response:
        now_ms = self.frame.office.desk.clock.wall_ms()
        values = _shown(visit, await self.acts.listed(visit.actor, ""), now_ms)
        return self.frame.page(visit, "acts.html", values)

    async def ask(self, visit: Visit) -> Response:
        form = await self.frame.form(visit)
        name = visit.request.path_params["locker"]
        reason = " ".join(forms.one(form, "reason").split())[: bars.REASON_CHARACTERS_MAX]
        if approvals.unfit_reason(reason):
            return await self._of_locker(visit, reason, "why.act_reason")
        is_test = forms.one(form, "kind") == ActKind.SELF_TEST.value
        door = forms.number(form, "door")
        kind = ActKind.SELF_TEST if is_test else ActKind.OPEN
        await self.acts.request(Wish(name, kind, door if isinstance(door, int) else 0, reason), visit.actor)
        return RedirectResponse(f"{ROOT}/acts", 303)

    async def approve(self, visit: Visit) -> Response:
        """What the page showed is what they agree to, word for word."""
        form = await self.frame.form(visit)
        door = forms.number(form, "door")
        thing = approvals.Thing(
            forms.one(form, "locker"),
            door if isinstance(door, int) else 0,
            form.get("reason", [""])[0],
            forms.one(form, "nonce"),
        )
        await self.acts.approve(visit.request.path_params["act"], thing, visit.actor)
        return RedirectResponse(f"{ROOT}/acts", 303)


def _shown(visit: Visit, views: Iterable[View], now_ms: int) -> dict[str, Any]:
    """Those that wait for people, with what is left of their quarter of an hour; and all others."""
    every = list(views)
    who, approves = visit.actor.who, may(visit.actor, Action.APPROVE_REMOTE_OPEN)
    waiting = [
        {
            "view": view,
            "minutes": _minutes_left(view.row.requested_ms, now_ms),
            "mine": view.row.requested_by == who,
            "agreed": who in view.approvers,
        }
        for view in every
        if view.row.state == approvals.State.QUEUED.value
    ]
    past = [view for view in every if view.row.state != approvals.State.QUEUED.value]
    return {"waiting": waiting, "past": past, "approves": approves}


def _minutes_left(requested_ms: int, now_ms: int) -> int:
    """Rounded up: with none left it cannot be approved any more."""
    left_ms = requested_ms + approvals.APPROVE_WITHIN_MS - now_ms
    return max(0, -(-left_ms // 60_000))


def _asked(visit: Visit) -> Asked:
    return Asked(ORDERS_ROWS, visit.request.query_params.get("cursor", ""))


def _number(visit: Visit) -> int:
    text = visit.request.path_params["door"]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX else 0


def _cabinets(doors: Iterable[queries.Door]) -> list[tuple[str, list[list[queries.Door]]]]:
    """Doors as they hang: by cabinet, row by row."""
    return [
        (cabinet, [list(row) for _, row in groupby(hung, key=lambda door: door.row)])
        for cabinet, hung in groupby(doors, key=lambda door: door.cabinet)
    ]


def _entry(text: Texts, moment: Moment, entry: Row[Any]) -> dict[str, Any]:
    """One entry in people's words; one that nobody can read is shown as what it is."""
    try:
        body = json.loads(entry.public)
        data, time, quality = body["data"], body["time"], body["tq"]
    except (ValueError, KeyError, TypeError):
        data, time, quality = {}, 0, ""
    return {
        "seq": entry.seq,
        "kind": text.word("kind", entry.kind) if entry.kind else text("locker_page.unreadable"),
        "case": entry.case_number,
        "at_ms": time if isinstance(time, int) and quality in {"ntp", "centre", "rtc"} else 0,
        "received_ms": entry.received_ms,
        "told": _words(text, moment, data if isinstance(data, Mapping) else {}),
        "problem": entry.problem,
    }


def _words(text: Texts, moment: Moment, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The parts of a fact that a person wants to know, in their words."""
    known = {**text.words["key"], **text.words["fact"]}
    plain = {
        key: value for key, value in data.items() if isinstance(value, str | int) and value not in {"", 0}
    }
    return [
        (known[key], _word(text, moment, key, value))
        for key, value in plain.items()
        if key in known and not isinstance(value, bool)
    ]


def _word(text: Texts, moment: Moment, key: str, value: str | int) -> str:
    if isinstance(value, int):
        # A compartment's size is a number on the wire and a letter to people; a time is one of many digits.
        size = Size(value).name if key == "size" and value in set(Size) else ""
        return size or (moment(value) if value > LONG_AGO_MS else str(value))
    outcome, _, why = value.partition(": ")
    if key == "outcome" and why:
        return f"{text.word('directive_state', outcome)} · {text.word('directive_why', why)}"
    return text.word("value", value)
