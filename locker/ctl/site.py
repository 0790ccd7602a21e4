"""What every command needs: the configuration, and an answer of the daemon."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from locker.config import Config

DEFAULT_CONFIG: Final = Path("/etc/doclocker/locker.toml")


class NoAnswer(Exception):
    """The daemon is not there, or refused. The message says which, and what to do."""


def with_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG)


def config(arguments: argparse.Namespace) -> "Config":
    """The configuration named on the command line; ends the program with 2 where it does not fit."""
    from locker.config import ConfigError, load  # noqa: PLC0415  # late: heavy

    try:
        return load(arguments.config)
    except ConfigError as error:
        wrong(str(error))
        sys.exit(2)


def ask_daemon(config: "Config", question: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the running daemon answers, with ``ok`` true. Raises NoAnswer."""
    import asyncio  # noqa: PLC0415  # late: heavy

    from locker.control import ask  # noqa: PLC0415  # late

    try:
        answer = asyncio.run(ask(config.control_path, question))
    except OSError as error:
        raise NoAnswer(f"no daemon listens at {config.control_path}: {error}") from error
    except ValueError as error:
        raise NoAnswer(f"the daemon at {config.control_path} gave no answer: see its log") from error
    if not answer["ok"]:
        raise NoAnswer(str(answer["problem"]))
    return answer


def wrong(what: str) -> int:
    """Say it; the exit code that goes with it."""
    print(f"lockerctl: {what}", file=sys.stderr)
    return 1
