"""A `lockerd` whose mains have failed while a file is there: ``mains_locker FILE …``.

The product has no such switch: the pins' library is given pins of another making.
"""

import sys
from pathlib import Path
from typing import Any, Final

from gpiozero.pins.mock import MockFactory, MockPin

from firmware_bridge import gpio
from locker import __main__ as lockerd

FAILED: Final = Path(sys.argv.pop(1))


class FilePin(MockPin):  # type: ignore[misc]  # the library has no types
    """Reads 1 while the file is there."""

    def _get_state(self) -> Any:
        return int(FAILED.exists())


def of_files(name: str) -> Any:
    """In place of the back end ``name``."""
    assert name == "mock"
    return MockFactory(pin_class=FilePin)


if __name__ == "__main__":
    gpio.open_factory = of_files
    lockerd.main()
