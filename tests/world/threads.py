"""What stands for threads: work is done when it is given; its answer may take as long as a slow disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from contextvars import Context
from typing import ParamSpec, TypeVar

from locker.journal.journal import Journal
from tests.power.recording import AtOnce

T = TypeVar("T")
P = ParamSpec("P")


class Storing(Executor):
    """The journal's thread. ``slow_s``: how long its barrier takes just now."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._at_once = AtOnce()
        self._free_s = 0.0
        self.reading = AtOnce()
        self.slow_s = 0.0
        self.life = 0
        """Of whom it is; 0: of nobody."""
        self._opened: list[Journal] = []

    def let_go(self) -> None:
        """What the operating system closes for a dead process, also of one that died before it had it."""
        for journal in self._opened:
            with suppress(Exception):
                journal._store.close()
        self._opened.clear()

    def _noted(self, done: "Future[T]") -> "Future[T]":
        if done.exception() is None and isinstance(journal := done.result(), Journal):
            self._opened.append(journal)
        return done

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        if not self.life:
            return Future()  # its process is dead: nobody will ever hear of it
        if not self.slow_s and self._free_s <= self._loop.time():
            return self._noted(self._at_once.submit(fn, *args, **kwargs))
        future: Future[T] = Future()
        self._free_s = max(self._free_s, self._loop.time()) + self.slow_s
        life = self.life

        def work() -> None:
            if life != self.life or not future.set_running_or_notify_cancel():
                return
            done = self._noted(self._at_once.submit(fn, *args, **kwargs))
            error = done.exception()
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(done.result())

        # The disk is the machine's, not the process's: a frozen process still finds its work done.
        self._loop.call_at(self._free_s, work, context=Context())
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing to wait for."""
