"""What the centre says it has stored, against what it has stored: at the moment at which it says so."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from sync import seal

if TYPE_CHECKING:
    from tests.world.world import World

COUNTS: Final = frozenset({"dn_ack", "hello"})
"""What the centre says of how much it has."""
NAMES: Final = ("kind", "locker", "up_epoch", "stored_to")
STORED_TO: Final = "SELECT stored_to FROM stream WHERE locker = ? AND epoch = ?"


@dataclass
class Acks:
    """Every hello and every acknowledgement that the centre signs; what others say again is passed over."""

    world: "World"
    most: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    """By locker and epoch: how much it has ever said it has, and the frame that said so."""
    heard: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        broker = self.world.broker
        publish = broker.publish

        def heard(topic: str, payload: bytes, **how: Any) -> int:
            if topic.endswith(("/dn/ack", "/dn/hello")) and payload not in self.heard:
                self.heard.add(payload)
                self._judge(payload)
            return publish(topic, payload, **how)

        broker.publish = heard  # type: ignore[method-assign]  # listens, changes nothing

    def _judge(self, frame: bytes) -> None:
        """A signature is checked where something hangs on it: most that is said is true, whoever said it."""
        store = self.world.centre.store
        if "hub_restored" in self.world.lies or store is None:
            return
        try:
            said = json.loads(frame[seal.HEAD_BYTES :])
            kind, locker, epoch, stored_to = (said[name] for name in NAMES)
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if kind not in COUNTS:  # whatever was said on another topic
            return
        there = store.read_now(lambda c: _stored_to(c, locker, epoch))
        if stored_to > there:
            if self._is_the_centres(frame):
                what = f"the centre says it has {stored_to} entries of {locker}, and has {there}"
                self.world.violated(13, what)
            return
        before, by = self.most.get((locker, epoch), (0, b""))
        if "nonce" in said and stored_to < before and self._is_the_centres(frame):
            if self._is_the_centres(by):
                what = f"the centre had {before} entries of {locker}, it said, and now has {stored_to}"
                self.world.violated(13, what)
            before = 0
        if stored_to >= before:
            self.most[locker, epoch] = stored_to, frame

    def _is_the_centres(self, frame: bytes) -> bool:
        try:
            seal.open_frame(frame, seal.keyring(self.world.centre.desk.keys.sign.public))
        except seal.SealError:
            return False
        return True


def _stored_to(connection: Connection, locker: str, epoch: str) -> int:
    """Asked for at every acknowledgement, so without a statement's whole machinery."""
    raw: Any = connection.connection.driver_connection
    found = raw.execute(STORED_TO, (locker, epoch)).fetchone()
    return int(found[0]) if found else 0
