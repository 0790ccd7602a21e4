"""What this repository holds: every file that is committed or would be."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("locker", "firmware_bridge", "sync", "kiosk_ui", "hw_sim")
PICTURES: Final = (".png", ".jpg", ".webp", ".woff2", ".mp3", ".ico")


@cache
def names() -> tuple[str, ...]:
    """Paths from the root, of files that exist."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    return tuple(sorted(name for name in listed if name and (ROOT / name).is_file()))


def ending_in(*suffixes: str) -> Iterator[str]:
    return (name for name in names() if name.endswith(suffixes))


def texts() -> Iterator[tuple[str, str]]:
    """Every text file with its content, bytes read as they are."""
    for name in names():
        if not name.endswith(PICTURES):
            yield name, (ROOT / name).read_bytes().decode()


def product_modules() -> Iterator[str]:
    return (name for name in ending_in(".py") if name.split("/")[0] in PACKAGES)


@cache
def parsed(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_bytes(), name)


def imported(name: str) -> Iterator[str]:
    """Full names of the modules that a module imports, wherever in it the import stands."""
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
