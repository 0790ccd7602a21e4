"""Whoever has the broker: says old things again, says what nobody signed, and what nobody can read."""

from collections.abc import Iterator
from typing import Final

from sync.seal import HEAD_BYTES, SigningKey, frame
from sync.wire.topics import DELIVERIES, Name, Way, down, up
from tests.world import times
from tests.world.broker import Parcel
from tests.world.faults.harm import Kind, Scene
from tests.world.times import DAY_S, HOUR_S

AT_ONCE: Final = 40
BIG: Final = 1_500_000
SPREAD_S: Final = 20.0


def _topics(scene: Scene) -> list[str]:
    name = scene.machine.name
    return [(up if way is Way.UP else down)(name, what).topic for way, what in DELIVERIES]


def _say(scene: Scene, parcels: list[Parcel], after_s: float) -> None:
    """Each at some moment of the next ``SPREAD_S``, and not after calm."""
    said = 0

    def say(parcel: Parcel) -> None:
        nonlocal said
        if not scene.harm.is_calm:
            said += 1
            if said == 1:
                scene.strike()
            scene.world.broker.replay(parcel)

    for parcel in parcels:
        moment_s = scene.now_s + after_s + SPREAD_S * scene.rng.random()
        times.at(moment_s, lambda each=parcel: say(each))  # type: ignore[misc]


def _heard(scene: Scene, way: Way | None = None) -> list[Parcel]:
    """Some of what was said about this locker, not long ago or long ago."""
    part = f"/{scene.machine.name}/" if way is None else f"/{scene.machine.name}/{way}/"
    heard = [parcel for parcel in scene.world.broker.heard if part in parcel.topic]
    return scene.rng.sample(heard, min(AT_ONCE, len(heard)))


def _replay(scene: Scene) -> None:
    _say(scene, _heard(scene), scene.for_s)


def _mutated(scene: Scene) -> None:
    _say(scene, [_with(parcel, _mutant(scene, parcel.payload)) for parcel in _heard(scene)], 0.0)


def _mutant(scene: Scene, payload: bytes) -> bytes:
    rng, octets = scene.rng, bytearray(payload)
    way = rng.randrange(4)
    if way == 0 and octets:
        octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
    elif way == 1:
        del octets[rng.randrange(len(octets) + 1) :]
    elif way == 2:
        octets += rng.randbytes(rng.randint(1, 64))
    else:
        at = rng.randrange(len(octets) + 1)
        octets[at:at] = octets[: rng.randrange(len(octets) + 1)]
    return bytes(octets)


def _junk(scene: Scene) -> None:
    """On every topic: nothing, noise, deep nesting, and far too much."""
    _say(
        scene,
        [Parcel(topic, junk, 1, False, 0.0) for topic in _topics(scene) for junk in _rubbish(scene)],
        0.0,
    )


def _rubbish(scene: Scene) -> Iterator[bytes]:
    yield b""
    yield scene.rng.randbytes(scene.rng.randint(1, 4_000))
    yield b"[" * 5_000
    yield b'{"v":1,"locker":"' + scene.machine.name.encode() + b'"}'
    yield bytes(BIG)


def _forged(scene: Scene) -> None:
    """What the centre said and the locker too, word for word, signed by somebody else or by nobody."""
    stranger = SigningKey.from_seed(scene.rng.randbytes(32))
    forged = []
    for parcel in _heard(scene):
        head, body = parcel.payload[:HEAD_BYTES], parcel.payload[HEAD_BYTES:]
        forged.append(_with(parcel, frame(stranger, body)))
        forged.append(_with(parcel, head[:9] + scene.rng.randbytes(HEAD_BYTES - 9) + body))
    _say(scene, forged, 0.0)


def _misdirected(scene: Scene) -> None:
    """Rightly signed, and on another topic: what was meant for another place, or another way."""
    topics = _topics(scene)
    moved = [_on(parcel, scene.rng.choice(topics)) for parcel in _heard(scene)]
    _say(scene, moved, 0.0)


def _with(parcel: Parcel, payload: bytes) -> Parcel:
    return Parcel(parcel.topic, payload, parcel.qos, parcel.retain, parcel.expires_s)


def _on(parcel: Parcel, topic: str) -> Parcel:
    return Parcel(topic, parcel.payload, parcel.qos, parcel.retain, parcel.expires_s)


KINDS: Final = (
    Kind("replay", (0.2, 3.0), (1.0, 30 * DAY_S), _replay),
    Kind("mutated", (0.2, 3.0), (HOUR_S, HOUR_S), _mutated),
    Kind("junk", (0.1, 1.0), (HOUR_S, HOUR_S), _junk),
    Kind("forged", (0.2, 3.0), (HOUR_S, HOUR_S), _forged),
    Kind("misdirected", (0.2, 3.0), (HOUR_S, HOUR_S), _misdirected),
)
__all__ = ["KINDS", "Name"]
