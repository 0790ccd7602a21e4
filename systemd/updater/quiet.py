"""Whether anybody is at the locker: nothing is switched under somebody's hands."""

import json
import tomllib
from typing import Any, Final

from systemd.updater.host import Host
from systemd.updater.roles import Role, as_user

HOME: Final = "home"
KIOSK_PORT: Final = 8080


def busy(host: Host, role: Role, config: str) -> str:
    """Why now is not the moment; empty: it is. A daemon that does not answer serves nobody."""
    if role.name != "locker":
        return ""
    told = host.run(as_user(role, "", "lockerctl", "status", "--config", config))
    if told.code:
        return ""
    try:
        doors = json.loads(told.said)["compartments"]
        is_open = sorted((number for number, each in doors.items() if each["door"] == "open"), key=int)
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""
    if is_open:
        return f"door {', '.join(is_open)} is open"
    screen = host.screen(_port(host, config))
    return "" if screen in ("", HOME) else f"somebody is at the screen ({screen})"


def _port(host: Host, config: str) -> int:
    return int(configured(host, config).get("kiosk", {}).get("port", KIOSK_PORT))


def configured(host: Host, config: str) -> dict[str, Any]:
    """What the configuration says; empty where it cannot be read."""
    try:
        return tomllib.loads((host.disk.read(config) or b"").decode())
    except ValueError:
        return {}
