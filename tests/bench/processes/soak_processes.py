"""A thousand visits, in each one process killed; the ledgers compared every twenty. TIMES=10 for more.

They are made on installations of two hundred visits each, several side by side. Those that are done are kept,
so a stopped run goes on with the others.
"""

import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from tests.bench.figures import Sheet
from tests.bench.kept import CACHE, Kept, version
from tests.processes import judge
from tests.processes.rig import QuickStack, Rig, rig
from tests.processes.rounds import Rounds

ROUNDS: Final = 1_000
JUDGED_EVERY: Final = 20
A_RIG: Final = 200
"""So many on one installation: the phones remember no more messages than these bring about."""
SIDE_BY_SIDE: Final = 3
"""Installations at a time: half of a round is waiting for what was started anew."""


def test_killed_again_and_again(sheet: Sheet, times: int) -> None:
    kept, seeds = Kept(CACHE / "processes.json", version()), [str(n) for n in range(ROUNDS * times // A_RIG)]
    with ProcessPoolExecutor(SIDE_BY_SIDE, get_context("spawn")) as side:
        lives = {side.submit(lived, seed): seed for seed in seeds if seed not in kept}
        for life in as_completed(lives):
            kept.put(lives[life], **life.result())
    rows = [kept[seed] for seed in seeds]
    wrong = [f"seed {seed}: {each}" for seed in seeds for each in kept[seed]["wrong"]]
    kills, waited = sum(row["kills"] for row in rows), sum(row["waited"] for row in rows)
    note = f"kill -9 of lockerd, hub or broker; {waited:,} of {kills:,} in mid-visit"
    sheet.tells("rounds of people and killed processes", len(seeds) * A_RIG, "rounds", note)
    sheet.at_most("rounds after which something was lost, doubled or false", len(wrong), "of them", 0)
    assert wrong == []


def lived(seed: str) -> dict[str, Any]:
    """An installation from its first visit to its last."""
    folder = tempfile.mkdtemp(prefix="rig-")
    print(f"seed {seed}: {folder}, which stays if something goes wrong", flush=True)
    with rig(Path(folder) / "r", QuickStack) as running:
        rounds = Rounds(running, int(seed))
        wrong = played(running, rounds, seed)
    if not wrong:
        shutil.rmtree(folder)
    return {"wrong": wrong, "kills": rounds.kills.total(), "waited": rounds.in_mid_visit}


def played(running: Rig, rounds: Rounds, seed: str) -> list[str]:
    """What was wrong on this installation, in words."""
    wrong = list[str]()
    rounds.begin()
    for n in range(A_RIG // JUDGED_EVERY):
        rounds.play(JUDGED_EVERY)
        wrong += judge.judged(running, rounds.people.acknowledged)
        print(f"seed {seed}: {(n + 1) * JUDGED_EVERY} of {A_RIG} rounds, {len(wrong)} wrong", flush=True)
    verdict = judge.verified(running)
    return [*wrong, *([verdict] if verdict else []), *sorted(running.troubles())]
