"""MQTT → journal: the centre's state entries, strictly one after the other, applied before acknowledged."""

from locker.domain import directives
from locker.domain.errors import UnreadableFact
from locker.domain.ids import Epoch
from locker.domain.state import DownCursor
from sync import wire
from sync.edge.downlog import Placing, effective, place
from sync.edge.ports import Apply, JournalPort, Tally, Voice


class Directives:
    """What is not the next entry is answered with how far we are: the centre goes on from there."""

    def __init__(self, voice: Voice, journal: JournalPort, apply: Apply, tally: Tally) -> None:
        self._voice = voice
        self._journal = journal
        self._apply = apply
        self._tally = tally
        self._announced = ""

    def announced(self, dn_epoch: str) -> None:
        """A hello has named the numbering that is in force; only such a one may start anew."""
        self._announced = dn_epoch

    @property
    def cursor(self) -> DownCursor:
        return effective(self._journal.state.down, self._announced)

    async def received(self, batch: wire.DownBatch) -> Placing:
        """Apply what is news and acknowledge what is durable. Raises what ``apply`` raises."""
        hashes = wire.down_hashes(batch)
        placed = place(batch, hashes, self.cursor)
        if placed.placing is Placing.NEXT:
            await self._apply_from(batch, hashes, placed.skip)
        elif placed.placing is Placing.REPEATED:
            self._tally.repeat("log")
        elif placed.placing is not Placing.GAP:
            self._tally.drop(f"log:{placed.placing}")
            return placed.placing
        await self._acknowledge()
        return placed.placing

    async def _apply_from(self, batch: wire.DownBatch, hashes: tuple[bytes, ...], skip: int) -> None:
        for offset in range(skip, len(batch.entries)):
            try:
                directive = directives.read(batch.entries[offset])
            except UnreadableFact:
                # A later version's entry: kept at the centre until this software can read it.
                self._tally.drop("log:unreadable")
                return
            if directive.seq != batch.from_seq + offset:
                self._tally.drop("log:number")
                return
            await self._apply(directive, Epoch(batch.dn_epoch), hashes[offset].hex())

    async def _acknowledge(self) -> None:
        cursor = self.cursor
        locker = self._voice.identity.locker
        await self._voice.say(wire.Name.ACK, wire.UpAck(locker, cursor.epoch, cursor.seq))
