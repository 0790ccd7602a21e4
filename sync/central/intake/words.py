"""What an applicant is told of their case: names of messages, and of papers in one line."""

from collections.abc import Iterable
from typing import Final

from sync.central.intake.stages import Paper
from sync.central.outgoing import BETWEEN

SUPPLEMENT_REQUESTED: Final = "supplement_requested"
DEFERRED_PROMISED: Final = "deferred_promised"
OWED_EXTENDED: Final = "owed_extended"
OWED_REMINDER: Final = "owed_reminder"
OWED_OVERDUE: Final = "owed_overdue"
CASE_DECIDED: Final = "case_decided"


def names(papers: Iterable[Paper]) -> str:
    return BETWEEN.join(paper.name for paper in papers)
