"""The kiosk's listener: what every connection of the page inherits, and an address that is taken."""

import socket

import pytest

from locker import kiosk_server


def test_answers_to_the_page_are_not_held_back() -> None:
    with kiosk_server._bound("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_address_in_use_is_said() -> None:
    with kiosk_server._bound("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(kiosk_server.CannotStart, match=f"127.0.0.1:{port}"):
            kiosk_server._bound("127.0.0.1", port)
