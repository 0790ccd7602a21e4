"""Entries that name somebody, by number: when what they were for ended. Never the names themselves.

A name is kept in its entry's personal part alone, so forgetting it is a matter of numbers: of a record that
has left the state its number stays here until the personal part is gone from the file.
"""

from bisect import insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from locker.domain.ids import Epoch, Seq


@dataclass(frozen=True, slots=True, order=True)
class Ended:
    """What the entry ``seq`` named somebody for ended ``at_ms``, by the wall clock."""

    at_ms: int
    seq: Seq


@dataclass(frozen=True, slots=True, order=True)
class Past:
    """An earlier epoch of this journal, over since ``at_ms``: no name in it is read any more."""

    at_ms: int
    epoch: Epoch


@dataclass(frozen=True, slots=True)
class Named:
    ended: tuple[Ended, ...] = ()
    """Earliest first."""
    past: tuple[Past, ...] = ()

    def ends(self, seqs: Iterable[Seq], at_ms: int) -> "Named":
        """No record speaks of these any more; 0, the number of no entry, is passed over."""
        new = [Ended(at_ms, seq) for seq in seqs if seq]
        if not new:
            return self
        ended = list(self.ended)
        for each in new:
            insort(ended, each)
        return replace(self, ended=tuple(ended))

    def begun(self, past: Epoch, at_ms: int) -> "Named":
        """Another epoch: numbers of the one before mean nothing in it."""
        return Named((), (*self.past, Past(at_ms, past)))

    def without(self, seqs: Collection[Seq], past: str) -> "Named":
        """These are gone from the file."""
        return Named(
            tuple(each for each in self.ended if each.seq not in seqs),
            tuple(each for each in self.past if each.epoch != past),
        )
