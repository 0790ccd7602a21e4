"""Which rule of the wire contract is shown by which tests. ``pytest -s`` prints the table."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
RULE: Final = re.compile(r"\*\*((?:LKR|CEN)-\d+)\*\*")
TAG: Final = re.compile(r"mark\.rule\(([^)]*)\)")


def rules() -> list[str]:
    return RULE.findall((ROOT / "docs" / "wire.md").read_text())


def tags() -> dict[str, set[str]]:
    shown: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "tests").rglob("test_*.py"):
        if path == Path(__file__):
            continue
        for names in TAG.findall(path.read_text()):
            for name in re.findall(r"(?:LKR|CEN)-\d+", names):
                shown[name].add(str(path.relative_to(ROOT / "tests")))
    return shown


def number(rule: str) -> tuple[str, int]:
    kind, count = rule.split("-")
    return kind, int(count)


def test_every_tag_names_a_rule_and_every_rule_is_shown() -> None:
    written, shown = rules(), tags()
    assert len(written) == len(set(written)), "a number stands twice"
    for rule in sorted(written, key=number):
        print(f"{rule:7} {', '.join(sorted(shown[rule])) or '— no test'}")
    assert set(shown) - set(written) - {rule for rule in shown if not shown[rule]} == set()
    assert [rule for rule in written if not shown[rule]] == []
