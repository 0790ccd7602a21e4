"""The report as one HTML file: for a screen without a network, for a printer, for the acceptance papers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib import resources
from typing import Any, Final

from locker.ctl.report.plots import door_timing, latencies, usual_ms
from locker.ctl.report.result import Result, Row, seen_ms, total
from locker.ctl.report.words import sentence, sentences
from locker.domain.acceptance import limit_ms

COMMON_AXIS: Final = 4.0
"""Boards share one axis unless the slowest is this many times slower than the quickest."""


def page(result: Result) -> str:
    title = f"Self-test of {result.locker}"
    style = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    body = "".join(
        [
            _head(result, title),
            _tiles(result),
            _to_mend(result),
            _doors(result),
            _lines(result),
            _boards(result),
            _footnote(),
        ]
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head>\n'
        f"<body>{body}</body></html>\n"
    )


def _head(result: Result, title: str) -> str:
    began, ended = result.began, result.ended
    said = [f"by {escape(str(began['staff']))}", f"at {_when(began)}"] if began else []
    if began and ended:
        said.append(f"{(ended['wall_ms'] - began['wall_ms']) / 1000:.0f} s long")
    said.append(escape(result.software))
    why = sentence(ended) if ended else "cut off: the daemon ended, or its answers stopped"
    return (
        f'<h1>{escape(title)} <span class="verdict {result.verdict}">{result.verdict}</span></h1>'
        f'<p class="quiet">{" · ".join(said)}</p>' + (f"<p>{escape(why)}</p>" if why else "")
    )


def _when(began: Row) -> str:
    return datetime.fromtimestamp(began["wall_ms"] / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def _tiles(result: Result) -> str:
    outcomes = [door["outcome"] for door in result.doors]
    tiles = [(str(outcomes.count(word)), f"doors {word}") for word in ("passed", "failed", "skipped")]
    serving = sum(board["outcome"] == "passed" for board in result.boards)
    tiles.append((f"{serving} of {len(result.boards)}", "boards serving"))
    asked = sum(total(line, "asked") for line in result.lines)
    missed = sum(total(line, "missed") for line in result.lines)
    tiles.append((f"{missed} of {asked}", "questions unanswered"))
    opened = [seen for door in result.doors if (seen := seen_ms(door)) is not None]
    tiles.append((f"{max(opened)} ms" if opened else "–", "slowest opening seen"))
    inner = "".join(f'<div class="tile"><b>{value}</b><span>{name}</span></div>' for value, name in tiles)
    return f'<div class="tiles">{inner}</div>'


def _to_mend(result: Result) -> str:
    found = [f"board {each['board']}: {sentence(each)}" for each in result.boards if _bad(each)]
    found += [f"door {each['door']}: {sentence(each)}" for each in result.doors if _bad(each)]
    found += [f"line {each['line']}: {said}" for each in result.lines for said in sentences(each, "problems")]
    noted = [f"line {each['line']}: {said}" for each in result.lines for said in sentences(each, "remarks")]
    noted += [f"board {each['board']}: {sentence(each)}" for each in result.boards if not _bad(each)]
    return _list("To mend", found) + _list("To know", [each for each in noted if not each.endswith(": ")])


def _bad(row: Row) -> bool:
    return bool(row["outcome"] == "failed")


def _list(title: str, points: Sequence[str]) -> str:
    if not points:
        return ""
    inner = "".join(f"<li>{escape(point)}</li>" for point in points)
    return f'<h2>{title}</h2><ul class="mend">{inner}</ul>'


def _doors(result: Result) -> str:
    doors = sorted(result.doors, key=lambda door: int(door["door"]))
    if not doors:
        return ""
    tried = [door for door in doors if door["acknowledged_ms"] is not None or door["opened_ms"] is not None]
    plot = ""
    if tried and result.lines:
        limits = {door: limit_ms(line["detection_s"]) for line in result.lines for door in line["doors"]}
        plot = f"<p>{_key(max(limits.values(), default=0))}</p>" + _wide(door_timing(tried, limits))
    head = ("door", "", "reply", "seen open", "shut after", "item before", "item after", "")
    rows = [
        (
            str(door["door"]),
            _word(door),
            _ms(door["acknowledged_ms"]),
            _ms(door["opened_ms"]),
            "" if door["shut_ms"] is None else f"{door['shut_ms'] / 1000:.1f} s",
            str(door["item_before"]),
            str(door["item_after"]),
            escape(sentence(door)),
        )
        for door in doors
    ]
    return "<h2>Doors</h2>" + plot + _table(head, rows, numbers=frozenset({0, 2, 3, 4}))


def _key(limit: int) -> str:
    return (
        '<span class="key reply"></span> command to the board’s reply &nbsp; '
        '<span class="key seen"></span> reply to seen open &nbsp; '
        '<span class="key limit"></span> latest by the configuration’s reckoning: '
        f"{limit} ms after the reply (marked where the picture reaches as far)"
    )


def _lines(result: Result) -> str:
    head = [
        "line",
        "",
        "baud",
        "questions",
        "unanswered",
        "stray bytes",
        "busy",
        "shortest silence",
        "needed",
    ]
    head += ["predicted", "slowest seen", "port"]
    rows = []
    for line in result.lines:
        asked, missed = total(line, "asked"), total(line, "missed")
        share = f" ({missed / asked:.2%})" if asked else ""
        cells = [escape(line["line"]), _word(line), str(line["baud"]), str(asked), f"{missed}{share}"]
        cells += [str(total(line, "noise_bytes")), f"{line['utilisation']:.0%}"]
        cells += [f"{line[name]:.2f} ms" for name in ("shortest_silence_ms", "needed_silence_ms")]
        cells += [f"{line['detection_s']:.2f} s", _ms(line["slowest_ms"]), escape(line["url"])]
        rows.append(tuple(cells))
    return ("<h2>Lines</h2>" + _table(head, rows, numbers=frozenset(range(2, 11)))) if rows else ""


def _boards(result: Result) -> str:
    if not result.boards:
        return ""
    traffic = {board["board"]: board for line in result.lines for board in line["boards"]}
    rows = []
    for board in result.boards:
        seen = traffic.get(board["board"])
        counts = [str(seen[name]) if seen else "" for name in ("asked", "missed", "refused", "noise_bytes")]
        cells = [board["board"], board["profile"], board["quality"], board["standing"]]
        rows.append((*map(escape, map(str, cells)), *counts, escape(sentence(board))))
    head = (
        "board",
        "profile",
        "quality",
        "standing",
        "questions",
        "unanswered",
        "refused",
        "stray bytes",
        "",
    )
    return (
        "<h2>Boards</h2>"
        + _table(head, rows, numbers=frozenset(range(4, 8)))
        + '<p class="quiet">Latency of whole transactions, first byte asked to last byte read. '
        "The last bar holds all that took longer as well.</p>"
        + f'<div class="histograms">{"".join(_histograms(traffic))}</div>'
    )


def _histograms(traffic: Mapping[str, Row]) -> Iterable[str]:
    values = {board: row["latencies_ms"] for board, row in traffic.items() if row["latencies_ms"]}
    usual = {board: usual_ms(each) for board, each in values.items()}
    together = bool(values) and max(usual.values()) <= COMMON_AXIS * min(usual.values())
    for board, each in values.items():
        yield latencies(board, each, max(usual.values()) if together else usual[board])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int]) -> str:
    def cells(tag: str, row: Sequence[Any]) -> str:
        kinds = (' class="n"' if at in numbers else "" for at in range(len(row)))
        return "".join(f"<{tag}{kind}>{cell}</{tag}>" for kind, cell in zip(kinds, row, strict=True))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    table = f"<table><thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table>"
    return _wide(table)


def _wide(what: str) -> str:
    """Scrolls by itself where the screen is narrower."""
    return f'<div class="wide">{what}</div>'


def _word(row: Row) -> str:
    return f'<span class="{row["outcome"]}-word">{row["outcome"]}</span>'


def _ms(value: int | None) -> str:
    return "" if value is None else f"{value} ms"


def _footnote() -> str:
    return (
        '<p class="quiet">Every opening of this test stands in the journal under the name above. Not tested: '
        "whether an item sensor sees an item, doors that were not vacant, and what the line does in other "
        "weather.</p>"
    )
