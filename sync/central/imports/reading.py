"""A file of lines → what each asks for, and what is wrong with which line. Nothing here asks the database.

UTF-8 with or without a byte order mark, or GB 18030, as Excel in China writes it. The first line names the
columns, in English or Chinese, in any order.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from sync.central.api_models import OutgoingIn, PreReviewIn

BYTES_MAX: Final = 1024 * 1024
LINES_MAX: Final = 2_000
PROBLEMS_MAX: Final = 200
"""Told at once; whoever has more has the wrong file."""
_LIST_SIGNS: Final = re.compile(r"[;；|、\n]")
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
YES: Final = frozenset({"1", "yes", "y", "true", "是"})
NO: Final = frozenset({"", "0", "no", "n", "false", "否"})


class Kind(StrEnum):
    PRE_REVIEWS = "pre_reviews"
    OUTGOING = "outgoing"


class Why(StrEnum):
    """What is wrong with a line or a file, beyond a field that does not fit."""

    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    NOT_TEXT = "not_text"
    NOT_CSV = "not_csv"
    EMPTY = "empty"
    COLUMNS = "columns"
    TWICE = "twice"
    LOCKER = "locker"
    EXISTS = "exists"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Problem:
    """``line`` as an editor counts them; 0: the file. ``field`` is empty where it is the whole line."""

    line: int
    field: str
    why: str
    """A `Why`, or ``unfit``: what may stand in the field is told by its own words."""


@dataclass(frozen=True, slots=True)
class Line:
    line: int
    body: PreReviewIn | OutgoingIn


@dataclass(frozen=True, slots=True)
class Read:
    lines: Sequence[Line]
    problems: Sequence[Problem]


COLUMNS: Final[Mapping[Kind, Mapping[str, str]]] = MappingProxyType(
    {
        Kind.PRE_REVIEWS: MappingProxyType(
            {
                "case": "办件号",
                "service_item": "事项",
                "papers": "应交材料",
                "deferred": "容缺材料",
                "size": "箱格尺寸",
                "name": "姓名",
                "phone": "手机号",
                "locker": "柜机",
                "valid_hours": "有效小时",
                "department": "经办部门",
            }
        ),
        Kind.OUTGOING: MappingProxyType(
            {
                "item": "件号",
                "case": "办件号",
                "service_item": "事项",
                "size": "箱格尺寸",
                "name": "姓名",
                "phone": "手机号",
                "locker": "柜机",
                "second_factor": "验手机后四位",
            }
        ),
    }
)
NEEDED: Final = ("case", "service_item", "name", "phone", "locker")


def template(kind: Kind) -> str:
    """A file with its first line, to be filled in; the mark makes Excel take it for UTF-8."""
    return "\ufeff" + ",".join(COLUMNS[kind].values()) + "\r\n"


def read(kind: Kind, raw: bytes) -> Read:
    text = _text(raw)
    if text is None:
        return _whole(Why.TOO_LARGE if len(raw) > BYTES_MAX else Why.NOT_TEXT)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        numbered = [(line, row) for line, row in _numbered(rows) if any(cell.strip() for cell in row)]
    except csv.Error:
        return Read((), [Problem(rows.line_num, "", Why.NOT_CSV)])
    if not 1 < len(numbered) <= LINES_MAX + 1:
        return _whole(Why.TOO_MANY if numbered[1:] else Why.EMPTY)
    (first, head), *rest = numbered
    names = _named(kind, head)
    if names is None:
        return Read((), [Problem(first, "", Why.COLUMNS)])
    return _bodies(kind, names, rest)


def _whole(why: Why) -> Read:
    return Read((), [Problem(0, "", why)])


def _text(raw: bytes) -> str | None:
    if len(raw) > BYTES_MAX or raw.startswith(_WIDE_MARKS) or b"\0" in raw:
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _numbered(rows: Any) -> Iterator[tuple[int, list[str]]]:
    """With the line on which each begins: a field in quotes may hold line breaks."""
    begins = 1
    for row in rows:
        yield begins, row
        begins = rows.line_num + 1


def _named(kind: Kind, head: Sequence[str]) -> list[str] | None:
    known = {chinese: name for name, chinese in COLUMNS[kind].items()} | {
        name: name for name in COLUMNS[kind]
    }
    cells = [cell.strip() for cell in head]
    while cells and not cells[-1]:
        cells.pop()
    names = [known.get(cell, "") for cell in cells]
    whole = all(names) and len(set(names)) == len(names) and set(NEEDED) <= set(names)
    return names if whole else None


def _bodies(kind: Kind, names: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> Read:
    lines, problems, seen = [], [], set()
    for number, row in rows:
        if any(cell.strip() for cell in row[len(names) :]):
            problems.append(Problem(number, "", Why.COLUMNS))
            continue
        cells = dict.fromkeys(names, "") | dict(zip(names, (cell.strip() for cell in row), strict=False))
        try:
            body = _MODELS[kind](cells)
        except ValidationError as error:
            fields = [[part for part in each["loc"] if isinstance(part, str)][-1] for each in error.errors()]
            problems += [Problem(number, name, "unfit") for name in dict.fromkeys(fields)]
            continue
        if (said := body.model_dump_json()) in seen:
            problems.append(Problem(number, "", Why.TWICE))
        seen.add(said)
        lines.append(Line(number, body))
    return Read(lines, problems)


def _pre_review(cells: Mapping[str, str]) -> PreReviewIn:
    return PreReviewIn.model_validate(
        {
            "case": cells["case"],
            "service_item": cells["service_item"],
            "papers": _list(cells.get("papers", "")),
            "deferred": _list(cells.get("deferred", "")),
            "size": cells.get("size", "").upper() or "S",
            "applicant": {"name": cells["name"], "phone": _phone(cells["phone"])},
            "locker": cells.get("locker", ""),
            "valid_hours": _number(cells.get("valid_hours", "") or "72"),
            "department": cells.get("department", ""),
        }
    )


def _outgoing(cells: Mapping[str, str]) -> OutgoingIn:
    asked = cells.get("second_factor", "").lower()
    return OutgoingIn.model_validate(
        {
            "item": cells.get("item") or None,
            "case": cells["case"],
            "service_item": cells["service_item"],
            "size": cells.get("size", "").upper() or "S",
            "recipient": {"name": cells["name"], "phone": _phone(cells["phone"])},
            "locker": cells.get("locker", ""),
            "second_factor": True if asked in YES else False if asked in NO else asked,
        }
    )


_MODELS: Final[Mapping[Kind, Callable[[Mapping[str, str]], PreReviewIn | OutgoingIn]]] = MappingProxyType(
    {Kind.PRE_REVIEWS: _pre_review, Kind.OUTGOING: _outgoing}
)


def _list(cell: str) -> list[str]:
    return [part.strip() for part in _LIST_SIGNS.split(cell) if part.strip()]


def _phone(cell: str) -> str:
    """Spreadsheets keep numbers as text behind an apostrophe; people write them in groups."""
    return re.sub(r"[\s-]", "", cell.removeprefix("'"))


def _number(cell: str) -> int | str:
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 10 else cell  # noqa: PLR2004  # any int32
