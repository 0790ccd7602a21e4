"""An event loop whose time is its own: it jumps to the next timer, and asks no operating system.

What runs on it runs on behalf of one machine's life (`LIFE`). A life can be frozen, as by SIGSTOP, and it can
be ended between any two callbacks, as by SIGKILL: from then on not one of its callbacks is called.
"""

import asyncio
import heapq
import inspect
import warnings
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")
NOBODY = 0
WAITS_MAX = 50
TASKS_KEPT = 200
"""So many of one life are noted before those that are over are struck off."""
LIFE: ContextVar[int] = ContextVar("life", default=NOBODY)
"""Which life of which machine the running code belongs to; 0 for people, wires and the world itself."""


class NothingLeftError(Exception):
    """Nothing will ever happen again, and the world is not over."""


class EndedError(Exception):
    """The life that was asked has ended and will never answer."""


class _Handle(asyncio.Handle):
    """Made a hundred thousand times a day: without asking whether anybody debugs."""

    __slots__ = ()

    def __init__(
        self, callback: Callable[..., object], args: Any, loop: "VirtualLoop", context: Context | None
    ) -> None:
        _set_up(self, callback, args, loop, context)


class _TimerHandle(asyncio.TimerHandle):
    """The same, with its moment."""

    __slots__ = ()

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: Any,
        loop: "VirtualLoop",
        context: Context | None,
    ) -> None:
        _set_up(self, callback, args, loop, context)
        self._when, self._scheduled = when, True


def _set_up(handle: Any, callback: Callable[..., object], args: Any, loop: Any, context: Any) -> None:
    handle._context = copy_context() if context is None else context
    handle._loop, handle._callback, handle._args = loop, callback, args
    handle._cancelled, handle._repr, handle._source_traceback = False, None, None


class VirtualLoop(asyncio.BaseEventLoop):
    """``time`` is float seconds since the world began."""

    _ready: deque[asyncio.Handle]

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        """By moment, and those of one moment in the order in which they were set."""
        self._set = 0
        self._frozen: dict[int, list[asyncio.Handle]] = {}
        self._tasks: dict[int, dict[asyncio.Task[Any], None]] = {}
        """In the order in which they began; some of them are over."""
        self._tasks_most: dict[int, int] = {}
        self._asked: dict[int, dict[asyncio.Future[None], None]] = {}
        self.turns = 0
        self.dead: set[int] = set()
        self.failed: list[BaseException] = []
        """What nobody was there to catch."""
        self.set_task_factory(self._new_task)
        self.set_exception_handler(self._uncaught)

    def time(self) -> float:
        return self._now_s

    def freeze(self, life: int) -> None:
        self._frozen.setdefault(life, [])

    def thaw(self, life: int) -> None:
        for handle in self._frozen.pop(life, ()):
            self._ready.append(handle)

    def kill(self, life: int) -> None:
        """End it here and now. What its code would still do on the way out meets a dead world."""
        self.dead.add(life)
        self._frozen.pop(life, None)
        its_own = Context()
        its_own.run(LIFE.set, life)
        for task in [each for each in self._tasks.pop(life, ()) if not each.done()]:
            # Closed here and in this order: left to the garbage collector it would be at any time.
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            its_own.run(_close, task.get_coro())  # what it still begins on the way out is never called
        for answered in self._asked.pop(life, ()):
            if not answered.done():
                answered.set_exception(EndedError())

    async def within(self, life: int, asked: Coroutine[Any, Any, T]) -> T:
        """Have a life do what somebody outside asks of it. Raises EndedError."""
        context = Context()
        context.run(LIFE.set, life)
        task = self.create_task(asked, context=context)
        answered: asyncio.Future[None] = self.create_future()
        waiting = self._asked.setdefault(life, {})
        waiting[answered] = None
        task.add_done_callback(
            lambda _: None if answered.done() else answered.set_result(None), context=Context()
        )
        try:
            await answered
        finally:
            waiting.pop(answered, None)
        return task.result()

    def _new_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> "asyncio.Task[Any]":
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **more)
        life = (more.get("context") or copy_context()).get(LIFE, NOBODY)
        tasks = self._tasks.setdefault(life, {})
        if len(tasks) >= self._tasks_most.get(life, TASKS_KEPT):
            for done in [each for each in tasks if each.done()]:
                del tasks[done]
            self._tasks_most[life] = max(TASKS_KEPT, 2 * len(tasks))
        tasks[task] = None
        return task

    def _uncaught(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception") or RuntimeError(context.get("message"))
        if LIFE.get() not in self.dead:
            self.failed.append(error)

    # --- what asyncio's own loops do with a selector ---

    def call_at(  # type: ignore[override]  # the same; it is only said less exactly
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = _TimerHandle(when, callback, args, self, context)
        self._set += 1
        heapq.heappush(self._timers, (when, self._set, timer))
        return timer

    def call_soon(  # type: ignore[override]  # same
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def run_in_executor(  # type: ignore[override]  # same
        self, executor: Executor, func: Callable[..., T], *args: Any
    ) -> "asyncio.Future[T]":
        """What a thread has done at once is told a turn later, as a real one would at the earliest."""
        done = executor.submit(func, *args)
        if not done.done():
            return asyncio.wrap_future(done, loop=self)
        answer: asyncio.Future[T] = self.create_future()
        self.call_soon(_tell, answer, done)
        return answer

    def _run_once(self) -> None:
        timers, ready = self._timers, self._ready
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        if not ready:
            if not timers:
                raise NothingLeftError
            self._now_s = max(self._now_s, timers[0][0])
        while timers and timers[0][0] <= self._now_s:
            ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle: Any = ready.popleft()
            if handle._cancelled:
                continue
            life = handle._context.get(LIFE, NOBODY)
            if life and (life in self.dead or life in self._frozen):
                if life not in self.dead:
                    self._frozen[life].append(handle)
                continue
            self.turns += 1
            handle._run()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def _process_events(self, _events: object) -> None: ...

    def _write_to_self(self) -> None: ...

    def run_to_end(self, main: Callable[[], Any]) -> Any:
        """Run one coroutine, then close. Nothing that still waits is called."""
        try:
            return self.run_until_complete(main())
        finally:
            for life in tuple(self._tasks):
                self.kill(life)
            self.close()


def _tell(answer: "asyncio.Future[T]", done: "Future[T]") -> None:
    if answer.done():  # whoever asked was cancelled meanwhile
        return
    if (error := done.exception()) is not None:
        answer.set_exception(error)
    else:
        answer.set_result(done.result())


def _given(coroutine: Any) -> list[Any]:
    """What a coroutine that has not begun was given to await."""
    if inspect.getcoroutinestate(coroutine) != inspect.CORO_CREATED:
        return []
    return [each for each in coroutine.cr_frame.f_locals.values() if inspect.iscoroutine(each)]


def _close(coroutine: Any) -> None:
    """From the inside out: on its way out each may want to wait again, several times over."""
    for _ in range(WAITS_MAX):
        chain = [coroutine]
        while (inner := getattr(chain[-1], "cr_await", None)) is not None and hasattr(inner, "cr_await"):
            chain.append(inner)
        while chain and chain[-1].cr_frame is None:
            chain.pop()
        if not chain:
            return
        with suppress(BaseException), warnings.catch_warnings():
            # One that had not begun takes along what it was to await, from Python 3.12 on only later.
            warnings.simplefilter("ignore", RuntimeWarning)
            for given in _given(chain[-1]):
                given.close()
            chain[-1].close()
