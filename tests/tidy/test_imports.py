"""Who may import what: the rules that import-linter cannot state, and the proof that its own can break."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

from tests.tidy import tree

STANDARD: Final = frozenset(sys.stdlib_module_names)

# A module that must not be, and what it imports.
PLANTED: Final = (
    ("locker/domain/upwards.py", "locker.operations"),
    ("firmware_bridge/sideways.py", "kiosk_ui"),
    ("locker/operations/sideways.py", "sync.wire"),
    ("sync/wire.py", "sync.central"),
    ("hw_sim/planted.py", "firmware_bridge.codecs"),
    ("kiosk_ui/planted.py", "hw_sim.planted"),
    ("locker/domain/clock.py", "time"),
)


def contracts() -> list[dict[str, Any]]:
    with (tree.ROOT / "pyproject.toml").open("rb") as file:
        return list(tomllib.load(file)["tool"]["importlinter"]["contracts"])


def placed_libraries() -> list[str]:
    return list(next(each for each in contracts() if "place" in each["name"])["forbidden_modules"])


def test_every_foreign_library_has_a_place() -> None:
    known = STANDARD | set(placed_libraries()) | set(tree.PACKAGES)
    strangers = {
        f"{name}: {module}"
        for name in tree.product_modules()
        for module in tree.imported(name)
        if not module.startswith(".") and module.split(".")[0] not in known
    }
    assert strangers == set()


def test_the_domain_needs_nothing_but_itself() -> None:
    strangers = {
        f"{name}: {module}"
        for name in tree.product_modules()
        if name.startswith("locker/domain/")
        for module in tree.imported(name)
        if module.split(".")[0] not in STANDARD and not f"{module}.".startswith("locker.domain.")
    }
    assert strangers == set()


def test_the_verifier_is_a_single_file() -> None:
    verify = "locker/journal/verify.py"
    if verify in tree.names():
        assert [module for module in tree.imported(verify) if module.split(".")[0] not in STANDARD] == []


def test_the_verifier_of_evidence_is_one_too_with_signatures() -> None:
    verify = "locker/journal/verify_evidence.py"
    strangers = {module.split(".")[0] for module in tree.imported(verify)} - STANDARD
    assert strangers == {"cryptography"}


def test_each_contract_can_break(tmp_path: Path) -> None:
    """A copy of the packages with one violation of each kind: every one of them must be named."""
    for package in tree.PACKAGES:
        shutil.copytree(tree.ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(tree.ROOT / "pyproject.toml", tmp_path)
    for path, imports in PLANTED:
        (tmp_path / path).write_text(f"import {imports}\n")
    misplaced = tmp_path / "sync" / "misplaced.py"
    misplaced.write_text("".join(f"import {library}\n" for library in placed_libraries()))

    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=50
    )

    assert done.returncode == 1
    assert [each["name"] for each in contracts() if f"{each['name']} BROKEN" not in done.stdout] == []
    expected = [f"{path.removesuffix('.py').replace('/', '.')} -> {imports}" for path, imports in PLANTED]
    expected += [f"sync.misplaced -> {library}" for library in placed_libraries()]
    assert [line for line in expected if f"{line} (l." not in done.stdout] == []
