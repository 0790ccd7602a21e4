"""The kiosk: one visit at a time, what a press does to it, and every watcher of the page told at once."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Final

from kiosk_ui import (
    asking,
    assist,
    flow,
    following,
    rounds,
    screens,
    second,
    service,
    staff,
    stocktaking,
    visitors,
    window,
)
from kiosk_ui.acts import CodeShown, NotHere, Press
from kiosk_ui.backroom import Backroom
from kiosk_ui.flow import Signal, Step
from kiosk_ui.looking import Link, Looking
from kiosk_ui.names import Act
from kiosk_ui.offers import hears, hears_bag, takes
from kiosk_ui.screens import Visit, at_work, screen_of
from kiosk_ui.texts import Texts
from kiosk_ui.view import Now, Settings, View, view_of
from locker.domain.codes import parse_bag
from locker.domain.entry import Entry
from locker.domain.errors import Reason, Refusal
from locker.domain.events import (
    DoorLeftOpen,
    DoorOpened,
    OpeningRequested,
    OpeningUnknown,
    ReceiptIssued,
    ServiceWindowClosed,
)
from locker.domain.opening import Purpose
from locker.domain.state import LockerState
from locker.operations import drop_off, sign_in
from locker.operations.ports import JournalFailing, World
from locker.operations.present_code import keypad_wait_s

log = logging.getLogger(__name__)

_WAYS_OUT: Final = frozenset({Act.LEAVE, Act.SIGN_OUT})
"""Also the answers to "are you still there?", on whatever screen that was asked."""
Does = Callable[[World, Visit, Press], Awaitable[Visit]]


class Kiosk:
    """Presses come one after the other; the journal's callback and time move the page in between."""

    def __init__(
        self,
        world: World,
        settings: Settings,
        texts: Mapping[str, Texts],
        failing: Callable[[], bool] = lambda: False,
        backroom: Backroom = Backroom(),  # noqa: B008  # frozen, and empty
    ) -> None:
        self._looking = Looking(world.clock, backroom, self._is_looked_at, self._changed, self._spawn)
        self._staff_does = {**_STAFF_DOES, **service.testing(backroom.tester)}
        self._asked_does = asking.does(backroom.contact)
        self._world, self._settings, self._texts, self._failing = world, settings, texts, failing
        self._language = settings.language
        self._visit = Visit()
        self._begun: Visit | None = None
        self._one_at_a_time = asyncio.Lock()
        self._last_act_ms = world.clock.mono_ms()
        self._ask_ends_ms = 0
        self._cancel_alarm: Callable[[], None] = lambda: None
        self._watchers: set[asyncio.Event] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._made = 0
        self._link = Link(world.clock, backroom, self._changed)
        self._find_interrupted(world.journal.state)

    # --- what the page sees ----------------------------------------------------------------------------

    @property
    def visit(self) -> Visit:
        return self._visit

    def view(self) -> View:
        """The view now; ``rev`` tells a later one from an earlier."""
        clock, state = self._world.clock, self._world.journal.state
        now = Now(
            clock.mono_ms(),
            keypad_wait_s(self._world),
            self._ask_ends_ms,
            self._failing(),
            self._looking.sight(),
            offline=self._link.offline,
        )
        now = replace(now, asks_mono_ms=0 if self._ask_ends_ms else self._asks_mono_ms())
        self._made += 1
        view = view_of(self._visit, state, now, self._texts[self._language], self._settings)
        return {**view, "rev": self._made}

    async def views(self) -> AsyncIterator[View]:
        """The view now and after every change, the newest only; ends with `close`."""
        changed = asyncio.Event()
        changed.set()
        self._watchers.add(changed)
        try:
            while True:
                await changed.wait()
                if self._closed:
                    return
                changed.clear()
                yield self.view()
        finally:
            self._watchers.discard(changed)

    def close(self) -> None:
        """Let every watcher go. Called when the daemon stops, before its server does."""
        self._closed = True
        self._cancel_alarm()
        self._looking.stop()
        self._link.stop()
        self._changed()

    # --- what a person does ----------------------------------------------------------------------------

    async def code(self, shown: CodeShown) -> None:
        """A code was typed or scanned. Raises NotHere while somebody's visit is under way."""
        async with self._one_at_a_time:
            state = self._world.journal.state
            if (bag := parse_bag(shown.scanned)) and hears_bag(self._visit, state):
                await self._do(lambda world, visit: visitors.bag(world, visit, bag), keeps=True)
                return
            if not hears(self._visit, state):
                raise NotHere("code", screen_of(self._visit, state))
            does = staff.code if self._visit.staff else visitors.code
            self._visit = replace(self._visit, form=None)
            await self._do(lambda world, visit: does(world, visit, shown))

    async def act(self, press: Press) -> None:
        """A button was pressed. Raises NotHere for one that this screen does not have."""
        async with self._one_at_a_time:
            state = self._world.journal.state
            ends = bool(self._ask_ends_ms) and press.act in _WAYS_OUT
            if not ends and not takes(press.act, self._visit, state):
                raise NotHere(press.act, screen_of(self._visit, state))
            if press.act is Act.LANGUAGE:
                self._language = str(press.data["lang"])
            elif press.act in _WAYS_OUT:
                await self._end()
            elif press.act in self._asked_does:
                await self._do(lambda w, v: self._asked_does[press.act](w, v, press), keeps=True)
            elif press.act is not Act.STAY:
                does = (self._staff_does if self._visit.staff else VISITOR_DOES)[press.act]
                await self._do(lambda world, visit: does(world, visit, press))
                await self._looking.follow_test()
        self._touch()

    async def _do(self, step: Callable[[World, Visit], Awaitable[Visit]], *, keeps: bool = False) -> None:
        """Run one operation on the visit; a journal that fails becomes its page.

        ``keeps``: what the last press was answered with stands on.
        """
        before = self._visit
        begun = replace(before, visit=before.visit or self._world.secrets.new_id())
        begun = begun if keeps else replace(begun, refusal=None, said="")
        self._begun = begun
        try:
            after = await step(self._world, begun)
            if before.deposit and before.deposit != after.deposit:
                # A visit that turned to something else gives back what it only had set aside.
                await drop_off.leave(self._world, before.deposit)
            if (helper := before.together.helper) and not after.together.helper:
                # Another visit than the one that they stood beside.
                await sign_in.sign_out(self._world, helper)
        except JournalFailing:
            log.exception("the journal cannot be written: the page says so, no door opens")
            after = visitors.refused(self._world, replace(begun, form=None), Refusal(Reason.JOURNAL_FAILING))
        finally:
            self._begun = None
        # What the journal told of this visit while the operation ran is kept.
        same = (self._visit.deposit, self._visit.door) == (after.deposit, after.door)
        self._visit = replace(
            after,
            receipt=self._visit.receipt if same else None,
            opened_mono_ms=self._visit.opened_mono_ms if same else 0,
        )
        if self._visit.step is Step.HOME and self._visit.refusal is None and self._visit.form is None:
            self._visit = Visit()
        self._touch()

    async def _end(self) -> None:
        """Back to the home page; what was only set aside is given back."""
        visit, self._visit = self._visit, Visit()
        self._language = self._settings.language
        self._touch()
        try:
            if visit.deposit:
                await drop_off.leave(self._world, visit.deposit)
            for who in (visit.staff, visit.together.helper):
                if who:
                    await sign_in.sign_out(self._world, who)
        except JournalFailing:
            log.exception("the journal cannot be written: a visit ended without its last entry")

    # --- what the journal and time do ------------------------------------------------------------------

    def entries_committed(self, state: LockerState, entries: tuple[Entry, ...]) -> None:
        """Subscribed to the journal: the page follows what became durable, and nothing else."""
        for entry in entries:
            self._follow(state, entry)
        if self._visit.refusing and following.back_inside(self._visit, state):
            self._spawn(self._refuse_put_back())
        if self._visit.step is Step.NOT_EMPTY and following.is_shut(self._visit, state):
            self._spawn(self._another_door())
        if rounds.has_shut(self._visit, state):
            self._spawn(self._next_door())
        if any(following.is_ours(self._visit, state, entry) for entry in entries):
            self._touch()
        else:
            # Whatever else goes on at the locker is no sign of life of whoever stood here.
            self._arm()
            self._changed()

    def _follow(self, state: LockerState, entry: Entry) -> None:
        visit = self._visit
        match entry.event:
            case OpeningRequested(purpose=Purpose.SERVICE | Purpose.REMOTE):
                # A technician's page stays where it is; everybody else's has nothing to do with it.
                pass
            case DoorOpened(door) | DoorLeftOpen(door) if following.from_afar(state, door):
                pass
            case OpeningRequested() if self._begun is not None and entry.cause != "sensor":
                # The grant is durable, the pulse is on its way: the page says so already.
                self._visit = following.commanded(self._begun, entry.event)
            case ReceiptIssued(deposit) if deposit == visit.deposit:
                self._visit = replace(visit, receipt=entry.event)
            case DoorOpened(door) if door == screens.door_of(visit, state):
                self._visit = replace(visit, opened_mono_ms=entry.stamp.mono_ms)
            case DoorLeftOpen(door) if door == screens.door_of(visit, state) and not self._is_looked_at():
                # The kiosk is for the next person now; the door is followed in the background.
                self._spawn(self._leave_alone(visit.visit))
            case ServiceWindowClosed():
                # Whoever has worked behind the doors comes back to the page now.
                self._last_act_ms = entry.stamp.mono_ms
            case OpeningUnknown():
                self._find_interrupted(state)

    def _find_interrupted(self, state: LockerState) -> None:
        """After a restart: whoever stands in front of an open compartment gets their page back."""
        opening = following.interrupted(state, self._world.clock.mono_ms())
        if self._visit.visit or opening is None:
            return
        step = flow.advance(Step.HOME, Signal.INTERRUPTED)
        self._visit = Visit(visit=self._world.secrets.new_id(), step=step, deposit=opening.deposit)
        self._touch()

    async def _another_door(self) -> None:
        async with self._one_at_a_time:
            if self._visit.step is Step.NOT_EMPTY:
                await self._do(visitors.another_door)

    async def _next_door(self) -> None:
        async with self._one_at_a_time:
            if rounds.has_shut(self._visit, self._world.journal.state):
                await self._do(rounds.shut)

    async def _refuse_put_back(self) -> None:
        async with self._one_at_a_time:
            if self._visit.refusing and following.back_inside(self._visit, self._world.journal.state):
                press = Press(Act.REFUSE, {"reason": self._visit.refusing})
                await self._do(lambda world, visit: visitors.refuse(world, visit, press))

    async def _leave_alone(self, visit: str) -> None:
        async with self._one_at_a_time:
            if self._visit.visit == visit:
                await self._end()

    def _is_looked_at(self) -> bool:
        return self._visit.step in service.LOOKING and not self._closed

    def _touch(self) -> None:
        """Something happened: the session is alive, and the page is told."""
        self._last_act_ms, self._ask_ends_ms = self._world.clock.mono_ms(), 0
        self._arm()
        self._looking.watch()
        self._changed()

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher.set()

    def _arm(self) -> None:
        """Set the one alarm of the session: asking whether somebody is still there, then going home."""
        self._cancel_alarm()
        self._cancel_alarm = lambda: None
        at_ms = self._asks_mono_ms()
        if at_ms and not self._closed:
            self._cancel_alarm = self._world.clock.call_at(self._ask_ends_ms or at_ms, self._alarm)

    def _asks_mono_ms(self) -> int:
        """When a session that nobody touches is asked about; 0 for none, or while its door stands open."""
        untouched = not self._visit.visit and self._language == self._settings.language
        # A journal that fails never tells that this door was shut: then the page's own deadline holds.
        state = self._world.journal.state
        # In a service window hands are at work behind the doors, and nobody comes by.
        inside = bool(state.window.staff) and self._visit.staff == state.window.staff
        waits = (inside or at_work(self._visit, state)) and not self._failing()
        idle_ms = state.policy.session_idle_s * 1000
        return 0 if untouched or waits else self._last_act_ms + idle_ms

    def _alarm(self) -> None:
        if self._ask_ends_ms or not self._visit.visit:
            self._language = self._settings.language
            self._spawn(self._leave_alone(self._visit.visit))
            return
        ask_ms = self._world.journal.state.policy.session_ask_s * 1000
        self._ask_ends_ms = self._world.clock.mono_ms() + ask_ms
        self._arm()
        self._changed()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_STAFF_DOES: Final[Mapping[Act, Does]] = {
    **staff.DOES,
    **service.DOES,
    **stocktaking.DOES,
    **second.DOES,
    **window.DOES,
    **assist.DOES,
}
VISITOR_DOES: Final[Mapping[Act, Does]] = {**visitors.DOES, Act.PIN: staff.pin}
