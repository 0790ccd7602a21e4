"""Asking processes of this machine, often: pages on loopback, and a daemon by its control socket."""

import json
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

HOST: Final = "127.0.0.1"
NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For `httpx`'s ``verify``: trusts nobody, and loopback asks for nothing else. By itself httpx reads the
machine's authorities anew for each client, 25 ms of a core."""
ANSWER_S: Final = 30.0


def ask(control: Path, question: Mapping[str, Any]) -> Mapping[str, Any]:
    """One line of JSON there, one back. Raises OSError where none listens, ValueError for no answer."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(ANSWER_S)
        asking.connect(str(control))
        asking.sendall(json.dumps(question).encode() + b"\n")
        with asking.makefile("rb") as said:
            answer: Mapping[str, Any] = json.loads(said.read())
    return answer
