"""One edge with all it stands between, under virtual time."""

from dataclasses import dataclass

from sync import wire
from sync.edge import Edge
from tests.sync.edges import FakeLink, MemoryJournal, Told, VirtualClock, ack, hello, settle


@dataclass
class World:
    link: FakeLink
    journal: MemoryJournal
    clock: VirtualClock
    told: Told
    edge: Edge

    @property
    def births(self) -> list[wire.Link]:
        return [said for said in self.link.heard(wire.Name.LINK, wire.Link) if said.online]

    @property
    def batches(self) -> list[tuple[int, int]]:
        return [(b.from_seq, b.to_seq) for b in self.link.heard(wire.Name.LOG, wire.UpBatch)]

    @property
    def up_acks(self) -> list[tuple[str, int]]:
        return [(a.dn_epoch, a.stored_to) for a in self.link.heard(wire.Name.ACK, wire.UpAck)]

    async def greet(self, stored_to: int = 0, **more: object) -> None:
        """Connect and be answered."""
        self.link.connect()
        await settle()
        self.link.centre_is(online=True)
        self.link.from_centre(wire.Name.HELLO, hello(self.journal, self.births[-1].nonce, stored_to, **more))
        await settle()

    async def acknowledge(self, stored_to: int, **more: object) -> None:
        self.link.from_centre(wire.Name.ACK, ack(self.journal, stored_to, **more))
        await settle()
