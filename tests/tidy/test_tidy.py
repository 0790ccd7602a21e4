"""Habits that no linter knows: small files, nothing left half done, nothing that does not belong.

Words that must not appear are written so that they do not match themselves: this file is looked
through as well.
"""

import ast
import re
from collections.abc import Iterable
from typing import Final

from tests.tidy import tree

# These only ever go down.
FILE_LINES_MAX: Final = 450
FUNCTION_LINES_MAX: Final = 70
BROAD_EXCEPTS_PER_LINES: Final = 1000
TRACKED_KIB_MAX: Final = 1024

TOP: Final = frozenset(
    {".ci", ".gitattributes", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "docs"}
    | {"firmware_bridge", "hw_sim", "kiosk_ui", "locker", "pyproject.toml", "sync", "systemd", "tests"}
)
CHILDREN: Final = {
    "locker": {
        "anchor",
        "domain",
        "operations",
        "journal",
        "config",
        "control",
        "commands",
        "assembly",
        "keyfiles",
        "kiosk_server",
        "watchdog",
        "watching",
        "daemon",
        "platform",
        "ctl",
        "__main__",
    },
    "sync": {"wire", "link", "seal", "durable", "certificates", "trust", "edge", "central"},
}
NO_NAMES: Final = frozenset({"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"})

UNFINISHED: Final = re.compile(
    r"\b(?:TO[D]O|FIX[M]E|XX[X]|HA[C]K|NotImplemented[E]rror)\b"
    r"|type: [i]gnore(?!\[)|# no[q]a(?!: ?[A-Z]+\d+)"
)
FOREIGN: Final = re.compile(
    r"pypi\.[o]rg|python[h]osted\.org|npm[j]s\.(?:org|com)|deb[i]an\.org|crates\.[i]o|proxy\.[g]olang"
    r"|(?:^|[^\w.])/(?:wo[r]k|fa[r]m|ro[o]t|ho[m]e|tmp/pl[a]n|opt/py[p]i)\b"
    r"|\.\./sha[r]ed|\bissue #?[0-9]",
    re.MULTILINE,
)
NAMED_TEST: Final = re.compile(r"`((?:[a-z_]+/)*(?:test|soak)_\w+)`")
NEVER_TRACKED: Final = re.compile(
    r"(^|/)(__pycache__|\.venv|node_modules|\.hypothesis|[^/]+\.egg-info)/"
    r"|(^|/)(uv\.lock|poetry\.lock|\.env|\.DS_Store)$"
    r"|\.(pyc|db|sqlite3?|db-wal|db-shm|log|orig|rej|pem|key|whl)$"
)


def found(pattern: re.Pattern[str], texts: Iterable[tuple[str, str]]) -> list[str]:
    return [
        f"{name}:{text.count(chr(10), 0, hit.start()) + 1}: {hit.group().strip()}"
        for name, text in texts
        for hit in pattern.finditer(text)
    ]


def test_files_stay_small() -> None:
    code = tree.ending_in(".py", ".js", ".css", ".html", ".sql", ".sh")
    lengths = {name: len((tree.ROOT / name).read_text().splitlines()) for name in code}
    assert {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_functions_stay_small() -> None:
    long = {
        f"{name}:{function}": lines
        for name in tree.ending_in(".py")
        for function, lines in tree.outline(name).functions
        if lines > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_nothing_is_left_half_done() -> None:
    code = (".py", ".js", ".html", ".css", ".sh")
    assert found(UNFINISHED, ((name, text) for name, text in tree.texts() if name.endswith(code))) == []


def test_no_registry_and_no_machine_of_ours_is_named() -> None:
    assert found(FOREIGN, tree.texts()) == []


def test_few_excepts_catch_everything() -> None:
    modules = list(tree.product_modules())
    lines = sum(len((tree.ROOT / name).read_text().splitlines()) for name in modules)
    broad = [
        f"{name}:{line}" for name in modules for line, caught in tree.outline(name).caught if is_broad(caught)
    ]
    assert len(broad) <= lines / BROAD_EXCEPTS_PER_LINES, broad


def is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(is_broad(each) for each in caught.elts)
    return caught is None or (isinstance(caught, ast.Name) and caught.id in {"Exception", "BaseException"})


def test_the_top_level_is_fixed() -> None:
    assert {name.split("/")[0] for name in tree.names()} - TOP == set()


def test_packages_have_no_unlisted_child() -> None:
    strangers = {
        f"{package}/{child}"
        for name in tree.product_modules()
        for package, child in [name.removesuffix(".py").split("/")[:2]]
        if package in CHILDREN and child != "__init__" and child not in CHILDREN[package]
    }
    assert strangers == set()


def test_every_module_says_what_it_is() -> None:
    words = {name: NO_NAMES & set(name.removesuffix(".py").split("/")) for name in tree.ending_in(".py")}
    assert {name for name, bad in words.items() if bad} == set()


def test_nothing_is_tracked_that_should_not_be() -> None:
    assert [name for name in tree.names() if NEVER_TRACKED.search(name)] == []
    assert [name for name in tree.names() if (tree.ROOT / name).stat().st_size > TRACKED_KIB_MAX * 1024] == []


def test_lines_end_as_lines_do() -> None:
    assert [name for name, text in tree.texts() if "\r" in text] == []
    assert [name for name, text in tree.texts() if text and not text.endswith("\n")] == []


def test_the_tests_that_documents_name_are_there() -> None:
    named = {
        (name, f"tests/{test}.py")
        for name in tree.ending_in(".md")
        for test in NAMED_TEST.findall((tree.ROOT / name).read_text())
    }
    assert named, "docs/safety.md names the tests that show what it promises"
    assert {(name, test) for name, test in named if not (tree.ROOT / test).exists()} == set()


def test_these_checks_can_fail() -> None:
    """One planted example of each pattern is seen, and its harmless neighbour is not."""
    for pattern, bad, good in (
        (UNFINISHED, "x = 1  # TO~DO: later", "x = 1  # todo list of the helper"),
        (UNFINISHED, "f()  # type: ~ignore", "f()  # type: ~ignore[misc]  # why"),
        (UNFINISHED, "f()  # no~qa", "f()  # no~qa: S101  # why"),
        (FOREIGN, "see /wo~rk/main", "see http://host/wo~rk/main"),
        (FOREIGN, "https://py~pi.org/simple", "the registry"),
        (FOREIGN, "closes issue ~7", "an issue of 7 days"),
        (NEVER_TRACKED, "locker/__pycache__/x.py", "locker/cache.py"),
    ):
        assert pattern.search(bad.replace("~", "")), bad
        assert not pattern.search(good.replace("~", "")), good
