"""`lockerctl doctor`: is this machine fit to serve, and what to do where it is not."""

import argparse
import contextlib
import http.client
import json
import socket
from functools import partial
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
