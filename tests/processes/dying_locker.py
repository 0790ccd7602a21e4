"""A `lockerd` that is killed at one point of the acknowledgement path: ``dying_locker POINT --config …``.

The product has no such switch: one function of the running daemon is replaced from outside.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from locker import __main__ as lockerd
from locker.journal.store import Store
from locker.operations import directives
from sync import wire
from sync.edge.directives import Directives
from sync.edge.ports import Voice
from sync.edge.publisher import Publisher
from sync.link.link import Link


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def around(owner: Any, name: str, *, after: bool, where: Callable[..., bool] = lambda *_: True) -> None:
    """Die before or after ``owner.name`` is called, the first time that ``where`` fits its arguments."""
    real = getattr(owner, name)

    async def dies(*arguments: Any, **named: Any) -> Any:
        if not after and where(*arguments):
            die()
        answer = await real(*arguments, **named)
        if after and where(*arguments):
            die()
        return answer

    def dies_now(*arguments: Any, **named: Any) -> Any:
        if not after and where(*arguments):
            die()
        answer = real(*arguments, **named)
        if after and where(*arguments):
            die()
        return answer

    is_async = real.__code__.co_flags & 0x80
    setattr(owner, name, dies if is_async else dies_now)


def speaks(kind: wire.Name) -> Callable[..., bool]:
    return lambda _voice, name, _payload: bool(name is kind)


POINTS: Final[dict[str, Callable[[], None]]] = {
    "before a batch is sent": lambda: around(Voice, "say", after=False, where=speaks(wire.Name.LOG)),
    "after a batch is sent": lambda: around(Voice, "say", after=True, where=speaks(wire.Name.LOG)),
    "when an ack arrives": lambda: around(Publisher, "acknowledged", after=False),
    "after an ack counted": lambda: around(Publisher, "acknowledged", after=True),
    "before the cursor is durable": lambda: around(Store, "acknowledge", after=False),
    "after the cursor is durable": lambda: around(Store, "acknowledge", after=True),
    "before a directive is applied": lambda: around(directives, "apply", after=False),
    "after a directive is applied": lambda: around(directives, "apply", after=True),
    "before a batch of directives is answered": lambda: around(
        Voice, "say", after=False, where=speaks(wire.Name.ACK)
    ),
    "after a batch of directives is answered": lambda: around(Directives, "received", after=True),
    "before the broker is told": lambda: around(Link, "acknowledge", after=False, where=_no_link),
    "after a birth": lambda: around(Voice, "say", after=True, where=speaks(wire.Name.LINK)),
}


def _no_link(_link: Any, message: Any) -> bool:
    return bool(message.topic != wire.CENTRAL_LINK)


if __name__ == "__main__":
    POINTS[sys.argv.pop(1)]()
    lockerd.main()
