"""Every bench and soak writes to one sheet, with which the run ends: a table, and JSON where it is wanted."""

from pathlib import Path
from typing import Final

import pytest

from tests.bench.figures import Sheet

SHEET: Final = pytest.StashKey[Sheet]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--figures", type=Path, help="write the figures there as JSON")
    parser.addoption("--times", type=int, default=1, help="how many times the usual length a soak takes")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SHEET] = Sheet()


@pytest.fixture
def sheet(request: pytest.FixtureRequest) -> Sheet:
    return request.config.stash[SHEET]


@pytest.fixture(scope="session")
def times(request: pytest.FixtureRequest) -> int:
    """How many times the usual length a soak takes."""
    return int(request.config.getoption("times"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A limit that is not kept fails the run; a goal does not."""
    sheet = session.config.stash[SHEET]
    path = session.config.getoption("figures", default=None)
    if sheet.figures and path:
        sheet.write(path)
    if sheet.missed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    sheet = config.stash[SHEET]
    if sheet.figures:
        terminalreporter.section("figures")
        for line in sheet.lines():
            terminalreporter.write_line(line)
