"""The configuration's text with another wiring in it. Only lines that change are touched; comments stay."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from locker.config.places import line_of
from locker.ctl.learning import Learned

KEY_AND_VALUE: Final = re.compile(r"(\s*[\w\"']+\s*=\s*)(\"[^\"\n]*\"|'[^'\n]*'|-?\w+)(.*)")


class CannotRewrite(Exception):
    """The text is not laid out as it must be. The message says what to do."""


def rewritten(text: str, learned: Learned, digest: str) -> str:
    """``text`` with the sensors and levels of these doors, and ``digest`` as what was learned.

    ``text`` is TOML that parses and holds all of these doors. Raises CannotRewrite.
    """
    wanted = _wanted(tomllib.loads(text), learned, digest)
    try:
        text = _edited(text, wanted, learned, digest)
        came = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        came = {}
    if came != wanted:
        raise CannotRewrite("it is not written as [[compartments]] and [bridge] with one key a line: do so")
    return text


def _edited(text: str, wanted: Mapping[str, Any], learned: Learned, digest: str) -> str:
    """May be nonsense where the text is laid out in another way. Raises TOMLDecodeError for some of that."""
    for row, table in enumerate(wanted["compartments"]):
        if table["number"] in learned:
            place = ("compartments", row)
            text = _with(text, (*place, "sensor"), table["sensor"], behind=(*place, "lock"))
            level = table["door_closed_level"]
            text = _with(text, (*place, "door_closed_level"), level, behind=(*place, "sensor"))
    return _with_digest(text, digest)


def _wanted(table: dict[str, Any], learned: Learned, digest: str) -> dict[str, Any]:
    for row in table["compartments"]:
        if row["number"] in learned:
            sensor, level = learned[row["number"]]
            row["sensor"], row["door_closed_level"] = str(sensor), int(level)
    if digest or "learned" in table.get("bridge", {}):
        table.setdefault("bridge", {})["learned"] = digest
    return table


def _with(text: str, place: tuple[str | int, ...], value: str | int, behind: tuple[str | int, ...]) -> str:
    """One key's line with another value; a new line where there is none yet."""
    lines = text.split("\n")
    written = f'"{value}"' if isinstance(value, str) else str(value)
    at = line_of(text, place) - 1
    found = KEY_AND_VALUE.fullmatch(lines[at]) if _is_key(lines[at], str(place[-1])) else None
    if found is not None:
        lines[at] = f"{found[1]}{written}{found[3]}"
    else:
        lines.insert(line_of(text, behind), f"{place[-1]} = {written}")
    return "\n".join(lines)


def _with_digest(text: str, digest: str) -> str:
    bridge = tomllib.loads(text).get("bridge")
    if bridge is None:
        end = "" if text.endswith("\n") else "\n"
        return f'{text}{end}\n[bridge]\nlearned = "{digest}"\n' if digest else text
    if not digest and "learned" not in bridge:
        return text
    return _with(text, ("bridge", "learned"), digest, behind=("bridge",))


def _is_key(line: str, key: str) -> bool:
    return line.partition("=")[0].strip().strip("\"'") == key
