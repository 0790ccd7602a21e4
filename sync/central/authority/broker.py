"""The broker's own files: mosquitto with mutual TLS 1.3, and who may say and hear what.

One listener for all. The name in a certificate is the user, and the user's name is the client id: nobody can
take over another's session, and none of it depends on what a client says of itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CENTRAL: Final = "_central"
QUEUED_MIN: Final = 10_000
QUEUED_OF_ONE: Final = 4
"""For each of the hub's clients and each locker: two batches both ways, twice."""


@dataclass(frozen=True, slots=True)
class Listener:
    """``folder``: where the broker finds its files."""

    folder: str
    address: str = ""
    """Empty: every one of the machine's."""
    port: int = 8883
    lockers: int = 0


def configuration(listener: Listener) -> str:
    """mosquitto.conf, 2.0 and later."""
    folder = listener.folder.rstrip("/") + "/"
    queued = max(QUEUED_MIN, QUEUED_OF_ONE * listener.lockers)
    return f"""\
# Made by `locker-central authority broker`; made anew it is the same.
per_listener_settings false
allow_anonymous false
acl_file {folder}access

# What is held here may be lost at any moment: both ends say it again.
persistence false
max_inflight_messages 100
max_queued_messages {queued}
message_size_limit 131072
set_tcp_nodelay true

listener {f"{listener.port} {listener.address}".rstrip()}
cafile {folder}root.pem
certfile {folder}broker.pem
keyfile {folder}broker.key
crlfile {folder}revoked.pem
tls_version tlsv1.3
require_certificate true
use_identity_as_username true
use_username_as_clientid true
"""


def access(shards: int = 1) -> str:
    """The access list: a locker speaks for itself alone, hears what is for it alone; wills are no exception.

    In mosquitto a ``topic`` line above the first ``user`` line is for anonymous clients only; a pattern
    without %u is what reaches every user.
    """
    lines = [
        "pattern write doclocker/v1/%u/up/#",
        "pattern read doclocker/v1/%u/dn/#",
        "pattern read doclocker/v1/_central/link",
    ]
    for name in hub_names(shards):
        lines += [
            "",
            f"user {name}",
            "topic read doclocker/v1/+/up/#",
            "topic write doclocker/v1/+/dn/#",
            "topic readwrite doclocker/v1/_central/link",
        ]
    return "\n".join(lines) + "\n"


def hub_names(shards: int) -> Sequence[str]:
    """The hub's clients: one, or the desk and one for each shard."""
    if shards == 1:
        return (CENTRAL,)
    return (f"{CENTRAL}-desk", *(f"{CENTRAL}-{n}" for n in range(shards)))
