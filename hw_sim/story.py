"""`hw-sim story`: a life of one locker, played through the doors that people have, faults included.

Ends by comparing the locker's journal with the hub's ledger row by row and hash by hash, and by looking for
secrets in all that was written. Exit 0 only if everything held.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from hw_sim.people import DidNotHappenError
from hw_sim.scenes import Scenes
from hw_sim.scratch import heed_endings, ignore_endings, scratch
from hw_sim.stack import NotReadyError, Ports, Stack


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome there")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="leave all files and logs in this new folder"
    )


def run(options: argparse.Namespace) -> int:
    heed_endings()
    with scratch("story") as folder:
        stack = Stack(options.keep or folder / "state", Ports.chosen(preferred=False), eeprom=True)
        scenes = Scenes(stack)
        try:
            problem = _problem(scenes.play)
            if problem:
                print(
                    f"\nDID NOT HOLD: {problem}\n\nlocker's log:\n{stack.log_tail('locker')}", file=sys.stderr
                )
        finally:
            ignore_endings()
            stack.stop()
        scenes.outcome.seconds = scenes.seconds()
        scenes.outcome.problem = problem or _problem(scenes.look_again)
    outcome = scenes.outcome
    if options.json:
        text = json.dumps(outcome.as_json(), indent=2, ensure_ascii=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    print(f"\n{outcome.table()}\n\n{'everything held' if outcome.ok else 'NOT everything held'}")
    return 0 if outcome.ok else 1


def _problem(part: Callable[[], None]) -> str:
    """What did not hold in a part of the story; empty where all did."""
    try:
        part()
    except (DidNotHappenError, NotReadyError, httpx.HTTPError) as error:
        return f"{type(error).__name__}: {error}"
    except KeyboardInterrupt:
        return "it was interrupted"
    return ""
