"""Seeded chance: the only place of the simulator that draws random numbers."""

from random import Random  # noqa: TID251  # seeded per stream: the same seed replays the same faults


class Chance:
    """One independent stream a name, so that switching one fault on does not shift the others."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: dict[str, Random] = {}

    def happens(self, name: str, probability: float) -> bool:
        """Draws in every case: the stream's position depends on the number of frames alone."""
        return self._stream(name).random() < probability

    def below(self, name: str, limit: int) -> int:
        return self._stream(name).randrange(limit)

    def octets(self, name: str, length: int) -> bytes:
        return self._stream(name).randbytes(length)

    def _stream(self, name: str) -> Random:
        if name not in self._streams:
            self._streams[name] = Random(f"{self._seed}/{name}")
        return self._streams[name]
