"""`lockerctl bus scan`: which boards answer on a line, and of which profile they seem to be.

Through the running daemon, between its own questions; or beside a stopped one, then at other baud rates too.
Exit code 0 where somebody answers, 1 where nobody does.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from locker.ctl import site
from locker.ctl.selftest import doors as numbers

if TYPE_CHECKING:
    from firmware_bridge.boards import BoardProfile
    from firmware_bridge.happenings import Frame
    from firmware_bridge.request import Reply
    from firmware_bridge.scan import Found, Question
    from locker.config import Config

DEFAULT_ADDRESSES: Final = range(33)
Ask = Callable[["Question"], "Reply | None"]


def arguments(parser: argparse.ArgumentParser) -> None:
    site.with_config(parser)
    parser.add_argument("--line", metavar="A", help="this one only")
    parser.add_argument("--addresses", type=numbers, metavar="1-32", help="else 0 to 32")
    parser.add_argument("--profiles", type=_words, metavar="NAME,…", help="ask only what these would answer")
    parser.add_argument(
        "--baud", type=numbers, metavar="9600,19200", help="try these; needs a stopped daemon"
    )
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=_scan)


@dataclass(frozen=True, slots=True)
class Result:
    line: str
    baud: int
    found: "Sequence[Found]"
    missing: Sequence[int]
    """Addresses of boards that the configuration has and that did not answer."""
    remarks: Sequence[str]

    def as_dict(self) -> dict[str, Any]:
        boards = [
            {"address": f.address, "profiles": list(f.profiles), "against": dict(f.against)}
            for f in self.found
        ]
        told = {"boards": boards, "missing": list(self.missing), "remarks": list(self.remarks)}
        return {"line": self.line, "baud": self.baud, **told}


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _scan(arguments: argparse.Namespace) -> int:
    from locker.config import ConfigError, load  # noqa: PLC0415  # late: heavy

    try:
        # Before the wiring is learned is just when boards are looked for.
        config = load(arguments.config, learning=True)
        profiles = _profiles(arguments.profiles)
        lines = lines_of(config, arguments.line)
    except (ConfigError, ValueError) as error:
        site.wrong(str(error))
        return 2
    try:
        results = list(_results(config, arguments, profiles, lines))
    except site.NoAnswer as problem:
        return site.wrong(str(problem))
    except KeyboardInterrupt:
        return site.wrong("ended by hand")
    if arguments.json:
        print(json.dumps([result.as_dict() for result in results], ensure_ascii=False))
    else:
        for result in results:
            print("\n".join(_table(result, config)))
    return 0 if any(result.found for result in results) else 1


def _profiles(names: Sequence[str] | None) -> "tuple[BoardProfile, ...]":
    """Raises ProfileError, a ValueError."""
    from firmware_bridge import boards  # noqa: PLC0415  # late: heavy

    return tuple(boards.load(name) for name in names or boards.names())


def lines_of(config: "Config", wish: str | None) -> list[str]:
    """The line that is wished, else all of them. Raises ValueError."""
    known = list(config.wiring.lines)
    if wish is not None and wish not in known:
        raise ValueError(f"there is no line {wish!r}; there are {', '.join(known)}")
    return [wish] if wish is not None else known


def _results(
    config: "Config",
    arguments: argparse.Namespace,
    profiles: "Sequence[BoardProfile]",
    lines: Sequence[str],
) -> Iterator[Result]:
    addresses = arguments.addresses or DEFAULT_ADDRESSES
    if _daemon_runs(config):
        if arguments.baud:
            raise site.NoAnswer("other baud rates need the line for themselves: stop the daemon first")
        for line in lines:
            yield _by_daemon(config, line, profiles, addresses)
        return
    from locker.ctl.bus import offline  # noqa: PLC0415  # late: heavy
    from locker.journal.errors import JournalError  # noqa: PLC0415  # late

    try:
        with offline.lock(config):
            for line in lines:
                for baud in arguments.baud or [config.wiring.lines[line].baud]:
                    yield _alone(config, line, baud, profiles, addresses)
    except (JournalError, OSError, ValueError) as error:
        raise site.NoAnswer(str(error)) from error


def _daemon_runs(config: "Config") -> bool:
    try:
        site.ask_daemon(config, {"do": "status"})
    except site.NoAnswer:
        return False
    return True


def _by_daemon(
    config: "Config", line: str, profiles: "Sequence[BoardProfile]", addresses: Sequence[int]
) -> Result:
    from firmware_bridge import scan  # noqa: PLC0415  # late: heavy
    from firmware_bridge.happenings import Frame  # noqa: PLC0415  # late

    asked: set[bytes] = set()

    def ask(question: scan.Question) -> "Reply | None":
        asked.add(scan.telegram(question))
        wish = {"profile": question.profile.name, "address": question.address, "ask": question.ask}
        return scan.heard(site.ask_daemon(config, {"do": "bus inquire", "line": line, **wish})["reply"])

    def frames(**wish: int) -> Mapping[str, Any]:
        return site.ask_daemon(config, {"do": "bus frames", "line": line, **wish})

    start = frames()["last"] + 1
    wired = config.wiring.lines[line]
    found = _surveyed(line, scan.askable(profiles, packets=wired.timing.packets), addresses, ask)
    rows = frames(**{"from": start})["frames"]
    passed = [Frame(n, at_s, sent, bytes.fromhex(data)) for n, at_s, sent, data in rows]
    ours = passed if wired.timing.packets else scan.concerning(passed, asked)
    return _result(config, line, wired.baud, found, addresses, ours)


def _alone(
    config: "Config", line: str, baud: int, profiles: "Sequence[BoardProfile]", addresses: Sequence[int]
) -> Result:
    from firmware_bridge import scan  # noqa: PLC0415  # late: heavy
    from locker.ctl.bus.offline import Probe  # noqa: PLC0415  # late

    wired = config.wiring.lines[line]
    profiles = scan.askable(profiles, packets=wired.timing.packets)
    with closing(Probe(wired, baud)) as probe:
        found = _surveyed(f"{line} at {baud}", profiles, addresses, lambda asked: probe.ask(asked).reply)
        return _result(config, line, baud, found, addresses, probe.frames())


def _surveyed(
    line: str, profiles: "Sequence[BoardProfile]", addresses: Sequence[int], ask: Ask
) -> "Sequence[Found]":
    from firmware_bridge import scan  # noqa: PLC0415  # late: heavy

    survey, live = scan.survey(profiles, addresses), sys.stderr.isatty()
    try:
        question = next(survey)
        while True:
            if live:
                said = f"line {line}: address {question.address} of {max(addresses)}, {question.profile.name}"
                print(f"\r\x1b[K{said}", end="", file=sys.stderr, flush=True)
            question = survey.send(ask(question))
    except StopIteration as end:
        found: Sequence[Found] = end.value
        return found
    finally:
        if live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _result(  # all that one line has to say
    config: "Config",
    line: str,
    baud: int,
    found: "Sequence[Found]",
    addresses: Sequence[int],
    frames: "Sequence[Frame]",
) -> Result:
    from firmware_bridge import scan  # noqa: PLC0415  # late: heavy

    heard = {each.address for each in found}
    configured = {each.address for each in config.wiring.on_line(line)}
    missing = [address for address in addresses if address in configured - heard]
    packets = config.wiring.lines[line].timing.packets
    return Result(line, baud, found, missing, scan.remarks(found, frames, packets=packets))


def _table(result: Result, config: "Config") -> Iterator[str]:
    from locker.domain.ids import BoardId  # noqa: PLC0415  # late

    count = f"{len(result.found)} board{'' if len(result.found) == 1 else 's'}"
    yield f"line {result.line}, {result.baud} baud: {count}"
    for each in result.found:
        place = f"{result.line}/{each.address}"
        named = " or ".join(each.profiles) or "somebody answers, but no profile fits"
        yield f"  {place:<7} {named}{_as_configured(config, place, each)}"
        if len(each.profiles) > 1:
            yield "          reads cannot tell these apart: look at the board's label and its manual"
        if not each.profiles:
            yield from (f"          {name}: {why}" for name, why in each.against.items())
    for address in result.missing:
        place = f"{result.line}/{address}"
        profile = config.wiring.boards[BoardId(place)].profile.name
        yield f"  {place:<7} nobody answers  (CONFIGURED AS {profile})"
    yield from (f"  {remark}" for remark in result.remarks)


def _as_configured(config: "Config", place: str, found: "Found") -> str:
    from locker.domain.ids import BoardId  # noqa: PLC0415  # late

    board = config.wiring.boards.get(BoardId(place))
    if board is None:
        return "  (not in the configuration)"
    if board.profile.name in found.profiles:
        return "  (as configured)" if len(found.profiles) == 1 else f"  (configured: {board.profile.name})"
    return f"  (CONFIGURED AS {board.profile.name})"
