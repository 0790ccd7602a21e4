"""Entrustments: who may collect an item for its recipient. A code of its own belongs to each."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from locker.domain.ids import EntrustmentId, ItemId, Seq


@dataclass(frozen=True, slots=True)
class Entrustment:
    """The agent's name stays in the journal entry ``seq``, purgeable."""

    entrustment: EntrustmentId
    seq: Seq
    item: ItemId
    valid_from_ms: int
    valid_until_ms: int
    phone4_digest: str
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Entrustments:
    known: tuple[Entrustment, ...] = ()
    """Oldest first, also those that ended, until their item is forgotten: said again they stay ended."""

    def find(self, key: EntrustmentId) -> Entrustment | None:
        return next((each for each in self.known if each.entrustment == key), None)

    def living(self, item: ItemId) -> tuple[Entrustment, ...]:
        return tuple(each for each in self.known if each.item == item and not each.ended)

    def put(self, entrustment: Entrustment) -> "Entrustments":
        """A new one; of one that is known only its validity changes."""
        before = self.find(entrustment.entrustment)
        if before is None:
            return Entrustments((*self.known, entrustment))
        return self._changed(replace(entrustment, ended=before.ended))

    def end(self, key: EntrustmentId, reason: str) -> "Entrustments":
        before = self.find(key)
        return self if before is None or before.ended else self._changed(replace(before, ended=reason))

    def of_items(self, items: Collection[ItemId]) -> "Entrustments":
        return Entrustments(tuple(each for each in self.known if each.item in items))

    def unnamed(self, gone: Collection[Seq] | None = None) -> "Entrustments":
        """Of an earlier epoch, or purged (``gone``): nobody's name may be read at those numbers."""
        return Entrustments(
            tuple(
                replace(each, seq=Seq(0)) if gone is None or each.seq in gone else each for each in self.known
            )
        )

    def _changed(self, entrustment: Entrustment) -> "Entrustments":
        key = entrustment.entrustment
        return Entrustments(tuple(entrustment if each.entrustment == key else each for each in self.known))
