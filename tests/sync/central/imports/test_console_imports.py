"""A file of cases at the console: chosen, looked through, taken."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sync.central.access.actor import Role
from sync.central.imports.tables import UPLOAD
from sync.central.tables import AUTHORISATION
from tests.sync.central.access import people
from tests.sync.central.conftest import Parts
from tests.sync.central.imports.test_imports import FILE


@pytest.fixture
async def clerk(parts: Parts) -> AsyncIterator[httpx.AsyncClient]:
    people.add(parts, "li", [Role.WINDOW_CLERK], ["north"])
    async with people.browser(people.whole(parts, people.entrance(parts))) as client:
        await people.sign_in(client, "li")
        yield client


def key_of(page: str) -> str:
    return page.split('name="form_key" value="')[1].split('"', maxsplit=1)[0]


async def uploaded(client: httpx.AsyncClient, text: bytes, **more: str) -> httpx.Response:
    values = {"form_key": key_of((await client.get("/console/imports")).text), "kind": "pre_reviews", **more}
    return await client.post("/console/imports", data=values, files={"file": ("办件.csv", text, "text/csv")})


async def test_a_file_is_looked_through_and_then_taken(clerk: httpx.AsyncClient, parts: Parts) -> None:
    seen = await uploaded(clerk, FILE.encode("gb18030"))
    assert "2" in seen.text
    assert parts.rows(AUTHORISATION) == []
    done = await clerk.post(seen.url.path, data={"form_key": key_of(seen.text)})
    assert done.status_code == 200
    assert {row.authorisation in done.text for row in parts.rows(AUTHORISATION)} == {True}
    assert len(parts.rows(AUTHORISATION)) == 2
    assert parts.rows(UPLOAD) == [], "names and phones are gone"
    assert (await clerk.get(seen.url.path)).status_code == 404


async def test_wrong_lines_are_named_and_nothing_is_offered(clerk: httpx.AsyncClient, parts: Parts) -> None:
    seen = await uploaded(clerk, FILE.replace("13900000000", "12").encode())
    assert ">4<" in seen.text
    assert "<button>全部导入" not in seen.text
    again = await clerk.post(seen.url.path, data={"form_key": key_of(seen.text)})
    assert ">4<" in again.text
    assert parts.rows(AUTHORISATION) == []


@pytest.mark.parametrize("more", [{"form_key": "x"}, {"kind": "staff"}])
async def test_what_is_no_upload_is_refused(
    clerk: httpx.AsyncClient, parts: Parts, more: dict[str, str]
) -> None:
    assert (await uploaded(clerk, FILE.encode(), **more)).status_code == 422
    assert parts.rows(UPLOAD) == []
    for content_type in ("text/plain", "multipart/form-data", "multipart/form-data; boundary=x\ty"):
        answer = await clerk.post("/console/imports", content=b"x", headers={"Content-Type": content_type})
        assert answer.status_code == 422


async def test_the_template_is_for_a_spreadsheet(clerk: httpx.AsyncClient) -> None:
    answer = await clerk.get("/console/imports/template/outgoing")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert (await clerk.get("/console/imports/template/x")).status_code == 404
