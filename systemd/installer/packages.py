"""Packages of the system: which a role needs, and which a machine lacks. One list, `packages.toml`."""

import re
import tomllib
from collections.abc import Sequence
from typing import Final

LIST: Final = "systemd/packages.toml"
"""In a checkout, in a release, and in what is made of either."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9+.-]{1,99}")


def named(text: bytes, role: str) -> tuple[str, ...]:
    """Those that a role needs wherever it runs. Raises ValueError where ``text`` is no such list."""
    return _listed(text, role, "everywhere")


def named_for(text: bytes, role: str, machine: str) -> tuple[str, ...]:
    """Those that it needs on such a ``machine``, as `uname -m` says it. Raises ValueError."""
    return named(text, role) + (_listed(text, role, "arm") if is_arm(machine) else ())


def is_arm(machine: str) -> bool:
    return machine.startswith(("aarch64", "arm"))


def _listed(text: bytes, role: str, part: str) -> tuple[str, ...]:
    table = tomllib.loads(text.decode()).get(role, {})
    names = table.get(part, []) if isinstance(table, dict) else None
    if not isinstance(names, list) or not all(isinstance(n, str) and _NAME.fullmatch(n) for n in names):
        raise ValueError(f"[{role}] {part}: names of packages were expected")
    return tuple(names)


def question(names: Sequence[str], admin: str = "/var/lib/dpkg") -> tuple[str, ...]:
    """The command whose words `lacking` understands. It ends with 1 where one was never heard of."""
    return ("/usr/bin/dpkg-query", f"--admindir={admin}", "-W", "-f", "${Package} ${Status}\\n", *names)


def lacking(names: Sequence[str], said: str) -> tuple[str, ...]:
    """Those that are not installed whole, by what dpkg says of them."""
    there = {line.split()[0] for line in said.splitlines() if line.endswith(" ok installed")}
    return tuple(name for name in names if name not in there)


def remedy(names: Sequence[str]) -> str:
    """What somebody types."""
    return f"sudo apt-get install --no-install-recommends {' '.join(names)}"
