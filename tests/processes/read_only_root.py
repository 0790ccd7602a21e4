"""Runs a command that sees all file systems read-only but one folder: ``read_only_root.py FOLDER COMMAND …``.

To be run under `unshare --mount`. What devices, processes and the kernel show stays as it is.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ITS_OWN: Final = ("/proc", "/sys", "/dev")


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, timeout=60)


def main(folder: str, command: list[str]) -> None:
    mount("--make-rprivate", "/")
    mount("--bind", folder, folder)
    for line in Path("/proc/self/mountinfo").read_text("utf-8").splitlines():
        at = line.split()[4]
        if at != folder and not at.startswith(ITS_OWN):
            mount("-o", "remount,bind,ro", at)
    os.execv(command[0], command)  # noqa: S606  # the command of the test, instead of this one


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
