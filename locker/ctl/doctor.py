"""`lockerctl doctor`: is this machine fit to serve, and what to do where it is not."""

import argparse
import contextlib
import http.client
import json
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from locker.ctl import site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from locker.config import Config
    from locker.ctl.doctor_checks import Machine

CODES: Final = (0, 1, 3)
"""Exit codes by `Grade`. 2 is for a configuration that cannot be used, as with every command."""
PATIENCE_S: Final = 5.0
OK: Final = 200
UPDATE: Final = "systemd/update"
"""Beside the programs of a release that is installed; a checkout has none there."""
ANSWERED_WITHIN_S: Final = 30.0


def arguments(parser: argparse.ArgumentParser) -> None:
    site.with_config(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from locker.ctl.doctor_checks import CHECKS, Grade  # noqa: PLC0415  # late: heavy

    machine = _found(site.config(arguments))
    findings = {name: list(check(machine)) for name, check in CHECKS.items()}
    worst = max((finding.grade for each in findings.values() for finding in each), default=Grade.WELL)
    if arguments.json:
        told = {
            name: [{"grade": f.grade.name.lower(), "told": f.told, "remedy": f.remedy} for f in each]
            for name, each in findings.items()
        }
        print(json.dumps({"worst": worst.name.lower(), "checks": told}, indent=2, ensure_ascii=False))
    else:
        for name, each in findings.items():
            print(f"{name}: {'well' if not each else ''}".rstrip())
            for finding in each:
                print(f"  {finding.grade.name}: {finding.told}\n    → {finding.remedy}")
    return CODES[worst]


def _found(config: "Config") -> "Machine":
    from locker.ctl.doctor_checks import Machine  # noqa: PLC0415  # late
    from locker.platform import Platform, Times  # noqa: PLC0415  # late

    status: Mapping[str, Any] | None = None
    silence = ""
    try:
        status = site.ask_daemon(config, {"do": "status"})
    except site.NoAnswer as problem:
        silence = str(problem)
    with contextlib.closing(Platform.real()) as platform:
        there = config.state_dir if config.state_dir.exists() else config.path.parent
        return Machine(
            config,
            status,
            silence,
            platform.clock.wall_ms(),
            Times.real().is_ntp(),
            platform.disk_used_percent(there),
            partial(_broker_takes, config),
            partial(_page, config),
            partial(_journal, config),
            partial(missing_packages, Path(sys.prefix) / UPDATE),
        )


def _broker_takes(config: "Config") -> bool | None:
    from locker.ctl.provision_hub import broker_takes  # noqa: PLC0415  # late

    mqtt, base = config.mqtt, config.path.parent
    if mqtt.ca:
        try:
            return broker_takes(mqtt.host, mqtt.port, base / mqtt.ca, base / mqtt.cert, base / mqtt.key)
        except OSError:  # its own files are no certificates: that is told by its own check
            return False
    try:
        socket.create_connection((mqtt.host, mqtt.port), timeout=PATIENCE_S).close()
    except OSError:
        return None
    return True


def _page(config: "Config") -> str:
    """What is wrong with it."""
    page = http.client.HTTPConnection(config.kiosk.host, config.kiosk.port, timeout=PATIENCE_S)
    with contextlib.closing(page):
        try:
            page.request("GET", "/healthz")
            status = page.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"nothing answers at port {config.kiosk.port} ({error})"
    return "" if status == OK else f"it answers {status}: nothing can be recorded"


def _journal(config: "Config") -> str:
    """What is wrong with it. Raises OSError, sqlite3.Error, ValueError."""
    from locker.journal import verify  # noqa: PLC0415  # late

    found = verify.check(config.journal_path)
    return f"entry {found.seq}: {found.wrong}" if found.wrong else ""


def missing_packages(update: Path) -> str:
    """Of those that the release here needs of the system, in a sentence; empty: none, or nobody knows."""
    try:
        done = subprocess.run(  # noqa: S603  # our own program, and our words
            (str(update), "packages"),
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWERED_WITHIN_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stderr.strip().removeprefix("update: ") if done.returncode == 1 else ""
