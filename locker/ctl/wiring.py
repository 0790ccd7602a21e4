"""`lockerctl wiring learn`: which input sees which door, proved by opening each vacant door once.

Beside a stopped daemon, whose lock it takes; every pulse is journaled as under the daemon. Exit code 0 where
the whole wiring was learned, 1 where something is left or wrong, 2 for a bad command line or configuration.
"""

import argparse
import asyncio
import os
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from locker.ctl import site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from firmware_bridge.wiring import Wiring
    from locker.assembly import Assembly
    from locker.config import Config
    from locker.ctl.learning import Conclusion, Learned
    from locker.domain.ids import CompartmentNumber


def arguments(parser: argparse.ArgumentParser) -> None:
    learn = parser.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "learn", help="open door after door, see which input moves, write the wiring down"
    )
    site.with_config(learn)
    learn.add_argument("--out", type=Path, metavar="FILE", help="a new file; else locker.learned.toml beside")
    learn.set_defaults(run=_learn)


def _learn(arguments: argparse.Namespace) -> int:
    from firmware_bridge.gpio import GpioError  # noqa: PLC0415  # late: heavy
    from locker.config import ConfigError, load  # noqa: PLC0415  # late
    from locker.ctl.lesson import CannotLearn  # noqa: PLC0415  # late
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late
    from locker.platform import KeysError  # noqa: PLC0415  # late

    out = arguments.out or arguments.config.with_name(f"{arguments.config.stem}.learned.toml")
    try:
        config = load(arguments.config, learning=True)
    except ConfigError as error:
        site.wrong(str(error))
        return 2
    if out.exists() or not out.absolute().parent.is_dir():
        site.wrong(f"{out}: name a new file in a folder that is there")
        return 2
    try:
        conclusion = asyncio.run(_lesson(config))
    except KeyboardInterrupt:
        return site.wrong("ended before all doors were learned; nothing is written")
    except (CannotLearn, JournalError, KeysError, GpioError, OSError) as error:
        return site.wrong(str(error))
    return _write(config, conclusion, out)


async def _lesson(config: "Config") -> "Conclusion":
    from locker.ctl import learning  # noqa: PLC0415  # late: heavy
    from locker.ctl.lesson import Keyboard, Lesson  # noqa: PLC0415  # late
    from locker.domain.ids import StaffId  # noqa: PLC0415  # late

    keyboard = Keyboard()
    try:
        async with _running(config) as parts:
            staff = StaffId(f"console/{os.getuid()}")
            lesson = Lesson(config.wiring, parts, keyboard, staff, lambda text: print(text, flush=True))
            results = await lesson.run()
            conclusion = learning.conclude(config.wiring, results, _known(config))
        if conclusion.complete:
            print("Did each time the door open that was named? Type y or n.", flush=True)
            if (await keyboard.line()).lower() not in {"y", "yes"}:
                doubt = "the technician saw other doors open: correct the locks in the file, or their wires"
                return replace(conclusion, conflicts=(doubt,))
        return conclusion
    finally:
        keyboard.close()


@asynccontextmanager
async def _running(config: "Config") -> "AsyncIterator[Assembly]":
    """The doors at work as under the daemon: journal, lines, followers; without kiosk, scanner and centre."""
    from locker.assembly import assemble  # noqa: PLC0415  # late: heavy
    from locker.ctl.lesson import believed  # noqa: PLC0415  # late
    from locker.daemon import SOFTWARE  # noqa: PLC0415  # late
    from locker.domain.events import Stopped  # noqa: PLC0415  # late
    from locker.journal.journal import Journal  # noqa: PLC0415  # late
    from locker.operations.ports import Decided, JournalFailing  # noqa: PLC0415  # late
    from locker.operations.recover import recover  # noqa: PLC0415  # late
    from locker.platform import Keys, Platform  # noqa: PLC0415  # late

    keys, platform = Keys.load(config.keys_dir, config.locker_id, config.area), Platform.real()
    config.state_dir.mkdir(parents=True, exist_ok=True)
    journal = await Journal.open(
        config.journal_path, platform.clock, platform.random_bytes, platform.journal_thread
    )
    try:
        parts = assemble(config, platform, keys, journal, believed)
        await recover(parts.world, SOFTWARE, journal.boot, config.cabinet, config.policy, known=keys.known)
        followers = [asyncio.create_task(parts.follower.run()), asyncio.create_task(parts.surroundings.run())]
        if parts.around.gpio is not None:
            followers.append(asyncio.create_task(parts.around.gpio.run()))
        try:
            parts.cabinet.start()
            yield parts
        finally:
            await parts.cabinet.close()
            await parts.around.close()
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)
            with suppress(JournalFailing):
                await journal.commit("daemon", lambda _state: Decided(None, (Stopped("wiring learn"),)))
    finally:
        await journal.close()
        platform.close()


def _known(config: "Config") -> "frozenset[CompartmentNumber]":
    """Doors for which an earlier learning of this very wiring vouches: all or none."""
    proved = config.bridge.learned == config.wiring.digest
    return frozenset(config.wiring.compartments) if proved else frozenset()


def _write(config: "Config", conclusion: "Conclusion", out: Path) -> int:
    from locker.config import ConfigError, load_text  # noqa: PLC0415  # late: heavy
    from locker.ctl.rewrite import CannotRewrite, rewritten  # noqa: PLC0415  # late
    from sync import durable  # noqa: PLC0415  # late

    for remark in (*conclusion.remarks, *conclusion.left):
        print(remark)
    if conclusion.conflicts:
        for conflict in conclusion.conflicts:
            site.wrong(conflict)
        return 1
    digest = proved(config.wiring, conclusion.learned).digest if conclusion.complete else ""
    try:
        text = rewritten(config.path.read_text(encoding="utf-8"), conclusion.learned, digest)
        load_text(config.path, text, learning=True)
        durable.write_new(out, text, 0o644)
    except (CannotRewrite, ConfigError, OSError) as error:
        return site.wrong(f"nothing is written: {error}")
    print(f"written: {out}; compare it, put it in place of {config.path.name}, start the daemon")
    if conclusion.left:
        left = "one door is" if len(conclusion.left) == 1 else f"{len(conclusion.left)} doors are"
        return site.wrong(f"{left} still to be learned: until then the wiring does not count as learned")
    return 0


def proved(wiring: "Wiring", learned: "Learned") -> "Wiring":
    """The wiring with what was learned in it."""
    compartments = {
        door: replace(wired, sensor=learned[door][0], closed_level=learned[door][1])
        if door in learned
        else wired
        for door, wired in wiring.compartments.items()
    }
    return replace(wiring, compartments=MappingProxyType(compartments))
