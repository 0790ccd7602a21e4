"""Seven days of a noisy line, one exchange in a hundred lost, under virtual time: no wrong door, ever.

The seven days are shared out among the families, so that it stays a matter of minutes; TIMES=9 gives each of
them seven days of its own. The planted faults below are there to show that it would be noticed.
"""

import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

from tests.bench.figures import Sheet
from tests.contract.joined import cabinet_of
from tests.contract.life import NOISE, Life

FAMILIES: Final = {
    "waveshare-32": "FC02 and FC05",
    "eletechsup-n4d3e16": "FC03 and FC06",
    "kerong-cu48-modbus": "FC01",
    "fc05-8": "timed pulses",
    "xor8a-24": "8A",
    "wkly-24": "WKLY",
    "kerong-cu16": "Kerong CU16",
    "kerong-cu48": "Kerong CU48",
    "winnsen-16": "Winnsen",
}
DAYS: Final = 7
DAY_S: Final = 86_400
PIECES: Final = 2
"""Each family's time, in pieces of their own seeds."""
LOSS: Final = {"request_loss": 0.005, "loss": 0.005}
"""One frame in a hundred is lost; what else is noise comes on top."""
PAUSE_S: Final = 200.0
BURSTS_S: Final = 0.015


@dataclass(frozen=True, slots=True)
class Lived:
    profile: str
    seed: int
    wrong: tuple[str, ...]
    frames: int
    lost: int
    tally: Counter[str]
    longest_s: float


def live(task: tuple[str, int, float]) -> Lived:
    profile, seed, for_s = task
    joined = cabinet_of(profile, bursts_s=BURSTS_S, seed=seed)
    joined.break_it(**NOISE | LOSS)
    life = Life(joined, seed=seed)
    life.run(for_s, PAUSE_S)
    kinds = Counter({kind.value: count for kind, count in joined.frames.items()})
    lost = kinds["request_lost"] + kinds["reply_lost"] + kinds["spoilt"]
    return Lived(profile, seed, tuple(life.wrong), kinds["request"], lost, life.tally, life.longest_s)


def test_no_door_is_ever_believed_wrongly(sheet: Sheet, times: int) -> None:
    each_s = DAYS * DAY_S * times / len(FAMILIES)
    tasks = [(profile, seed, each_s / PIECES) for seed in range(1, PIECES + 1) for profile in FAMILIES]
    began_s = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as workers:
        lives = list(workers.map(live, tasks))
    faster = each_s * len(FAMILIES) / (time.monotonic() - began_s)
    for profile, family in FAMILIES.items():
        mine = [life for life in lives if life.profile == profile]
        wrong = [words for life in mine for words in life.wrong]
        for words in wrong[:10]:
            print(f"{profile}: {words}")
        frames, lost = sum(life.frames for life in mine), sum(life.lost for life in mine)
        tally = sum((life.tally for life in mine), Counter[str]())
        slowest_s = max(life.longest_s for life in mine)
        note = (
            f"{each_s / DAY_S:.1f} days, {frames:,} questions, {lost / frames:.1%} of them lost; "
            f"{tally['seen open']:,} openings, the slowest seen after {slowest_s:.1f} s; "
            f"{tally['BoardLost']:,} losses of a board"
        )
        sheet.at_most(f"{family}: doors believed wrongly, pulses wrong", len(wrong), "of them", 0, note)
    sheet.tells("noise on simulated lines, virtual time", faster, "× real time")
    assert all(life.frames > 0 for life in lives)
