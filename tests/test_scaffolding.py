"""The means of the test run do what the tests rely on."""

import asyncio
import logging
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.async_api import Browser

from tests.conftest import LONGEST
from tests.logged import BadlyFormatted

PAGE = b"<!doctype html><html lang=zh><title>t</title><p id=word>\xe4\xba\xa4\xe4\xbb\xb6</p></html>"


@pytest.mark.parametrize(
    ("message", "arguments"), [("%d doors", ("two",)), ("%s and %s", ("one",)), ("none", ("one",))]
)
def test_a_message_that_does_not_fit_is_noticed(message: str, arguments: tuple[object, ...]) -> None:
    judge = BadlyFormatted()
    for text, values in ((message, arguments), ("%d doors", (2,))):
        judge.handle(logging.LogRecord("locker", logging.DEBUG, __file__, 1, text, values, None))
    assert len(judge.complaints) == 1


def test_examples_are_the_same_on_every_run() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
    assert settings.default.derandomize or settings.default.max_examples > 1000


def test_what_is_to_begin_first_is_there() -> None:
    assert [name for name in LONGEST if not (Path(__file__).parent / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_chromium_shows_a_page(browser: Browser) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html; charset=utf-8\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(PAGE) + PAGE)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        page = await browser.new_page()
        await page.goto(f"http://{host}:{port}/")
        assert await page.inner_text("#word") == "交件"
