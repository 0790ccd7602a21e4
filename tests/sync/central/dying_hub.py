"""A hub that is killed at one point of its acknowledgement path: ``dying_hub before|after CONFIG``.

``before`` the commit of the first batch, or ``after`` it and before its ack. The product has no such switch:
this file replaces one function of a running hub from outside.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from sync import wire
from sync.central import commands, ledger
from sync.central.switchboard import Switchboard


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(when: str, config: str) -> None:
    if when == "after":
        say = Switchboard.say

        def say_or_die(self: Switchboard, locker: str, words: Any) -> None:
            if isinstance(words, wire.DownAck):
                die()
            say(self, locker, words)

        Switchboard.say = say_or_die  # type: ignore[method-assign]  # see above
    else:

        def advance_and_die(*_: Any) -> None:
            die()

        ledger._advance = advance_and_die  # type: ignore[assignment]  # whatever it is asked, it dies
    commands.serve(Path(config))


if __name__ == "__main__":
    main(*sys.argv[1:])
