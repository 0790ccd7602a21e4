"""`hw-sim fleet`: many lockers on a real broker and a real hub; do the ledgers agree in the end?

With neither `--broker` nor `--keys` it brings broker and hub along and takes them away again.
"""

import argparse
import asyncio
import json
import os
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from hw_sim import clock
from hw_sim.fleet import keys
from hw_sim.fleet.figures import HubUse, Outcome
from hw_sim.fleet.fleet import Fleet, Plan
from hw_sim.fleet.journal import Shelf
from hw_sim.fleet.ledgers import Comparison, Hub
from hw_sim.scratch import heed_endings, ignore_endings, scratch
from hw_sim.stack import NotReadyError, Ports, Stack, command, output

LOCKERS: Final = 20
EVENTS: Final = 50
LOCKERS_MAX: Final = 9_999
FILES_BESIDES: Final = 200
"""Open files that are no locker's connection."""
PATIENCE_S: Final = 60.0
ENROLLED_S: Final = 600.0
"""For thousands of lockers, on a machine that has other things to do."""
MQTT_PORT: Final = 1883
EXPECTED: Final = (NotReadyError, keys.NoKeysError, httpx.HTTPError, OSError, ValueError)
"""What can be wrong with the world; told in a line."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a fleet connects, and where its ledgers are read; ``hub`` is empty where nobody may ask it."""

    host: str
    port: int
    keys: Path
    hub: str = ""
    api_key: str = ""
    hub_process: int = 0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lockers", type=_count, default=LOCKERS, metavar="N")
    parser.add_argument("--events", type=int, default=EVENTS, metavar="M", help="entries of backlog each")
    parser.add_argument(
        "--duration", type=float, default=0.0, metavar="S", help="go on for so long, at least"
    )
    parser.add_argument("--rate", type=float, default=0.0, help="legs of visits that begin, a second")
    parser.add_argument("--pace", type=float, default=1.0, help="how many times faster than people they are")
    parser.add_argument("--churn", type=float, default=0.0, help="connections torn, a minute")
    parser.add_argument("--storm", action="store_true", help="tear all of them at once, half-way")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=PATIENCE_S, metavar="S", help="when nothing moves")
    parser.add_argument(
        "--broker", metavar="URL", help="mqtt://HOST:PORT; otherwise one of its own, and a hub"
    )
    parser.add_argument("--keys", type=Path, metavar="DIR", help="of lockers that are enrolled there")
    parser.add_argument("--make-keys", action="store_true", help="make them in that folder, and end")
    parser.add_argument("--hub", metavar="URL", help="where to read the ledgers back")
    parser.add_argument("--api-key-file", type=Path, metavar="FILE")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="of the hub it brings along"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="leave its files and logs in this new folder"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome there")


