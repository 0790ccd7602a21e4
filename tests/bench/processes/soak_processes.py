"""A thousand visits, in each one process killed; the ledgers compared every twenty. TIMES=10 for more."""

import tempfile
from pathlib import Path
from typing import Final

from tests.bench.figures import Sheet
from tests.processes import judge
from tests.processes.rig import rig
from tests.processes.rounds import Rounds

ROUNDS: Final = 1_000
JUDGED_EVERY: Final = 20
A_RIG: Final = 200
"""So many on one installation: the phones remember no more messages than these bring about."""


def test_killed_again_and_again(sheet: Sheet, times: int) -> None:
    wrong, played, kills, waited = list[str](), 0, 0, 0
    for seed in range(ROUNDS * times // A_RIG):
        with tempfile.TemporaryDirectory(prefix="rig-") as folder, rig(Path(folder) / "r") as running:
            rounds = Rounds(running, seed)
            rounds.begin()
            for _ in range(A_RIG // JUDGED_EVERY):
                rounds.play(JUDGED_EVERY)
                found = judge.judged(running, rounds.people.acknowledged)
                wrong += [f"seed {seed}: {each}" for each in found]
                played += JUDGED_EVERY
                print(f"{played:,} rounds, {len(wrong)} wrong", flush=True)
            wrong += [verdict] if (verdict := judge.verified(running)) else []
            wrong += sorted(running.troubles())
            kills += rounds.kills.total()
            waited += rounds.in_mid_visit
    note = f"kill -9 of lockerd, hub or broker; {waited:,} of {kills:,} in mid-visit"
    sheet.tells("rounds of people and killed processes", played, "rounds", note)
    sheet.at_most("rounds after which something was lost, doubled or false", len(wrong), "of them", 0)
    assert wrong == []
