"""What long runs have done, kept for the state of the code that did it: a run that ended early goes on."""

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

CACHE: Final = Path(".cache")


def version() -> str:
    """Of the code: the commit, and what was changed since."""
    commit, changes = _git("rev-parse", "--short=12", "HEAD").strip(), _git("diff", "HEAD")
    changed = f"-changed-{hashlib.sha256(changes.encode()).hexdigest()[:8]}" if changes else ""
    return (commit or "no repository") + changed


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], capture_output=True, text=True, errors="replace", check=False
    ).stdout


class Kept:
    """Rows by name, of ``code`` alone: with other code it begins anew. Written whole or not at all."""

    def __init__(self, path: Path, code: str) -> None:
        self._path, self.code = path, code
        self._rows: dict[str, dict[str, Any]] = {}
        if path.exists():
            body = json.loads(path.read_text(encoding="utf-8"))
            if body.get("commit") == code:
                self._rows = body["rows"]

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def put(self, name: str, **row: Any) -> None:
        self._rows[name] = row
        self._path.parent.mkdir(exist_ok=True)
        fresh = self._path.with_suffix(".new")
        body = {"commit": self.code, "rows": self._rows}
        fresh.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(self._path)
