"""Ports of loopback for what a command starts: nobody holds them, and nobody is given them by chance."""

import contextlib
import errno
import secrets  # noqa: TID251  # of no seed: two that were seeded alike would reach for the same port
import socket
from collections.abc import Sequence
from typing import Final

from hw_sim.loopback import HOST

LOWEST, HIGHEST = 15_000, 31_999
"""Below those that kernels give to whoever calls out (Linux: 32,768 and up, net.ipv4.ip_local_port_range):
one of these could become somebody's before the process for which it was chosen listens there."""
TRIES: Final = 100


def free_port() -> int:
    """A TCP port of loopback that nobody holds at this moment."""
    (port,) = free_ports(0)
    return port


def free_ports(*wishes: int) -> tuple[int, ...]:
    """For each wish that port where it is free, else another (0: any); none is given twice.

    Raises OSError where none is free.
    """
    found: list[int] = []
    for wish in wishes:
        found.append(_free(wish or _any(), found))
    return tuple(found)


def _free(wish: int, taken: Sequence[int]) -> int:
    for port in (wish, *(_any() for _ in range(TRIES))):
        if port not in taken and _is_free(port):
            return port
    raise OSError(errno.EADDRINUSE, f"no port free between {LOWEST} and {HIGHEST}")


def _is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # just closed is free
        probe.bind((HOST, port))
        return True
    return False


def _any() -> int:
    return LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)
