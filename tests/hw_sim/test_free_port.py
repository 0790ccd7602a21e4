"""Ports for what is started on loopback."""

import socket
from pathlib import Path
from typing import Final

import pytest

from hw_sim import free_port
from hw_sim.loopback import HOST

GIVEN_TO_CALLERS: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_none_is_of_those_that_the_kernel_gives_to_whoever_calls_out() -> None:
    lowest = int(GIVEN_TO_CALLERS.read_text().split()[0])
    assert lowest > free_port.HIGHEST
    assert all(free_port.LOWEST <= free_port.free_port() <= free_port.HIGHEST for _ in range(100))


def test_a_wish_is_met_where_that_port_is_free_and_none_is_given_twice() -> None:
    wish = free_port.free_port()
    got = free_port.free_ports(wish, wish, 0)
    assert got[0] == wish
    assert len(set(got)) == len(got)


def test_a_port_that_somebody_holds_is_not_given() -> None:
    with socket.create_server((HOST, free_port.free_port())) as held:
        assert free_port.free_ports(held.getsockname()[1]) != (held.getsockname()[1],)


def test_where_none_is_left_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, free_port.free_port())) as held:
        only = held.getsockname()[1]
        monkeypatch.setattr(free_port, "LOWEST", only)
        monkeypatch.setattr(free_port, "HIGHEST", only)
        with pytest.raises(OSError, match="no port free"):
            free_port.free_port()
