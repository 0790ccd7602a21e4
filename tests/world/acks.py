"""What the centre says it has stored, against what it has stored: at the moment at which it says so."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, bindparam, select

from sync import seal
from sync.central.tables import STREAM

if TYPE_CHECKING:
    from tests.world.world import World

COUNTS: Final = frozenset({"dn_ack", "hello"})
"""What the centre says of how much it has."""


@dataclass
class Acks:
    """Every hello and every acknowledgement that the centre signs; what others say again is passed over."""

    world: "World"
    most: dict[tuple[str, str], int] = field(default_factory=dict)
    """By locker and epoch: how much it has ever said it has."""
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
        centre = self.world.centre
        try:
            said = json.loads(seal.open_frame(frame, seal.keyring(centre.desk.keys.sign.public)))
        except (seal.SealError, ValueError):
            return
        if said["kind"] not in COUNTS:  # rightly signed, and said on another topic
            return
        locker, epoch, stored_to = said["locker"], said["up_epoch"], said["stored_to"]
        if "hub_restored" in self.world.lies or centre.store is None:
            return
        there = centre.store.read_now(lambda c: _stored_to(c, locker, epoch))
        if stored_to > there:
            self.world.violated(
                13, f"the centre says it has {stored_to} entries of {locker}, and has {there}"
            )
        before = self.most.get((locker, epoch), 0)
        if "nonce" in said and stored_to < before:
            what = f"the centre had {before} entries of {locker} by its own word, and says {stored_to} now"
            self.world.violated(13, what)
        self.most[locker, epoch] = max(before, stored_to)


def _stored_to(connection: Connection, locker: str, epoch: str) -> int:
    return int(connection.execute(_STORED_TO, {"of": locker, "in_epoch": epoch}).scalar() or 0)


_STORED_TO: Final = select(STREAM.c.stored_to).where(
    STREAM.c.locker == bindparam("of"), STREAM.c.epoch == bindparam("in_epoch")
)
"""Built once: it is asked for at every acknowledgement."""
