"""One connection carried on: ``relay.py HOST PORT``. The emulator starts one for each that is opened."""

import os
import select
import socket
import sys


def main() -> None:
    """Standard input and output at one end, ``HOST:PORT`` at the other, until either is closed."""
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as there:
        while True:
            ready, _, _ = select.select([0, there.fileno()], [], [])
            if 0 in ready:
                told = os.read(0, 65536)
                if not told:
                    return
                there.sendall(told)
            if there.fileno() in ready:
                said = there.recv(65536)
                if not said:
                    return
                os.write(1, said)


if __name__ == "__main__":
    main()
