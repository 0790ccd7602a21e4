"""The network and the broker."""

from dataclasses import fields
from typing import Any, Final

from tests.world.broker import Weather
from tests.world.centre import NAME as CENTRE
from tests.world.faults.harm import Kind, Scene
from tests.world.times import DAY_S, HOUR_S


def cut_off(scene: Scene, client: str, for_s: float | None = None) -> None:
    broker = scene.world.broker

    def apply(causes: list[bool]) -> None:
        if not causes:
            broker.mend(client, "network")
        elif "network" not in broker.cut_off.get(client, ()):
            broker.cut(client, "network")

    scene.strike()
    scene.lasts(scene.harm.layers(f"network {client}", apply).add(True), for_s)


def _partition(scene: Scene) -> None:
    cut_off(scene, scene.machine.name)


def _hub_cut_off(scene: Scene) -> None:
    cut_off(scene, CENTRE)


def _expired(scene: Scene) -> None:
    """A certificate has run out: who is connected stays so, nobody gets in anew."""
    broker = scene.world.broker
    client = scene.rng.choice((scene.machine.name, CENTRE))

    def apply(causes: list[bool]) -> None:
        if causes:
            broker.barred.add(client)
        else:
            broker.barred.discard(client)

    scene.strike()
    scene.lasts(scene.harm.layers(f"barred {client}", apply).add(True))


def _restart(scene: Scene, *, forgets: bool) -> None:
    """Away for a moment or for a while."""
    broker = scene.world.broker

    def apply(causes: list[bool]) -> None:
        broker.up = not causes

    scene.strike()
    broker.restart(forgets=forgets)
    scene.lasts(scene.harm.layers("broker", apply).add(True))


def _broker_restart(scene: Scene) -> None:
    _restart(scene, forgets=False)


def _broker_forgets(scene: Scene) -> None:
    _restart(scene, forgets=True)


def weather(scene: Scene, **bad: float) -> None:
    """The worst of everything that is in force."""
    broker = scene.world.broker

    def apply(wishes: list[dict[str, Any]]) -> None:
        for each in fields(Weather):
            now = [wish[each.name] for wish in wishes if each.name in wish]
            setattr(broker.weather, each.name, max([each.default, *now]))

    scene.strike()
    scene.lasts(scene.harm.layers("weather", apply).add(bad))


def _loss(scene: Scene) -> None:
    weather(scene, loss=scene.rng.uniform(0.05, 0.8))


def _twice(scene: Scene) -> None:
    weather(scene, twice=scene.rng.uniform(0.05, 0.8))


def _late(scene: Scene) -> None:
    weather(scene, late=scene.rng.uniform(0.05, 0.5), late_s=scene.rng.choice((2.0, 20.0, 300.0, 3_600.0)))


def _slow(scene: Scene) -> None:
    weather(scene, latency_s=scene.rng.choice((0.3, 1.0, 4.0)), jitter_s=scene.rng.choice((0.1, 1.0, 3.0)))


def _spoilt(scene: Scene) -> None:
    weather(scene, spoilt=scene.rng.uniform(0.02, 0.5))


KINDS: Final = (
    Kind("partition", (0.2, 6.0), (5.0, 6 * HOUR_S), _partition),
    Kind("days_offline", (0.02, 0.2), (DAY_S / 2, 7 * DAY_S), _partition),
    Kind("hub_cut_off", (0.1, 2.0), (5.0, 3 * HOUR_S), _hub_cut_off),
    Kind("certificate_expired", (0.05, 0.5), (60.0, 12 * HOUR_S), _expired),
    Kind("broker_restart", (0.1, 3.0), (0.1, 120.0), _broker_restart),
    Kind("broker_forgets", (0.1, 1.0), (0.1, 120.0), _broker_forgets),
    Kind("loss", (0.5, 6.0), (10.0, 2 * HOUR_S), _loss),
    Kind("twice", (0.5, 6.0), (10.0, 2 * HOUR_S), _twice),
    Kind("late", (0.5, 6.0), (10.0, 2 * HOUR_S), _late),
    Kind("slow_network", (0.5, 6.0), (10.0, 2 * HOUR_S), _slow),
    Kind("spoilt", (0.2, 3.0), (10.0, 2 * HOUR_S), _spoilt),
)
