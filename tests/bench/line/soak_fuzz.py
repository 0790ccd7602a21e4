"""As many maimed frames as asked for, for the parser of every family; ends with 1 if one was ever wrong.

python -m tests.bench.line.soak_fuzz [--inputs 1000000] [--seed 1] [--json FILE]
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from tests.bench.figures import Sheet
from tests.firmware_bridge import fuzz_parsers

ROUND = 10_000
INPUTS = 1_000_000
Tallies = dict[str, dict[str, int]]


def many(inputs: int, seed: int) -> Tallies:
    """At least so many inputs, the same number for each family."""
    families = fuzz_parsers.families()
    rounds = -(-inputs // (ROUND * len(families)))
    tallies: Tallies = {}
    for family in families:
        tally: Counter[str] = Counter(wrong=0)
        for n in range(rounds):
            outcomes = fuzz_parsers.run(ROUND, seed + n, family)
            if outcomes["wrong"]:
                print(f"{family}, seed {seed + n}: {outcomes['wrong']} wrong")
            tally.update(outcomes)
        tallies[family] = dict(sorted(tally.items()))
        print(f"{family:<14}" + ", ".join(f"{count:,} {name}" for name, count in tallies[family].items()))
    return tallies


def wrong(tallies: Tallies) -> int:
    return sum(tally["wrong"] for tally in tallies.values())


def test_no_frame_is_ever_misread(sheet: Sheet, times: int) -> None:
    tallies = many(INPUTS * times, seed=1)
    inputs = sum(tally["inputs"] for tally in tallies.values())
    answered = sum(tally["answered"] for tally in tallies.values())
    note = f"{inputs:,} inputs for {len(tallies)} families, {answered:,} of them with an answer"
    sheet.at_most("parsers: exceptions and frames misread", wrong(tallies), "of them", 0, note)
    assert wrong(tallies) == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=INPUTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    tallies = many(options.inputs, options.seed)
    if options.json:
        options.json.write_text(json.dumps({"seed": options.seed, **tallies}) + "\n", "utf-8")
    return 1 if wrong(tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
