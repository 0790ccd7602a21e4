"""The words of pages, in Chinese and English."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
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


@cache
def load(folder: Path = _FOLDER) -> Mapping[str, Texts]:
    """Of ``folder``, which has one for each language. Every room brings a file of its own there, and may add
    words to a section that others have begun."""
    return {language: Texts(language, _words(folder / language)) for language in LANGUAGES}


def _words(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """Raises ValueError for a word that two files have."""
    words: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("*.toml")):
        for section, more in tomllib.loads(path.read_text(encoding="utf-8")).items():
            known = words.setdefault(section, {})
            if twice := known.keys() & more.keys():
                raise ValueError(f"{path}: [{section}] {', '.join(sorted(twice))}: written before")
            known.update(more)
    return words
