"""Many more questions than the document's own test asks, and wrong ones too."""

from typing import Final

import pytest
from schemathesis import GenerationMode

from tests.sync.central import described
from tests.sync.central.access import people
from tests.sync.central.conftest import *  # noqa: F403  # its fixtures and the two databases
from tests.sync.central.conftest import Parts
from tests.sync.central.test_ledger import BIRTH, CABINET, VISIT

EXAMPLES: Final = 40
SEED: Final = 1
BOTH: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.mark.timeout(7200)
def test_every_route_answers_as_its_document_says(parts: Parts, times: int) -> None:
    parts.locker.add(BIRTH, CABINET, *VISIT)
    parts.ingest()
    app = people.whole(parts, people.entrance(parts))
    _, problems = described.every(parts, app, EXAMPLES * times, SEED, BOTH)
    assert not problems, "\n".join(problems)
