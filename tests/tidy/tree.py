"""What this repository holds: every file that is committed or would be."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Outline:
    """What is asked of a module: its statements without what is in them."""

    imported: tuple[str, ...]
    """Full names of the modules that it imports, wherever in it the import stands."""
    functions: tuple[tuple[str, int], ...]
    """Each with its lines."""
    caught: tuple[tuple[int, ast.expr | None], ...]
    """Where, and what."""


@cache
def outline(name: str) -> Outline:
    """No tree is kept: those of all modules together are some hundred megabytes."""
    statements = list(_statements(ast.parse((ROOT / name).read_bytes(), name)))
    imported: list[str] = []
    for node in statements:
        if isinstance(node, ast.Import):
            imported += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imported.append("." * node.level + (node.module or ""))
    functions = tuple(
        (node.name, node.end_lineno - node.lineno + 1)
        for node in statements
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
    )
    caught = tuple((node.lineno, node.type) for node in statements if isinstance(node, ast.ExceptHandler))
    return Outline(tuple(imported), functions, caught)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every one, however deep; expressions, which are ten times as many, are not gone into."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, part, ())


def imported(name: str) -> tuple[str, ...]:
    return outline(name).imported
