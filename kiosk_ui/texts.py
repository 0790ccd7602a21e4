"""The words on the page, one file a language: every key in each, with the same placeholders."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

LANGUAGES: Final = ("zh", "en")


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """One language, of which there is one. Keys are dotted: ``screen.home.title``."""

    language: str
    entries: Mapping[str, str]

    def say(self, key: str, values: Mapping[str, object]) -> str:
        """The text of ``key`` with its placeholders filled. Raises KeyError for an unknown key."""
        return self.entries[key].format_map(values)

    def has(self, key: str) -> bool:
        return key in self.entries


@cache
def load(language: str) -> Texts:
    """The texts of one of `LANGUAGES`, from the package itself."""
    with (files("kiosk_ui") / "texts" / f"{language}.toml").open("rb") as file:
        return Texts(language, dict(_flat("", tomllib.load(file))))


def load_all() -> dict[str, Texts]:
    return {language: load(language) for language in LANGUAGES}


def _flat(prefix: str, table: Mapping[str, object]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        key = f"{prefix}{name}"
        found += _flat(f"{key}.", value) if isinstance(value, Mapping) else [(key, str(value).strip())]
    return found
