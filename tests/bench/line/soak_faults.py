"""As many pulses as asked for over a line on which everything goes wrong; ends with 1 if one was ever wrong.

python -m tests.bench.line.soak_faults [--pulses 100000] [--seed 1] [--json FILE]
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from tests.bench.figures import Sheet
from tests.firmware_bridge import soak

ROUND = 500
PULSES = 100_000


def many(pulses: int, seed: int) -> dict[str, int]:
    tally: Counter[str] = Counter()
    for n in range(pulses // ROUND):
        outcomes = soak.run(ROUND, seed + n, baud=(9600, 19200, 115200)[n % 3], echo=n % 2 == 1)
        if outcomes["wrong"]:
            print(f"seed {seed + n}: {outcomes['wrong']} wrong")
        tally.update(outcomes)
    return dict(tally)


def test_no_pulse_is_ever_wrong(sheet: Sheet, times: int) -> None:
    result = many(PULSES * times, seed=1)
    wrong = result.pop("wrong")
    note = f"{PULSES * times:,} pulses: " + ", ".join(f"{count:,} {name}" for name, count in result.items())
    sheet.at_most("pulses twice, late or confirmed falsely", wrong, "of them", 0, note)
    assert wrong == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pulses", type=int, default=PULSES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = {"seed": options.seed, **many(options.pulses, options.seed)}
    print(json.dumps(result))
    if options.json:
        options.json.write_text(json.dumps(result) + "\n", "utf-8")
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
