"""`lockerd` whose wall clock is off by what a file says, in milliseconds: ``faulty_clock OFFSET --config …``.

The product has no such switch: the operating system's clock is replaced in this process before it starts.
"""

import sys
import time
from pathlib import Path

from locker import __main__ as lockerd


def main(offset: Path) -> None:
    true_ns = time.time_ns
    time.time_ns = lambda: true_ns() + int(offset.read_text()) * 1_000_000
    lockerd.main()


if __name__ == "__main__":
    path = Path(sys.argv.pop(1))
    main(path)
