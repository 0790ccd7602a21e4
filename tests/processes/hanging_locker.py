"""A `lockerd` of which one part hangs for ever: ``hanging_locker PART FLAG --config …``, once FLAG is there.

The product has no such switch: one function of the running daemon is replaced from outside. FLAG is taken
away, so that the daemon that is started next does not hang.
"""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from firmware_bridge.bus import Bus
from locker import __main__ as lockerd
from locker.journal.store import Store


def hangs(owner: Any, name: str, flag: Path) -> None:
    """Whoever calls it next waits for ever, on whatever thread."""
    real = getattr(owner, name)

    def hanging(*arguments: Any, **named: Any) -> Any:
        if flag.exists():
            flag.unlink()
            threading.Event().wait()
        return real(*arguments, **named)

    setattr(owner, name, hanging)


PARTS: Final[dict[str, Callable[[Path], None]]] = {
    "journal": lambda flag: hangs(Store, "append", flag),
    "line": lambda flag: hangs(Bus, "next", flag),
}


if __name__ == "__main__":
    part, file = sys.argv.pop(1), sys.argv.pop(1)
    PARTS[part](Path(file))
    lockerd.main()
