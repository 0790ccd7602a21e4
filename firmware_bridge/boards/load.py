"""From a profile's text to its data, checked before anything is sent with it."""

import tomllib
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, get_args, get_type_hints

from firmware_bridge.boards.check import check
from firmware_bridge.boards.profile import SPEECHES, BoardProfile
from firmware_bridge.errors import ProfileError

CODECS: Final = frozenset({*SPEECHES, "winnsen-duty"})

Section = TypeVar("Section")


def names() -> tuple[str, ...]:
    """All profiles that come with the product."""
    files = resources.files("firmware_bridge.boards").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


@cache
def load(name: str) -> BoardProfile:
    """The profile ``name``. Raises ProfileError."""
    if name not in names():
        raise ProfileError(name, "name", f"unknown; there are {', '.join(names())}")
    return parse(name, resources.files("firmware_bridge.boards").joinpath(f"{name}.toml").read_text("utf-8"))


def named(name: str, folder: Path) -> BoardProfile:
    """The profile that a configuration in ``folder`` names: one that comes with the product, or a file of its
    own, ``boards/mine.toml``. Raises ProfileError."""
    if not name.endswith(".toml"):
        return load(name)
    path = folder / name
    try:
        return parse(path.stem, path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(name, "file", f"cannot be read ({error})") from error


def parse(name: str, text: str) -> BoardProfile:
    """A profile from its text, checked. Raises ProfileError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(name, "file", str(error)) from error
    codec = table.get("codec")
    if codec not in CODECS:
        raise ProfileError(name, "codec", f"there are {', '.join(sorted(CODECS))}")
    family = str(codec).partition("-")[0]
    kind: type[Any] = SPEECHES[family]
    speech = _build(name, family, kind, table.pop(family, {}))
    profile = _build(name, "profile", BoardProfile, {"name": name, **table}, {"speech": speech})
    check(profile)
    return profile


def _build(
    profile: str, where: str, kind: type[Section], table: Any, ready: dict[str, Any] | None = None
) -> Section:
    """A dataclass from a table; members that are dataclasses themselves from the tables inside."""
    if not isinstance(table, dict):
        raise ProfileError(profile, where, "is not a table")
    hints = get_type_hints(kind)
    known = [field.name for field in fields(kind) if field.name not in (ready or {})]  # type: ignore[arg-type]
    values = dict(ready or {})
    for key, value in table.items():
        if key not in known:
            raise ProfileError(profile, f"{where}.{key}", f"unknown key; there are {', '.join(known)}")
        wanted = _wanted(hints[key])
        if isinstance(wanted, type) and is_dataclass(wanted):
            values[key] = _build(profile, f"{where}.{key}", wanted, value)
        elif type(value) is not wanted:
            raise ProfileError(profile, f"{where}.{key}", f"{value!r} is of the wrong kind")
        else:
            values[key] = value
    missing = [f.name for f in fields(kind) if f.default is MISSING and f.name not in values]  # type: ignore[arg-type]
    if missing:
        raise ProfileError(profile, where, f"lacks {', '.join(missing)}")
    return kind(**values)


def _wanted(hint: Any) -> Any:
    if isinstance(hint, UnionType):
        return next(each for each in get_args(hint) if each is not NoneType)
    return hint
