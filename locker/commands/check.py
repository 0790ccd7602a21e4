"""``check``: what `night_check` finds, through the control socket."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from firmware_bridge.scanner import ScannerReport
from locker.control import Answer
from locker.domain.figures import LineFigures
from locker.operations.night_check import night_check
from locker.operations.ports import World

WATCH_S: Final = (1, 600)


def answers(
    world: World,
    figures: Callable[[], tuple[LineFigures, ...]],
    scanner: Callable[[], ScannerReport | None],
) -> Mapping[str, Answer]:
    def why() -> str:
        report = scanner()
        return "" if report is None or report.device else report.why or "it is not there"

    async def check(question: Mapping[str, Any]) -> Mapping[str, Any]:
        """``watch_s``: between two looks; answers ``findings``, none where all is well."""
        watch_s, (low, high) = question.get("watch_s", 60), WATCH_S
        if type(watch_s) is not int or not low <= watch_s <= high:
            return {"ok": False, "problem": f"watch_s is a whole number from {low} to {high}"}
        return {"findings": [asdict(each) for each in await night_check(world, figures, why, watch_s)]}

    return {"check": check}
