"""A small locker.toml that holds, to be spoilt line by line."""

from pathlib import Path

TEXT = """\
# A locker of two doors.
[locker]
id = "loc-1"
area = "park"
state_dir = "state"
keys_dir = "keys"

[kiosk]
port = 8080

[mqtt]
host = "127.0.0.1"
port = 1883

[lines.A]
url = "/dev/null"
baud = 9600

[boards]
"A/1" = "waveshare-d8"

[[compartments]]
number = 1
size = "S"
lock = "A/1/1"
sensor = "A/1/1"

[[compartments]]
number = 2
size = "M"
lock = "A/1/2"
sensor = "A/1/2"
reach = "low"

[policy]
hold_days = 9
"""


def write(folder: Path, text: str = TEXT) -> Path:
    path = folder / "locker.toml"
    path.write_text(text, encoding="utf-8")
    return path


def line(begins: str, nth: int = 1) -> int:
    """Where the ``nth`` line of TEXT stands that begins so."""
    return [n for n, each in enumerate(TEXT.splitlines(), 1) if each.startswith(begins)][nth - 1]


def instead(of: str, put: str, nth: int = 1) -> str:
    """TEXT with one line put another way."""
    lines = TEXT.splitlines()
    lines[line(of, nth) - 1] = put
    return "\n".join(lines) + "\n"


def behind(what: str, put: str, nth: int = 1) -> str:
    """TEXT with a line more."""
    lines = TEXT.splitlines()
    lines.insert(line(what, nth), put)
    return "\n".join(lines) + "\n"
