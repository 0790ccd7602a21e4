"""What a whole fleet counts while it runs."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Written by every locker, read at the end."""

    connections: int = 0
    losses: Counter[str] = field(default_factory=Counter)
    births: int = 0
    hellos_s: list[float] = field(default_factory=list)
    """From a birth to the hello that answers it."""
    acknowledged_s: list[float] = field(default_factory=list)
    """From the commit of an entry to its acknowledgement, of those committed while the fleet ran."""
    batches: int = 0
    entries: int = 0
    resent: int = 0
    """Entries that went up again."""
    gaps: int = 0
    waits: int = 0
    unheard: int = 0
    applied: int = 0
    """Entries of the centre's log."""
    dropped: Counter[str] = field(default_factory=Counter)
