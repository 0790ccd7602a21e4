"""The OpenAPI document of the whole hub: what it allows to ask breaks nothing, every answer stands in it."""

from typing import Final

from tests.sync.central import described
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.test_ledger import BIRTH, CABINET, VISIT

EXAMPLES: Final = 3
"""A look at every route; `soak_described` looks longer."""
SEED: Final = 20260


def test_every_route_answers_as_its_document_says(parts: Parts) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    app = people.whole(parts, people.entrance(parts))
    count, problems = described.every(parts, app, EXAMPLES, SEED)
    assert not problems, "\n".join(problems)
    assert count > 30
