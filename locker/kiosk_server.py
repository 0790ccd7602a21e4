"""The kiosk's page as a part of the daemon: served on loopback, stopped in order."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.applications import Starlette

from locker.config import KioskSection
from locker.platform import notify

KIOSK_STOP_S: Final = 2
"""An answer that a person waits for is out by then."""


class CannotStart(Exception):
    """Something of this machine is not to be had. The message names it and the remedy."""


class KioskEnded(Exception):
    """The page's server is gone though nobody stopped it. Remedy: start again, see its log."""


class KioskServer:
    """uvicorn without its own signal handlers: stopping is the daemon's to order."""

    def __init__(self, kiosk: Starlette, section: KioskSection) -> None:
        """Bound on return; raises CannotStart."""
        config = uvicorn.Config(
            kiosk,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=KIOSK_STOP_S,
        )
        self._close_streams = kiosk.state.kiosk.close
        self._server = _Server(config)
        # Bound before anybody is told that we are ready; an address in use is said at once.
        self._socket = _bound(section.host, section.port)
        self._done = asyncio.Event()
        self._stopping = False

    async def serve(self) -> None:
        """Until `stop`. Raises KioskEnded where it ends for another reason."""
        notify("READY=1")
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._socket.close()
            self._done.set()
        if not self._stopping:
            raise KioskEnded

    async def stop(self) -> None:
        self._stopping = True
        self._close_streams()
        self._server.should_exit = True
        await self._done.wait()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        problem = f"the kiosk's page cannot have {host}:{port} ({error.strerror})"
        raise CannotStart(f"{problem}. Stop what holds it or change [kiosk] port") from error
    # Handed on to every connection; asyncio sees to it only where it made the listener itself. Without it the
    # second packet of an answer waits for the page's acknowledgement of the first: 40 ms each time.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
