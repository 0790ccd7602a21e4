"""The Python packages as one wheel, by the locked build back end itself: nothing is fetched."""

import sys
import tempfile
from pathlib import Path
from typing import Final

from systemd.packer.tree import ALONE, PYTHON, Checkout, ran

_BUILD: Final = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


def wheel(source: Checkout, to: Path) -> Path:
    """Where it is. From a copy: building leaves things behind, and not in somebody's checkout."""
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        source.copy((*source.under(*PYTHON), *ALONE), copy)
        said = ran((sys.executable, "-c", _BUILD, str(to.resolve())), cwd=copy, env=source.environment)
    path = to / said.splitlines()[-1]
    path.chmod(0o644)
    return path
