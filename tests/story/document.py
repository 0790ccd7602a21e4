"""The commands that a document names, in its order."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FENCE: Final = "```"
HEADING: Final = re.compile(r"#+ (.*)")


def commands(document: Path) -> Iterator[tuple[str, str]]:
    """Section and command, of each block of them; what follows a `#` is a word to the reader."""
    section, inside = "", False
    for line in document.read_text("utf-8").splitlines():
        words = line.strip()
        if words.startswith(FENCE):
            inside = not inside and words == FENCE
        elif inside and words:
            yield section, words.partition(" #")[0].rstrip()
        elif not inside and (found := HEADING.fullmatch(line)):
            section = found[1]
