"""`lockerd`: one locker at work."""

import argparse
import asyncio
import gc
import logging
import os
import sys
import threading
from pathlib import Path
from typing import NoReturn


def main() -> None:
    """Exit 0 after an orderly stop, 2 where configuration or keys do not fit, 1 for any other fault."""
    parser = argparse.ArgumentParser(prog="lockerd", description="Runs one document locker.")
    parser.add_argument("--config", type=Path, default=Path("/etc/doclocker/locker.toml"))
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    threading.excepthook = _end_with_thread
    # Late, so that `--help` and a bad command line cost nothing. Nothing of it ever becomes garbage: it is
    # not looked through, neither while it is made nor later.
    gc.disable()
    from locker.config import ConfigError, load  # noqa: PLC0415  # see above
    from locker.daemon import run  # noqa: PLC0415  # see above
    from locker.journal.errors import JournalError  # noqa: PLC0415  # see above
    from locker.kiosk_server import CannotStart  # noqa: PLC0415  # see above
    from locker.platform import KeysError, Platform  # noqa: PLC0415  # see above

    gc.freeze()
    gc.enable()
    try:
        config = load(arguments.config)
        asyncio.run(run(config, Platform.real()))
    except (ConfigError, KeysError) as error:
        _end(2, error)
    except (JournalError, CannotStart) as error:
        _end(1, error)


def _end_with_thread(fault: threading.ExceptHookArgs) -> None:
    """A line whose thread is gone would look like a quiet one: end at once, as a power cut would."""
    name = fault.thread.name if fault.thread else "a thread"
    logging.getLogger(__name__).critical("%s ended by a fault", name, exc_info=fault.exc_value)
    os._exit(1)


def _end(code: int, error: Exception) -> NoReturn:
    print(f"lockerd: {error}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
