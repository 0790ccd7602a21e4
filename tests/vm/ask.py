"""In the machine, by its own Python: what `lockerctl status` prints, without the seconds that one takes to
start under an emulator."""

import socket
import sys

CONTROL = "/var/lib/doclocker/control.sock"


def main() -> None:
    """One question, one answer."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(CONTROL)
        asked.sendall(b'{"do": "status"}\n')
        sys.stdout.write(asked.makefile(encoding="utf-8").read())


if __name__ == "__main__":
    main()
