"""The page of figures, its drawings, and the same as CSV."""

import csv
import io
from xml.etree import ElementTree as ET

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.central.console import charts
from sync.central.figures.count import Calendar, count
from tests.sync.central.conftest import Parts
from tests.sync.central.figures.test_figures import lived
from tests.sync.central.test_console import browser, sign_in  # noqa: F401  # a fixture

SEPTEMBER = {"first": "2026-09-01", "last": "2026-09-30"}


@pytest.fixture
async def reader(browser: httpx.AsyncClient, parts: Parts) -> httpx.AsyncClient:  # noqa: F811
    lived(parts)
    parts.store.write_now(lambda c: count(c, Calendar(480)))
    await sign_in(browser)
    return browser


async def test_a_month_shows_what_was_counted(reader: httpx.AsyncClient) -> None:
    page = (await reader.get("/console/figures", params={**SEPTEMBER, "by": "locker"})).text
    assert "<b>1</b>" in page
    assert "<b>3 s</b>" in page
    assert "hall-1" in page
    assert "<svg" in page
    assert "style=" not in page


@pytest.mark.parametrize(
    "asked",
    [
        {"first": "2026-13-01", "last": "2026-09-30"},
        {"first": "2026-09-30", "last": "2026-09-01"},
        {"first": "1026-09-30", "last": "2026-09-01"},
        {"by": "phone"},
        {"first": "x" * 4000},
    ],
)
async def test_days_that_do_not_fit_are_this_month(reader: httpx.AsyncClient, asked: dict[str, str]) -> None:
    """`FakeLocker`'s and the hub's time is in September 2026."""
    page = await reader.get("/console/figures", params=asked)
    assert page.status_code == 200
    assert "2026-09-01 – 2026-09-30" in page.text


async def test_csv_holds_the_same_figures(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/console/figures.csv", params={**SEPTEMBER, "by": "area"})
    assert answer.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert (row["area"], row["drop_off"], row["drop_off_median_s"], row["pick_up_median_s"]) == (
        "north",
        "1",
        "3.0",
        "",
    )


def parsed(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314  # our own drawing


SOME = st.lists(st.tuples(st.text(max_size=6), st.integers(0, 10**6)), max_size=40)


@given(SOME)
def test_a_drawing_is_whole_xml_within_its_frame(values: list[tuple[str, int]]) -> None:
    names, counts = [name for name, _ in values], [value for _, value in values]
    clean = ["".join(c for c in name if c.isprintable()) for name in names]
    for drawn in (
        charts.bars("a & <b>", clean, {"x": counts, "y": counts}),
        charts.line("a & <b>", clean, [value % 101 for value in counts], 100),
    ):
        root = parsed(drawn)
        assert root.get("aria-label") == "a & <b>"
        for bar in root.iter("rect"):
            assert float(bar.get("y", "")) >= charts.TOP - 0.1
            assert float(bar.get("height", "")) >= 0
            assert float(bar.get("x", "")) + float(bar.get("width", "")) <= charts.WIDTH


@pytest.mark.parametrize(("highest", "top"), [(0, 4), (4, 4), (5, 8), (81, 200), (1000, 2000)])
def test_the_scale_ends_at_a_round_number_above(highest: int, top: int) -> None:
    drawn = charts.bars("t", ["a"], {"x": [highest]})
    told = [element.text for element in parsed(drawn).iter("text")]
    assert str(top) in told
