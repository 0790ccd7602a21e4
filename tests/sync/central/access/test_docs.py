"""docs/access.md shows the matrix that is."""

import re
from pathlib import Path

from sync.central.access import matrix
from sync.central.access.throttle import LIMITS

DOCUMENT = Path(__file__).parents[4] / "docs" / "access.md"


def test_the_document_shows_the_matrix() -> None:
    (shown,) = re.findall(r"<!-- matrix -->\n(.*?)<!-- /matrix -->", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert shown == matrix.page(), "print sync.central.access.matrix.page() between its marks"


def test_the_document_tells_the_limits_of_guessing() -> None:
    rows = re.findall(r"\| (\d+) \| 1 s \| (\d+) (s|min) \|", DOCUMENT.read_text("utf-8"))
    told = [(int(free), int(most) * (1000 if unit == "s" else 60_000)) for free, most, unit in rows]
    assert told == [(limit.free, limit.longest_ms) for limit in LIMITS.values()]
