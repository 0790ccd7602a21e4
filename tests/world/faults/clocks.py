"""Wall clocks that are wrong. Monotonic ones never are."""

from typing import TYPE_CHECKING, Final

from tests.world.faults.harm import Kind, Scene, Undo
from tests.world.times import DAY_S, HOUR_S, true_wall_ms

if TYPE_CHECKING:
    from tests.world.times import MachineTime

STEPS_S: Final = (1.0, 2.5, 10.0, 60.0, 600.0, HOUR_S, 25 * HOUR_S, 7 * DAY_S, 31 * DAY_S, 366 * DAY_S)
YEAR_2099_MS: Final = 4_070_908_800_000
PPM_MAX: Final = 200e-6
HUB_STEP_MAX_S: Final = 90.0


def shift(scene: Scene, who: str, time: "MachineTime", by_ms: int) -> Undo:
    """So far from where it would be; several add up."""

    def apply(shifts: list[int]) -> None:
        time.offset_ms = sum(shifts)

    return scene.harm.layers(f"clock {who}", apply).add(by_ms)


def _lie(scene: Scene) -> None:
    scene.strike()
    scene.world.lies.add("clock")
    if scene.rng.random() < 0.5:
        _no_ntp(scene)


def _no_ntp(scene: Scene) -> None:
    """Else the daemon is told that this clock can be trusted."""
    time = scene.machine.time

    def apply(causes: list[bool]) -> None:
        time.is_ntp = not causes

    scene.lasts(scene.harm.layers(f"ntp {scene.machine.name}", apply).add(True))


def _step(scene: Scene) -> None:
    by_s = scene.rng.choice(STEPS_S) * scene.rng.choice((-1, 1))
    _lie(scene)
    scene.lasts(shift(scene, scene.machine.name, scene.machine.time, round(by_s * 1000)))


def _year_1970(scene: Scene) -> None:
    _lie(scene)
    scene.lasts(shift(scene, scene.machine.name, scene.machine.time, -true_wall_ms()))


def _year_2099(scene: Scene) -> None:
    _lie(scene)
    scene.lasts(shift(scene, scene.machine.name, scene.machine.time, YEAR_2099_MS - true_wall_ms()))


def _frozen(scene: Scene) -> None:
    time = scene.machine.time

    def apply(moments: list[int]) -> None:
        time.frozen_ms = moments[0] if moments else None

    _lie(scene)
    scene.lasts(scene.harm.layers(f"frozen {scene.machine.name}", apply).add(time.wall_ms()))


def _drift(scene: Scene) -> None:
    """Without NTP it goes wrong by and by; in the end it is set right."""
    time = scene.machine.time
    drift = scene.rng.choice((-1, 1)) * PPM_MAX * scene.rng.uniform(0.1, 1.0)

    def apply(drifts: list[float]) -> None:
        time.drift = sum(drifts)

    scene.strike()
    _no_ntp(scene)
    scene.lasts(shift(scene, scene.machine.name, time, -round(time.up_ms() * drift)))
    scene.lasts(scene.harm.layers(f"drift {scene.machine.name}", apply).add(drift))


def _ntp_lost(scene: Scene) -> None:
    scene.strike()
    _no_ntp(scene)


def _hub_step(scene: Scene) -> None:
    by_s = scene.rng.uniform(0.5, HUB_STEP_MAX_S) * scene.rng.choice((-1, 1))
    scene.strike()
    scene.world.lies.add("hub_clock")
    scene.lasts(shift(scene, "hub", scene.world.centre.time, round(by_s * 1000)))


KINDS: Final = (
    Kind("clock_step", (0.1, 4.0), (1.0, 6 * HOUR_S), _step),
    Kind("year_1970", (0.02, 0.5), (1.0, 2 * HOUR_S), _year_1970),
    Kind("year_2099", (0.02, 0.5), (1.0, 2 * HOUR_S), _year_2099),
    Kind("clock_frozen", (0.05, 1.0), (1.0, 6 * HOUR_S), _frozen),
    Kind("clock_drift", (0.05, 0.5), (HOUR_S, 5 * DAY_S), _drift),
    Kind("ntp_lost", (0.1, 2.0), (60.0, DAY_S), _ntp_lost),
    Kind("hub_clock_step", (0.05, 1.0), (1.0, 6 * HOUR_S), _hub_step),
)
