"""The page for whoever stands beside the machine with a laptop, in both languages."""

import base64
import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, select_autoescape

from locker.domain.door import Position
from locker.watching import troubles
from locker.watching.reading import SERVING, Reading
from locker.watching.results import NIGHTLY

LANGUAGES: Final = ("zh", "en")
LOCAL: Final = timedelta(hours=8)
"""China has one zone and no summer time."""
_STYLE: Final = (files("locker.watching") / "status.css").read_text(encoding="utf-8")
STYLE_DIGEST: Final = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
DAY_S: Final = 86_400
HOUR_S: Final = 3_600
MINUTE_S: Final = 60

Words = Mapping[str, Any]


@cache
def words(language: str) -> Words:
    """Of one of `LANGUAGES`."""
    text = (files("locker.watching") / "texts" / f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _template() -> Any:
    loader = PackageLoader("locker.watching")
    return Environment(loader=loader, autoescape=select_autoescape()).get_template("status.html")


def render(reading: Reading, language: str) -> str:
    """An unknown language gets the first."""
    language = language if language in LANGUAGES else LANGUAGES[0]
    said = words(language)
    there = troubles.found(reading)
    worst = max((each.grade for each in there), default=None)
    return str(
        _template().render(
            language=language,
            other=LANGUAGES[1 - LANGUAGES.index(language)],
            words=said,
            style=_STYLE,
            locker=reading.locker,
            state="well" if worst is None else worst.name.lower(),
            troubles=[
                {"grade": each.grade.name.lower(), "told": said["trouble"][each.name]["told"]}
                | {"remedy": said["trouble"][each.name]["remedy"]}
                for each in there
            ],
            facts=list(_facts(reading, said)),
            boards=[
                (b.board, b.profile, said["standing"][b.standing], b.why, b.standing == SERVING)
                for b in reading.boards
            ],
            nightly=list(_nightly(reading, said)),
            now=_moment(reading.wall_ms),
        )
    )


def _facts(reading: Reading, said: Words) -> Iterator[tuple[str, str]]:
    names, doors = said["fact"], reading.doors
    yield names["software"], f"{reading.software}"
    yield names["running"], said["since_start"].format(span=_span(reading.uptime_s, said), n=reading.starts)
    yield names["journal"], said["entries"].format(n=reading.entries)
    yield names["boards"], f"{len(reading.boards) - reading.silent_boards} / {len(reading.boards)}"
    yield (
        names["doors"],
        said["doors"].format(
            closed=doors.get(Position.CLOSED, 0),
            open=doors.get(Position.OPEN, 0),
            unknown=doors.get(Position.UNKNOWN, 0),
            doubted=reading.doubted,
        ),
    )
    centre = "online" if reading.centre_online else "away"
    yield (
        names["centre"],
        said[centre].format(span=_span(reading.away_s, said), n=reading.unsynced),
    )
    yield names["clock"], said["clock"].get(reading.clock, reading.clock)
    yield names["disk"], f"{reading.disk_used_percent} %"
    if reading.certificate_s is not None:
        yield names["certificate"], said["days"].format(n=int(reading.certificate_s // DAY_S))
    if reading.temperature_c is not None:
        yield names["temperature"], f"{reading.temperature_c:.0f} °C"
    if (screen := reading.screen) is not None:
        told = said["screen"]["dead" if screen.is_dead else "lives"]
        yield names["screen"], told.format(span=_span(screen.quiet_s, said), n=screen.renewed)
    around = reading.surroundings
    power = "mains_lost" if around.mains_lost else "battery_low" if around.battery_low else "mains"
    yield names["power"], said["power"][power]


def _nightly(reading: Reading, said: Words) -> Iterator[tuple[str, str, str, str]]:
    """Which work, when, how it ended, what was found."""
    for name in NIGHTLY:
        result = reading.results.get(name)
        if result is None:
            yield said["work"][name], said["never"], "", ""
        else:
            ended = "well" if result.ok else "bad"
            yield said["work"][name], _moment(result.when_ms), ended, "" if result.ok else result.told


def _span(seconds: float, said: Words) -> str:
    for unit, length in (("days", DAY_S), ("hours", HOUR_S), ("minutes", MINUTE_S)):
        if seconds >= length:
            return str(said[unit].format(n=int(seconds // length)))
    return str(said["seconds"].format(n=int(seconds)))


def _moment(wall_ms: int) -> str:
    return f"{datetime.fromtimestamp(wall_ms / 1000, UTC) + LOCAL:%Y-%m-%d %H:%M}"
