"""Looks for what must not be written down: plain codes, full phone numbers, keys, in every file of a run."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SQLITE_HEAD: Final = b"SQLite format 3\0"
LENGTH_MIN: Final = 10
"""Shorter digits turn up in hashes by chance."""
WORD_MIN: Final = 12
"""Of a password, a token, a key's own text."""


@dataclass(frozen=True, slots=True)
class Found:
    files: int
    bytes: int
    where: tuple[str, ...]
    """``FILE: KIND``; never the secret itself."""


def search(folder: Path, secrets: Iterable[tuple[str, str]]) -> Found:
    """Every file below ``folder`` for ``(kind, secret)``: words as they are, digits as shown too."""
    wanted = [(kind, form) for kind, secret in secrets for form in _forms(secret)]
    files = size = 0
    where: set[str] = set()
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        files += 1
        for data in _contents(path):
            size += len(data)
            where |= {f"{path.relative_to(folder)}: {kind}" for kind, form in wanted if form in data}
    return Found(files, size, tuple(sorted(where)))


def _forms(secret: str) -> Iterator[bytes]:
    """As it is; digits also in the groups in which people read them."""
    digits = secret.isdigit()
    if len(secret) < (LENGTH_MIN if digits else WORD_MIN):
        raise ValueError("enough of it is looked for to be no chance")
    yield secret.encode()
    for gap in (" ", "-") if digits else ():
        for cuts in ((3, 7), (4, 8)):
            yield gap.join(secret[a:b] for a, b in zip((0, *cuts), (*cuts, None), strict=True)).encode()


def _contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file; of a database also its rows, which pages may cut in two."""
    data = path.read_bytes().rstrip(b"\0")  # a log of a database is as long as it may grow
    yield data
    if data.startswith(SQLITE_HEAD):
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            for statement in database.iterdump():
                yield statement.encode()
