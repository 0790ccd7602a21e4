"""Plots as inline SVG: no script, no font, nothing fetched. Colours come from the page's style."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from locker.ctl.report.result import seen_ms

BARS_WIDTH: Final = 1_040
LABEL_WIDTH: Final = 64
VALUE_WIDTH: Final = 96
ROW_HEIGHT: Final = 20
BAR_HEIGHT: Final = 12
AXIS_HEIGHT: Final = 22

BINS: Final = 24
HISTOGRAM: Final = (500, 150)
MARGIN: Final = 34
MARGIN_RIGHT: Final = 16
STEPS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
TICKS: Final = 6


def door_timing(doors: Sequence[Mapping[str, Any]], limit_ms: Mapping[int, int]) -> str:
    """A row a door: from the command to the board's reply, and on until it was seen open.

    ``limit_ms``: by door, from its pulse until it must be seen open; a mark where that is near.
    """
    longest = max([1, *(each["opened_ms"] or each["acknowledged_ms"] or 0 for each in doors)])
    step = _step(longest)
    top = step * (longest // step + 1)
    scale = (BARS_WIDTH - LABEL_WIDTH - VALUE_WIDTH) / top
    height = ROW_HEIGHT * len(doors) + AXIS_HEIGHT
    parts = [_grid(top, step, scale, height)]
    for row, each in enumerate(doors):
        limit = limit_ms[each["door"]] + (each["acknowledged_ms"] or 0)
        parts.append(_door_row(each, limit if limit <= top else None, row * ROW_HEIGHT, scale))
    return _svg(BARS_WIDTH, height, "Times of each door", "".join(parts))


def _door_row(door: Mapping[str, Any], limit: int | None, top: int, scale: float) -> str:
    y = top + (ROW_HEIGHT - BAR_HEIGHT) / 2
    replied, opened = door["acknowledged_ms"], door["opened_ms"]
    failed = " bad" if door["outcome"] == "failed" else ""
    parts = [_text(LABEL_WIDTH - 8, top + 14, f"door {door['door']}", f"end{failed}")]
    if replied is not None:
        end = min(replied, opened) if opened is not None else replied
        parts.append(_bar("reply", 0, end, y, scale, f"reply to the pulse after {replied} ms"))
    if opened is not None:
        begin = min(replied or 0, opened)
        seen = seen_ms(door)
        parts.append(_bar("seen", begin, opened, y, scale, f"seen open {seen} ms after the pulse"))
    if limit is not None:
        x = LABEL_WIDTH + limit * scale
        parts.append(
            f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 2}" y2="{y + BAR_HEIGHT + 2}"/>'
        )
    text = f"{opened} ms" if opened is not None else "not seen open"
    parts.append(_text(BARS_WIDTH - VALUE_WIDTH + 8, top + 14, text, failed.strip()))
    return "".join(parts)


def _bar(kind: str, begin_ms: int, end_ms: int, y: float, scale: float, title: str) -> str:
    x, width = LABEL_WIDTH + begin_ms * scale, max(1.0, (end_ms - begin_ms) * scale)
    place = f'x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR_HEIGHT}"'
    return f'<rect class="{kind}" {place}><title>{escape(title)}</title></rect>'


def _grid(top: int, step: int, scale: float, height: int) -> str:
    parts = []
    for at in range(0, top + 1, step):
        x = LABEL_WIDTH + at * scale
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height - AXIS_HEIGHT}"/>')
        parts.append(_text(x, height - 6, f"{at}" if at else "0 ms", "middle axis"))
    return "".join(parts)


def usual_ms(values: Sequence[float]) -> float:
    """Where a histogram may end; what took longer goes into its last bin."""
    return 1.5 * sorted(values)[len(values) * 95 // 100]


def latencies(board: str, values: Sequence[float], top_ms: float) -> str:
    """A histogram of one board's transactions. ``top_ms``: the axis' end, the same for boards compared."""
    width, height = HISTOGRAM
    step = _step(round(top_ms) or 1)
    top = step * (int(top_ms) // step + 1)
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int(value * BINS / top))] += 1
    highest = max([1, *counts])
    inner_w, inner_h = width - MARGIN - MARGIN_RIGHT, height - AXIS_HEIGHT - 26
    parts = [_text(MARGIN, 14, board, "strong")]
    if values:
        ordered = sorted(values)
        middle, late = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
        said = (
            f"{len(values)} reads: median {middle:.1f}, 99 % within {late:.1f}, longest {ordered[-1]:.1f} ms"
        )
        parts.append(_text(width - MARGIN_RIGHT, 14, said, "end axis"))
    base = 22 + inner_h
    marks = ((MARGIN + inner_w * at / top, f"{at}" if at else "0 ms") for at in range(0, top + 1, step))
    parts += [_text(x, height - 6, text, "middle axis") for x, text in marks]
    for number, count in enumerate(counts):
        if count:
            bar_h = max(1.0, inner_h * count / highest)
            x = MARGIN + inner_w * number / BINS
            place = (
                f'x="{x:.1f}" y="{base - bar_h:.1f}" width="{inner_w / BINS - 1:.1f}" height="{bar_h:.1f}"'
            )
            end = f"to {(number + 1) * top / BINS:.1f}" if number < BINS - 1 else "and more"
            span = f"{number * top / BINS:.1f} {end} ms: {count}"
            parts.append(f'<rect class="seen" {place}><title>{span}</title></rect>')
    parts.append(f'<line class="base" x1="{MARGIN}" x2="{MARGIN + inner_w}" y1="{base}" y2="{base}"/>')
    parts.append(_text(MARGIN - 6, 30, f"{highest}", "end axis"))
    parts.append(_text(MARGIN - 6, base, "0", "end axis"))
    return _svg(width, height, f"Latency of board {board}", "".join(parts))


def _step(longest: int) -> int:
    """Between two marks of an axis, so that there are a few."""
    return next((step for step in STEPS_MS if longest / step <= TICKS), STEPS_MS[-1])


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _svg(width: int, height: int, title: str, body: str) -> str:
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    return f'<svg {size} role="img"><title>{escape(title)}</title>{body}</svg>'
