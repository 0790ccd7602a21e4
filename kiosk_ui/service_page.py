"""What the service page shows: doors, boards, sensors, versions and the self-test, as words and figures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from kiosk_ui.backroom import Sight, Terminal
from kiosk_ui.names import Screen
from kiosk_ui.screens import Visit
from kiosk_ui.texts import Texts
from kiosk_ui.whys import why
from locker.domain import acceptance as found
from locker.domain.acceptance import Finding
from locker.domain.compartment import Compartment
from locker.domain.figures import BoardFigures, LineFigures
from locker.domain.ids import CompartmentNumber
from locker.domain.state import LockerState

T = TypeVar("T")
Content = dict[str, Any]

PAGE: Final[Mapping[str, int]] = {"doors": 24, "sensors": 24, "boards": 8, "self_test": 24, "versions": 99}
"""What fits on one page of each tab, also on the smaller kind of screen: a board's doors, or eight boards."""


def content(screen: Screen, visit: Visit, state: LockerState, sight: Sight, texts: Texts) -> Content | None:
    """The tab that is looked at; None on every other screen."""
    if screen is not Screen.SERVICE:
        return None
    return {"tab": visit.tab, "page": 0, "pages": 1} | _TABS[visit.tab](visit, state, sight, texts)


def pages(visit: Visit, state: LockerState, sight: Sight) -> int:
    """How many pages the tab has just now, at least one."""
    counts = {
        "doors": len(state.compartments),
        "sensors": len(state.compartments),
        "boards": sum(len(line.boards) for line in sight.lines),
        "self_test": sum(isinstance(fact, found.DoorResult) for fact in sight.facts),
    }
    return max(1, -(-counts.get(visit.tab, 1) // PAGE[visit.tab]))


def place(screen: Screen, visit: Visit, state: LockerState, sight: Sight) -> str:
    """Which page of how many; empty where there is one."""
    count = pages(visit, state, sight) if screen is Screen.SERVICE else 1
    return f" · {min(visit.page, count - 1) + 1} / {count}" if count > 1 else ""


def _paged(visit: Visit, every: Sequence[T]) -> tuple[Sequence[T], Content]:
    """The part on the page, and which page that is; past the end it is the last one."""
    size = PAGE[visit.tab]
    count = max(1, -(-len(every) // size))
    page = min(visit.page, count - 1)
    return every[page * size : (page + 1) * size], {"page": page, "pages": count}


# Doors


def _doors(visit: Visit, state: LockerState, sight: Sight, texts: Texts) -> Content:
    del sight
    shown, place = _paged(visit, tuple(state.compartments.values()))
    return {"kind": "tiles", "tiles": [_door_tile(c, state, texts) for c in shown], **place}


def _door_tile(compartment: Compartment, state: LockerState, texts: Texts) -> Content:
    seen = f"{_word(texts, 'position', compartment.position)} · {_word(texts, 'inside', compartment.item)}"
    return {
        "door": compartment.spec.number,
        "look": compartment.status.value,
        "position": compartment.position.value,
        "lines": [_word(texts, "status", compartment.status), seen, _last(compartment, state, texts)],
        "act": "service_door",
        "data": {"door": compartment.spec.number},
    }


def _last(compartment: Compartment, state: LockerState, texts: Texts) -> str:
    opening = state.opening_of(compartment.spec.number)
    return texts.say(f"outcome.{opening.phase.value if opening else 'none'}", {})


def facts(visit: Visit, state: LockerState, sight: Sight, texts: Texts) -> list[dict[str, str]]:
    """All that is known of the one door."""
    compartment = state.compartments.get(visit.door or CompartmentNumber(0))
    if compartment is None:
        return []
    known = {
        "status": _status(compartment, texts),
        "position": _word(texts, "position", compartment.position),
        "inside": _word(texts, "inside", compartment.item),
        "last": _last(compartment, state, texts),
        "wear": str(compartment.wear),
        "wires": _wired(compartment.spec.number, sight, texts),
    }
    return [{"label": texts.say(f"word.{key}", {}), "value": text} for key, text in known.items() if text]


def _status(compartment: Compartment, texts: Texts) -> str:
    """With its reason; what lies behind a fault or a block is said too."""
    parts = [_word(texts, "status", compartment.status)]
    if cause := compartment.fault or compartment.blocked or compartment.barred:
        parts.append(why(cause, texts))
        if compartment.occupied:
            parts.append(texts.say("status.occupied", {}))
    return " · ".join(parts)


def _wired(door: CompartmentNumber, sight: Sight, texts: Texts) -> str:
    wires = sight.wires.get(door)
    if wires is None:
        return ""
    item = texts.say("word.item_input", {"place": _raw(wires.item, sight)}) if wires.item else ""
    lock = "/".join(map(str, wires.lock))
    parts = (
        texts.say("word.lock", {"place": lock}),
        texts.say("word.sensor", {"place": _raw(wires.sensor, sight)}),
    )
    return " · ".join(part for part in (*parts, item) if part)


def _raw(terminal: Terminal, sight: Sight) -> str:
    """``A/7/1 = 1``: the terminal, and its level as it came over the wire."""
    level = sight.level(terminal)
    return f"{terminal[0]}/{terminal[1]} = {'–' if level is None else int(level)}"


# Sensors, boards, versions


def _sensors(visit: Visit, state: LockerState, sight: Sight, texts: Texts) -> Content:
    shown, place = _paged(visit, tuple(state.compartments.values()))
    return {"kind": "tiles", "tiles": [_sensor_tile(c, sight, texts) for c in shown], **place}


def _sensor_tile(compartment: Compartment, sight: Sight, texts: Texts) -> Content:
    wires = sight.wires.get(compartment.spec.number)
    lines = []
    if wires is not None:
        lines.append(f"{_raw(wires.sensor, sight)} → {_word(texts, 'position', compartment.position)}")
    if wires is not None and wires.item is not None:
        lines.append(f"{_raw(wires.item, sight)} → {_word(texts, 'inside', compartment.item)}")
    return {
        "door": compartment.spec.number,
        "look": "sensor",
        "position": compartment.position.value,
        "lines": lines,
    }


_COLUMNS: Final = ("board", "profile", "standing", "latency", "errors", "line")


def _boards(visit: Visit, state: LockerState, sight: Sight, texts: Texts) -> Content:
    del state
    every = tuple((line, board) for line in sight.lines for board in line.boards)
    shown, place = _paged(visit, every)
    rows = [_board_row(line, board, texts) for line, board in shown]
    return {"kind": "table", "head": [texts.say(f"column.{c}", {}) for c in _COLUMNS], "rows": rows, **place}


def _board_row(line: LineFigures, board: BoardFigures, texts: Texts) -> Content:
    sound = board.standing == "serving"
    standing = _word(texts, "standing", board.standing)
    use = {"share": _percent(line.utilisation), "baud": line.baud}
    return {
        "look": "good" if sound else "bad",
        "cells": [
            board.board,
            f"{board.profile} · {_word(texts, 'quality', board.quality)}",
            standing if sound or not board.why else _because(standing, board.why, texts),
            f"{board.latency_ms:.1f} ms" if board.asked else "–",
            f"{_percent(board.error_rate)} ({board.missed}/{board.asked})",
            texts.say("word.line_use", use),
        ],
    }


def _because(standing: str, cause: str, texts: Texts) -> str:
    return texts.say("word.because", {"standing": standing, "why": why(cause, texts)})


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _versions(visit: Visit, state: LockerState, sight: Sight, texts: Texts) -> Content:
    del visit
    profiles = sorted({f"{board.profile}" for line in sight.lines for board in line.boards})
    contact = sight.contact
    known = {
        "software": sight.software,
        "locker": state.locker,
        "journal": f"{state.seq} · {state.epoch[:8]}",
        "boards": ", ".join(profiles),
        "clock": _word(texts, "clock", sight.clock) if sight.clock else "",
        "centre": texts.say(
            f"centre.{'online' if contact.online else 'offline'}", {"unsent": contact.unsent}
        ),
        "history": _word(texts, "history", broken)
        if (broken := contact.fork or state.history.broken)
        else "",
    }
    pairs: list[Content] = [
        {"label": texts.say(f"word.{key}", {}), "value": text} for key, text in known.items() if text
    ]
    # The page writes times itself: it knows the zone that its clock shows.
    never = texts.say("centre.never", {})
    label = texts.say("word.contact", {})
    pairs.append({"label": label, "time_ms": contact.last_wall_ms or None, "value": never})
    return {"kind": "pairs", "pairs": pairs}


# The self-test


def _self_test(visit: Visit, state: LockerState, sight: Sight, texts: Texts) -> Content:
    del state
    results = [fact for fact in sight.facts if isinstance(fact, found.DoorResult)]
    shown, place = _paged(visit, results)
    others = [f for f in sight.facts if isinstance(f, found.BoardResult | found.LineResult)]
    return {
        "kind": "tiles",
        "tiles": [_result_tile(each, texts) for each in shown],
        "said": _test_said(sight, texts),
        "troubles": [text for text in (_trouble(each, texts) for each in others) if text],
        "progress": _progress(sight),
        **place,
    }


def _progress(sight: Sight) -> Content | None:
    steps = [fact for fact in sight.facts if isinstance(fact, found.Step)]
    if not sight.testing or not steps:
        return None
    return {"done": steps[-1].done, "of": steps[-1].of}


def _test_said(sight: Sight, texts: Texts) -> str:
    """What is under way, or how it ended; what it is where none was started."""
    for fact in reversed(sight.facts):
        if isinstance(fact, found.Ended):
            cut = f" · {_finding(fact.finding, fact.about, texts)}" if fact.finding else ""
            counts = {"passed": len(fact.passed), "failed": len(fact.failed), "skipped": len(fact.skipped)}
            return texts.say(f"verdict.{fact.verdict.value}", counts) + cut
        if isinstance(fact, found.Step):
            return texts.say(f"doing.{fact.doing.value}", {"door": fact.door})
    return texts.say("doing.begun" if sight.testing else "doing.nothing", {"door": ""})


def _result_tile(result: found.DoorResult, texts: Texts) -> Content:
    took = {"opened_after": result.opened_ms, "shut_after": result.shut_ms}
    times = [
        texts.say(f"result.{name}", {"s": f"{ms / 1000:.1f}"}) for name, ms in took.items() if ms is not None
    ]
    lines = [texts.say(f"result.{result.outcome.value}", {}), " · ".join(times)]
    if result.finding:
        lines.append(_finding(result.finding, result.about, texts))
    return {
        "door": result.door,
        "look": result.outcome.value,
        "position": "",
        "lines": [line for line in lines if line],
    }


def _trouble(result: found.BoardResult | found.LineResult, texts: Texts) -> str:
    """What is wrong with a board or a line; empty where nothing is."""
    if isinstance(result, found.BoardResult):
        said = _finding(result.finding, result.about, texts) if result.finding else ""
        return f"{result.board}: {said}" if said else ""
    said = ", ".join(_finding(each, "", texts) for each in (*result.problems, *result.remarks))
    return f"{texts.say('column.line', {})} {result.line}: {said}" if said else ""


def _finding(finding: Finding, about: str, texts: Texts) -> str:
    said = texts.say(f"found.{finding.value}", {})
    key = f"status.{about}"
    return f"{said} ({texts.say(key, {}) if texts.has(key) else about})" if about else said


def _word(texts: Texts, table: str, value: str) -> str:
    """A word of a fixed list in the page's language; a new one as it is."""
    key = f"{table}.{value}"
    return texts.say(key, {}) if texts.has(key) else str(value)


_TABS: Final[Mapping[str, Callable[[Visit, LockerState, Sight, Texts], Content]]] = {
    "doors": _doors,
    "boards": _boards,
    "sensors": _sensors,
    "versions": _versions,
    "self_test": _self_test,
}
