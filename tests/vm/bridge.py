"""A serial line by TCP: ``bridge.py PTY PORT BAUD``, raw bytes, one connection at a time."""

import os
import select
import socket
import sys
import termios
import tty


def main() -> None:
    """Until it is ended."""
    path, port, baud = sys.argv[1:]
    with socket.create_server(("127.0.0.1", int(port))) as server:
        while True:
            there, _ = server.accept()
            with there:
                there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _carry(there, path, getattr(termios, f"B{baud}"))


def _carry(there: socket.socket, path: str, speed: int) -> None:
    line = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(line)
        settings = termios.tcgetattr(line)
        settings[4] = settings[5] = speed
        termios.tcsetattr(line, termios.TCSANOW, settings)
        while True:
            ready, _, _ = select.select([there.fileno(), line], [], [])
            if there.fileno() in ready:
                told = there.recv(4096)
                if not told:
                    return
                os.write(line, told)
            if line in ready:
                there.sendall(os.read(line, 4096))
    finally:
        os.close(line)


if __name__ == "__main__":
    main()
