"""A locker of the fleet for tests: keys, a journal, a line that only listens."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hw_sim.chance import Chance
from hw_sim.fleet.frames import Signer, Trusted
from hw_sim.fleet.journal import Shelf
from hw_sim.fleet.life import Life
from hw_sim.fleet.locker import Locker
from hw_sim.fleet.tally import Tally
from hw_sim.fleet.visits import Keys
from sync import seal, wire

NAME = "fleet-0001"
EPOCH = "e" * 32
WALL_MS = 1_790_000_000_000
CENTRE = seal.SigningKey.from_seed(b"c" * 32)
SEAL = seal.SealKey.from_private(b"s" * 32)
OWN = Signer.of(b"o" * 32)


def life(folder: Path, entries: int, seed: int = 1) -> Life:
    """With a past of so many entries, at least; 0: not even born."""
    keys = Keys(NAME, OWN, b"d" * 32, SEAL.public, "helper-1")
    made = Life(keys, Shelf(folder / "journals.sqlite"), 0, EPOCH, Chance(seed))
    if entries:
        made.begin(entries, WALL_MS)
    return made


@dataclass
class Line:
    """What the locker says, as the product reads it."""

    said: list[Any] = field(default_factory=list)
    wills: list[Any] = field(default_factory=list)

    def dial(self, will: bytes) -> None:
        self.wills.append(self._read("link", will))

    def publish(self, kind: str, frame: bytes) -> None:
        self.said.append(self._read(kind.removeprefix("up_"), frame))

    def _read(self, name: str, frame: bytes) -> Any:
        body = seal.open_frame(frame, seal.keyring(OWN.public))
        words = wire.decode(wire.PAYLOADS[wire.Way.UP, wire.Name(name)], body)
        assert wire.encode(words) == body, "the same words in another spelling"
        return words

    def of(self, kind: type[Any]) -> list[Any]:
        return [words for words in self.said if isinstance(words, kind)]


class Scene:
    """One locker, its line, and a centre that says what the test wants."""

    def __init__(self, folder: Path, entries: int = 250) -> None:
        self.tally = Tally()
        self.line = Line()
        self.life = life(folder, entries)
        self.locker = Locker(self.life, Trusted.of(CENTRE.public), self.line, Chance(1), self.tally)
        self.now_s = 0.0

    def connect(self) -> None:
        self.locker.tick(self.now_s, WALL_MS)
        self.locker.ready(self.now_s, WALL_MS)

    def later(self, seconds: float) -> None:
        self.now_s += seconds
        self.locker.tick(self.now_s, WALL_MS)

    def hear(self, words: Any, name: str, *, key: seal.SigningKey = CENTRE, retained: bool = False) -> None:
        topic = wire.CENTRAL_LINK if name == "central" else wire.down(NAME, wire.Name(name)).topic
        frame = seal.frame(key, wire.encode(words))
        self.locker.hear(topic, frame, self.now_s, WALL_MS, retained=retained)

    def hello(self, stored_to: int = 0, window: int = 2, **other: Any) -> None:
        hash_ = self.life.journal.hash_at(min(stored_to, self.life.journal.head)).hex()
        fields = {"nonce": self.nonce, "now": WALL_MS, "up_epoch": EPOCH, "hash": hash_, **other}
        words = wire.Hello(
            locker=NAME, stored_to=stored_to, dn_epoch="d" * 32, dn_head=0, window=window, **fields
        )
        self.hear(words, "hello")

    def ack(self, stored_to: int, *, gap: bool = False, window: int = 2, **other: Any) -> None:
        fields = {"up_epoch": EPOCH, "hash": self.life.journal.hash_at(stored_to).hex(), **other}
        words = wire.DownAck(locker=NAME, stored_to=stored_to, gap=gap, window=window, now=WALL_MS, **fields)
        self.hear(words, "ack")

    @property
    def nonce(self) -> str:
        return str(self.line.of(wire.Link)[-1].nonce)

    @property
    def sent(self) -> list[tuple[int, int]]:
        """The batches so far, first and last entry."""
        return [(batch.from_seq, batch.to_seq) for batch in self.line.of(wire.UpBatch)]
