"""placeholder"""

from typing import Any, NamedTuple


class Fact(NamedTuple):
    """One thing that was written down, in plain words and numbers."""

    seq: int
    kind: str
    data: dict[str, Any]
    boot: int
    mono_ms: int
    wall_ms: int
    trusted: bool
    """Whether its wall time was to be believed."""
    cause: str