def run(options: argparse.Namespace) -> int:
    heed_endings()
    try:
        if options.make_keys:
            return _make_keys(options)
        outcome = _outcome(options)
    except KeyboardInterrupt:
        print("\nhw-sim fleet: stopped", file=sys.stderr)
        return 1
    except EXPECTED as error:
        print(f"hw-sim fleet: {error}", file=sys.stderr)
        return 1
    if options.json:
        text = json.dumps(outcome.as_json(), indent=2, ensure_ascii=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    print(f"{outcome.table()}\n\n{'everything held' if outcome.ok else 'NOT everything held'}")
    return 0 if outcome.ok else 1


def _make_keys(options: argparse.Namespace) -> int:
    if options.keys is None:
        raise ValueError("--make-keys needs --keys DIR")
    keys.make(options.keys, options.lockers, options.seed)
    lists, answers = options.keys / keys.LOCKERS, options.keys / keys.CENTRE
    passwords = options.keys / keys.PASSWORDS
    print(
        f"{options.lockers} lockers. Let the hub and the broker know them:\n"
        f"  locker-central enrol-many {lists} --out {answers}\n"
        f"  cp {passwords} more && mosquitto_passwd -U more   # append it to the broker's own"
    )
    return 0


def _outcome(options: argparse.Namespace) -> Outcome:
    with scratch("fleet") as folder:
        if options.broker:
            return asyncio.run(_run(options, _theirs(options), folder))
        stack = Stack(options.keep or folder / "state", Ports.chosen(preferred=False))
        try:
            _raise_files(options.lockers)
            return asyncio.run(_run(options, _ours(options, stack), folder))
        except EXPECTED as error:
            raise NotReadyError(f"{type(error).__name__}: {error}\n{stack.log_tail('hub')}") from error
        finally:
            ignore_endings()
            stack.stop()


def _theirs(options: argparse.Namespace) -> Stand:
    """Raises ValueError for what was asked wrongly."""
    at = urlsplit(options.broker)
    if at.scheme != "mqtt" or not at.hostname or options.keys is None:
        raise ValueError("--broker mqtt://HOST:PORT goes with --keys DIR of lockers that are enrolled")
    if bool(options.hub) != bool(options.api_key_file):
        raise ValueError("--hub and --api-key-file go together")
    _raise_files(options.lockers)
    key = options.api_key_file.read_text(encoding="utf-8").strip() if options.api_key_file else ""
    return Stand(at.hostname, at.port or MQTT_PORT, options.keys, options.hub or "", key)


def _ours(options: argparse.Namespace, stack: Stack) -> Stand:
    """A broker and a hub in a folder that goes with us."""
    (stack.folder / "logs").mkdir(parents=True)
    stack.start_centre(_settings(options.set))
    folder = stack.folder / "keys"
    keys.make(folder, options.lockers, options.seed)
    lists = [str(folder / keys.LOCKERS), "--out", str(folder / keys.CENTRE)]
    enrol = [command("locker-central"), "enrol-many", *lists, "--config", str(stack.central_config)]
    output(enrol, patience_s=ENROLLED_S)
    stack.admit_all(folder / keys.PASSWORDS)
    host, key = stack.central()["broker"]["host"], stack.central()["web"]["api_keys"][0]
    return Stand(host, stack.ports.broker, folder, stack.hub_url, key, stack.process("hub"))


def _settings(words: list[str]) -> Mapping[str, str]:
    pairs = [word.partition("=") for word in words]
    return {name: value for name, _, value in pairs}


async def _run(options: argparse.Namespace, stand: Stand, folder: Path) -> Outcome:
    plan = Plan(
        options.events,
        options.duration,
        options.rate,
        options.pace,
        options.churn,
        options.storm,
        options.seed,
        options.patience,
    )
    members = keys.load(stand.keys, options.lockers)
    shelf = Shelf(folder / "journals.sqlite")
    hub = Hub(stand.hub, stand.api_key) if stand.hub else None
    try:
        began_s = clock.mono_s()
        fleet = Fleet(plan, shelf, members, stand.host, stand.port)
        made_s = clock.mono_s() - began_s
        if hub:
            await _enrol_helpers(hub, members)
        own_s, hub_s = clock.cpu_s(), _cpu_s(stand.hub_process)
        await fleet.run()
        own_s, use = clock.cpu_s() - own_s, _use(stand.hub_process, hub_s)
        found, dropped = await _ask(hub, fleet)
    finally:
        shelf.close()
        if hub:
            await hub.close()
    return Outcome(len(members), fleet.course, fleet.tally, found, dropped, use, own_s, made_s)


async def _enrol_helpers(hub: Hub, members: list[keys.Member]) -> None:
    for first in range(0, len(members), keys.ROUND):
        group = members[first : first + keys.ROUND]
        await hub.enrol_helper(group[0].keys.helper, [member.keys.locker for member in group])


async def _ask(hub: Hub | None, fleet: Fleet) -> tuple[Comparison | None, int]:
    if hub is None:
        return None, 0
    journals = [(each.locker.name, each.locker.life.journal) for each in fleet.residents]
    return await hub.compare(journals), await hub.dropped()


def _use(process: int, before_s: float) -> HubUse:
    """Of a process of ours that had used so many seconds before."""
    if not process:
        return HubUse()
    words = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    )
    most_kb = words.get("VmHWM", "0 kB")  # not said of one that has ended
    return HubUse(int(most_kb.split()[0]) / 1024, _cpu_s(process) - before_s)


def _cpu_s(process: int) -> float:
    """User and system time so far; 0 for none of ours."""
    if not process:
        return 0.0
    behind_name = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(word) for word in behind_name[11:13]) / os.sysconf("SC_CLK_TCK")


def _raise_files(lockers: int) -> None:
    """Room for a connection each, here and in the broker that we start. Raises ValueError."""
    needed = lockers + FILES_BESIDES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ValueError(f"{lockers} connections need {needed} open files, {hard} are allowed (ulimit -Hn)")
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _count(text: str) -> int:
    count = int(text)
    if not 0 < count <= LOCKERS_MAX:
        raise argparse.ArgumentTypeError(f"1 to {LOCKERS_MAX}")
    return count
