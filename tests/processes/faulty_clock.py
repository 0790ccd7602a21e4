"""`lockerd` whose wall clock is off by what a file says, in milliseconds: ``faulty_clock FILE --config …``.

The product has no such switch: the operating system's clock is replaced in this process before it starts, and
no NTP has ever set it.
"""

import sys
import time
from pathlib import Path

from locker import __main__ as lockerd
from locker import platform


def main(offset: Path) -> None:
    true_ns = time.time_ns
    time.time_ns = lambda: true_ns() + int(offset.read_text()) * 1_000_000
    platform.NTP_MARKS = ()  # type: ignore[misc, assignment]  # see above
    lockerd.main()


if __name__ == "__main__":
    main(Path(sys.argv.pop(1)))
