"""What lockers may fetch from a hub, and how much of it at a time."""

import asyncio
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Message

from sync.central import config as configuration
from sync.central.releases import api, shelf
from sync.central.releases.shelf import Shelf
from systemd.updater import envelope, offers
from systemd.updater import manifest as manifests
from systemd.updater.envelope import name_of
from tests.sync.central.conftest import HandClock, new_desk
from tests.update import made

FILE: Final = "doclocker-1.1.0-aarch64-py3.11.release"


def lay_down(folder: Path, version: str = "1.1.0") -> bytes:
    """A release of that version; what the file holds."""
    path = folder / f"doclocker-{version}-aarch64-py3.11.release"
    release = made.release(folder, made.manifest(version))
    release.path.rename(path)
    return path.read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "releases").mkdir()
    return tmp_path / "releases"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def app(folder: Path, clock: HandClock) -> Starlette:
    app = Starlette()
    api.add(app, new_desk(clock), folder)
    return app


@pytest.fixture
def client(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://hub")


async def listed(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await client.get(api.PATH)
    assert answer.status_code == 200
    return list(answer.json()["releases"])


def test_both_ends_mean_the_same() -> None:
    assert api.PATH == offers.PATH
    assert (shelf.MAGIC, shelf.MANIFEST_BYTES_MAX) == (envelope.MAGIC, manifests.BYTES_MAX)
    assert shelf.BYTES_MAX >= manifests.PAYLOAD_MAX


async def test_the_list_says_what_the_files_say(folder: Path, client: httpx.AsyncClient) -> None:
    content = lay_down(folder)
    (told,) = await listed(client)
    said = made.manifest("1.1.0")
    assert told == {
        "file": FILE,
        "release": name_of(said),
        "version": "1.1.0",
        "built_s": said.built_s,
        "machine": "aarch64",
        "python": "3.11",
        "bytes": len(content),
    }
    answer = await client.get(f"{api.PATH}/{told['file']}")
    assert answer.content == content


async def test_a_part_is_had_from_any_byte_on(folder: Path, client: httpx.AsyncClient) -> None:
    content = lay_down(folder)
    path = f"{api.PATH}/{FILE}"
    for after in (1, 700, len(content) - 1):
        answer = await client.get(path, headers={"Range": f"bytes={after}-"})
        assert (answer.status_code, answer.content) == (206, content[after:])
    assert (await client.get(path, headers={"Range": f"bytes={len(content)}-"})).status_code == 416


async def test_what_is_no_whole_release_is_not_offered(folder: Path, client: httpx.AsyncClient) -> None:
    """A copy under way above all: at each of its bytes."""
    content = lay_down(folder)
    path = folder / FILE
    for size in range(0, len(content), 53):
        path.write_bytes(content[:size])
        assert Shelf(folder).offers() == ()
    path.write_bytes(content + b"x")
    assert await listed(client) == []
    path.write_bytes(content)
    assert len(await listed(client)) == 1
    deep, odd = content[:24] + b"[" * len(content[24:]), content.replace(b'"bytes"', b'"bites"')
    for bad in (b"", b"not one", deep, odd):
        (folder / "bad.release").write_bytes(bad)
        assert len(await listed(client)) == 1
    (folder / "other.txt").write_bytes(content)
    (folder / "folder.release").mkdir()
    assert len(await listed(client)) == 1


@pytest.mark.parametrize(
    "name", ["..%2Fsecret.release", "secret.release", "%2Fetc%2Fpasswd", "x", "a%00.release"]
)
async def test_no_name_reaches_anything_else(folder: Path, client: httpx.AsyncClient, name: str) -> None:
    lay_down(folder)
    (folder.parent / "secret.release").write_bytes(b"secret")
    answer = await client.get(f"{api.PATH}/{name}")
    assert answer.status_code == 404
    assert b"secret" not in answer.content


async def test_no_folder_no_releases(tmp_path: Path) -> None:
    for where in (None, tmp_path / "none"):
        app = Starlette()
        api.add(app, new_desk(HandClock()), where)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://hub") as client:
            assert await listed(client) == []
            assert (await client.get(f"{api.PATH}/a.release")).status_code == 404


def test_the_latest_twenty_are_enough(folder: Path) -> None:
    for number in range(shelf.OFFERED_MAX + 3):
        lay_down(folder, f"1.{number}.0")
        os.utime(folder / f"doclocker-1.{number}.0-aarch64-py3.11.release", (number, number))
    found = Shelf(folder).offers()
    assert [offer.version for offer in found] == [f"1.{n}.0" for n in range(shelf.OFFERED_MAX + 2, 2, -1)]
    assert all(asdict(offer)["machine"] == "aarch64" for offer in found)


async def test_who_asks_without_end_is_told_to_wait(
    folder: Path, client: httpx.AsyncClient, clock: HandClock
) -> None:
    lay_down(folder)
    path = f"{api.PATH}/{FILE}"
    answers = [await client.get(path) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert answers[-1].headers["retry-after"] == str(api.LATER_S)
    assert len(await listed(client)) == 1
    clock.now_ms += 10 * 60_000
    assert (await client.get(path)).status_code == 200


async def test_so_many_at_once_and_no_more(folder: Path, app: Starlette) -> None:
    """Whoever is slow holds a place; whoever goes away gives it back."""
    lay_down(folder)
    goes_on, begun = asyncio.Event(), asyncio.Queue[int]()

    async def asks(host: str) -> None:
        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.put_nowait(message["status"])
            else:
                await goes_on.wait()

        path = f"{api.PATH}/{FILE}"
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "client": (host, 1)}
        await app({**scope, "query_string": b"", "raw_path": path.encode()}, _nothing, send)

    tasks, statuses = [], []
    for lane in range(api.AT_ONCE // api.AT_ONCE_FROM_ONE + 1):
        for _ in range(api.AT_ONCE_FROM_ONE + 1):
            tasks.append(asyncio.create_task(asks(f"10.0.0.{lane}")))
            statuses.append(await begun.get())
    assert statuses.count(200) == api.AT_ONCE
    assert statuses.index(503) == api.AT_ONCE_FROM_ONE
    tasks[0].cancel()
    await asyncio.wait([tasks[0]])
    tasks.append(asyncio.create_task(asks("10.0.0.0")))
    assert await begun.get() == 200
    goes_on.set()
    await asyncio.gather(*tasks[1:])
    await asks("10.0.0.9")
    assert await begun.get() == 200


async def test_nobody_holds_a_place_for_ever(folder: Path) -> None:
    lay_down(folder)
    fetching = api.Fetching()
    path = folder / FILE
    answer = api.Bounded(path, fetching, "10.0.0.1", longest_s=0.01)

    async def stalls(message: Message) -> None:
        assert not fetching.is_free
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    await answer({"type": "http", "method": "GET", "headers": []}, _nothing, stalls)
    assert fetching.is_free


async def _nothing() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


def test_the_configuration_names_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "central.toml"
    path.write_text('[releases]\nfolder = "/srv/releases"\n')
    assert configuration.load(path).releases.folder == "/srv/releases"
    path.write_text("[releases]\nfolder = 7\n")
    with pytest.raises(configuration.BadConfig, match=r"central.toml:2: \[releases\] folder"):
        configuration.load(path)
