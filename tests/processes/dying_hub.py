"""A hub that is killed at one point of the acknowledgement path: ``dying_hub POINT CONFIG``.

The points around the commit are those of `sync/central/dying_hub`; these go further along the path.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sync import wire
from sync.central import commands, ledger
from sync.central.ingest import Ingest
from sync.central.notify import Notifier
from sync.central.switchboard import Switchboard


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def saying(kind: type[Any], *, after: bool) -> None:
    """Die around the first word of a kind to a locker."""
    real = Switchboard.say

    def say(self: Switchboard, locker: str, words: Any) -> None:
        if not after and isinstance(words, kind):
            die()
        real(self, locker, words)
        if after and isinstance(words, kind):
            die()

    Switchboard.say = say  # type: ignore[method-assign]  # see above


def advancing(*, after: bool) -> None:
    real = ledger._advance

    def advance(*arguments: Any) -> None:
        if after:
            real(*arguments)
        die()

    ledger._advance = advance  # type: ignore[assignment]  # whatever it is asked, it dies


def taken() -> None:
    """A batch is applied and answered; the broker is not told yet."""
    real = Ingest._together

    async def together(self: Ingest, said: Any) -> None:
        await real(self, said)
        if any(isinstance(each, wire.UpBatch) for each in said):
            die()

    Ingest._together = together  # type: ignore[method-assign]  # see above


def posting(*, after: bool) -> None:
    """Around the first SMS: sent and not yet put down as sent."""
    real = Notifier._post

    async def post(self: Notifier, *letter: Any) -> str:
        if not after:
            die()
        await real(self, *letter)
        die()
        return ""

    Notifier._post = post  # type: ignore[method-assign, assignment]  # see above


POINTS: Final[dict[str, Callable[[], None]]] = {
    "before a batch is stored": lambda: advancing(after=False),
    "within the commit": lambda: advancing(after=True),
    "before the ack": lambda: saying(wire.DownAck, after=False),
    "after the ack": lambda: saying(wire.DownAck, after=True),
    "before the broker is told": taken,
    "before a hello": lambda: saying(wire.Hello, after=False),
    "after a hello": lambda: saying(wire.Hello, after=True),
    "before directives go out": lambda: saying(wire.DownBatch, after=False),
    "after directives went out": lambda: saying(wire.DownBatch, after=True),
    "before an SMS": lambda: posting(after=False),
    "after an SMS": lambda: posting(after=True),
}


if __name__ == "__main__":
    POINTS[sys.argv[1]]()
    commands.serve(Path(sys.argv[2]))
