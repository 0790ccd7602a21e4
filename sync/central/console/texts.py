"""The console's words, in Chinese and English."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("zh", "en")
_FOLDER: Final = Path(__file__).parent / "texts"


@dataclass(frozen=True, slots=True)
class Texts:
    language: str
    words: Mapping[str, Mapping[str, str]]

    def __call__(self, key: str, **values: object) -> str:
        """A sentence by ``section.name``. Raises KeyError for one that nobody wrote."""
        section, _, name = key.partition(".")
        return self.words[section][name].format(**values)

    def word(self, section: str, name: str) -> str:
        """A word of the wire as people say it; the word itself where a later locker uses a new one."""
        return self.words[section].get(name, name)


def load() -> Mapping[str, Texts]:
    found = {}
    for language in LANGUAGES:
        with (_FOLDER / f"{language}.toml").open("rb") as file:
            found[language] = Texts(language, tomllib.load(file))
    return found
