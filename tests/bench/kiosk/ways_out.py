"""Tries to leave the kiosk's page: by real keys and a real pointer, and by a page that was taken over.

Run by `bench_ways_out` inside name spaces of its own, where the managed policies lie in /etc/chromium and
127.0.0.1:8080 is free. Chromium has the very words of `locker-kiosk.service`, but for Wayland, which becomes
an X server in memory. Prints a line of JSON for each way.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.bench.kiosk.ways import KEYS, PAGES, POINTER, WATCH
from tests.kiosk_ui.page import Page
from tests.kiosk_ui.served import served
from tests.locker.operations.world import MemoryWorld

ROOT: Final = Path(__file__).parents[3]
SCREEN: Final = (1280, 800)
SETTLE_S: Final = 0.5
PATIENCE_S: Final = 60.0
FRESH_S: Final = 2.0
KEYS_TO_HEAR: Final = 12
"""A page that is loaded anew, or a busy machine, misses some."""


class Watched:
    """The kiosk's own page, with an eye in it; ``way``: what the page is to try next."""

    def __init__(self, page: Page) -> None:
        self._inner, self.page = page.asgi, page
        self.seen: dict[str, Any] = {}
        self.at_s, self.way = 0.0, ""
        page.asgi = self.asgi  # type: ignore[method-assign]  # around it

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == "/seen":
            self.seen = json.loads(await Request(scope, receive).body())
            self.at_s = asyncio.get_running_loop().time()
            way, self.way = self.way, ""
            await JSONResponse({"way": way})(scope, receive, send)
        elif path == "/watch.js":
            tries = ",".join(f"{json.dumps(name)}: () => {{ {code} }}" for name, code in PAGES.items())
            await Response(WATCH % tries, media_type="text/javascript")(scope, receive, send)
        else:
            await self._inner(scope, receive, _with_eye(send) if path == "/" else send)


def _with_eye(send: Send) -> Send:
    async def changed(message: Any) -> None:
        if message["type"] == "http.response.start":
            # The page's own policy stays: the eye is a script of its own origin, as one that took it over.
            kept = [each for each in message["headers"] if each[0] != b"content-length"]
            message = {**message, "headers": kept}
        elif message["type"] == "http.response.body" and message.get("body"):
            body = message["body"].replace(b"</head>", b'<script src="/watch.js"></script></head>')
            message = {**message, "body": body}
        await send(message)

    return changed


ENDED: Final = "the browser ended"
"""Its unit starts it anew, with the page: nobody is anywhere else meanwhile."""


class Screen:
    """An X server in memory, Chromium on it as its unit starts it, and a hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {"DISPLAY": ":7", "HOME": str(folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        words = ["Xvfb", ":7", "-screen", "0", f"{SCREEN[0]}x{SCREEN[1]}x24", "-nolisten", "tcp", "-noreset"]
        self.server = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        self.browser: subprocess.Popen[bytes] | None = None

    def start(self, without: str = "") -> None:
        unit = (ROOT / "systemd/locker/locker-kiosk.service").read_text().replace("\\\n", " ")
        found = re.search(r"^ExecStart=/usr/bin/cage .*?-- (.+)$", unit, re.MULTILINE)
        assert found
        words = [word for word in found[1].split() if word not in ("--ozone-platform=wayland", without)]
        at = [f"--window-size={SCREEN[0]},{SCREEN[1]}", "--window-position=0,0", "--disable-gpu"]
        user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        log = (self.folder / "chromium.log").open("ab")
        # Its sandbox is made of name spaces of users, which a container may not allow.
        own = [] if os.environ.get("SANDBOX") else ["--no-sandbox", "--test-type"]
        self.browser = subprocess.Popen([*user, *words[:-1], *at, *own, words[-1]], env=self.env, stderr=log)

    def end(self) -> None:
        if self.browser is not None:
            self.browser.kill()
            self.browser.wait()
        for each in self.folder.glob(".config/chromium/Singleton*"):
            each.unlink(missing_ok=True)

    def said(self) -> str:
        return (self.folder / "chromium.log").read_text()[-2000:]

    async def hand(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "xdotool", *words, env=self.env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        return (await process.communicate())[0].decode()

    async def windows(self) -> list[str]:
        """Those that somebody sees."""
        found = (await self.hand("search", "--onlyvisible", "--name", ".")).split()
        return list(found)


class Ways:
    def __init__(self, watched: Watched, screen: Screen) -> None:
        self.watched, self.screen = watched, screen
        self.size: list[int] = []
        """Of the page as it first came: without a window manager a pixel is lost at each edge."""

    async def ready(self) -> None:
        """A browser with the page, in front, and nothing else."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + PATIENCE_S
        before = self.watched.seen.get("me")
        while self.watched.seen.get("me") == before or not self.watched.seen["focus"]:
            assert loop.time() < end_s, (
                self.watched.seen,
                (self.screen.folder / "chromium.log").read_text()[-2000:],
            )
            for window in (await self.screen.windows())[:1]:
                await self.screen.hand("windowfocus", window)
            await asyncio.sleep(0.1)  # noqa: TID251 -- a real browser
        await self.screen.hand("mousemove", "640", "300")
        await asyncio.sleep(SETTLE_S)  # noqa: TID251 -- as above
        self.size = self.size or self.watched.seen["size"]

    async def anew(self, without: str = "") -> None:
        self.screen.end()
        self.screen.start(without)
        await self.ready()

    async def attempt(self, kind: str, name: str, do: Callable[[], Awaitable[object]]) -> None:
        await do()
        wrong = await self._heard() or await self.wrong()
        told = {"kind": kind, "way": name, "left": "" if wrong == ENDED else wrong, "anew": wrong == ENDED}
        print(json.dumps(told), flush=True)
        if told["left"]:
            print(name, self.watched.seen, self.screen.said(), file=sys.stderr)
        if wrong:
            await self.anew()

    async def _heard(self) -> str:
        """A key that is pressed afterwards is heard by the page: so all before it was dealt with, and keys go
        there. Empty, or what is wrong."""
        for again in range(KEYS_TO_HEAR):
            wrong = await self.wrong()
            if wrong == ENDED:
                return wrong
            if again == KEYS_TO_HEAR // 2:  # a dialogue may be put away
                await self.screen.hand("key", "Escape")
            me, marks = self.watched.seen["me"], self.watched.seen["marks"]
            await self.screen.hand("key", "z")
            await self._until(lambda me=me, marks=marks: self._marked(me, marks), SETTLE_S)  # type: ignore[misc]
            if self._marked(me, marks):
                return ""
        return await self.wrong() or "keys go elsewhere"

    def _marked(self, me: float, marks: int) -> bool:
        seen = self.watched.seen
        return bool(seen["me"] == me and seen["marks"] > marks)

    async def wrong(self) -> str:
        """How the page was left; empty: it was not."""
        seen, now_s = self.watched.seen, asyncio.get_running_loop().time()
        windows = await self.screen.windows()
        if not windows or self.screen.browser is None or self.screen.browser.poll() is not None:
            return ENDED
        if len(windows) != 1:
            return f"{len(windows)} windows"
        if now_s - self.watched.at_s > FRESH_S / 2:
            return "the page is gone"
        if seen["visible"] != "visible" or not seen["focus"]:
            return f"it is not in front: {seen['visible']}, focus {seen['focus']}"
        if seen["size"] != self.size or seen["ratio"] != 1 or seen["scale"] != 1:
            return f"it is not whole: {seen['size']}, {seen['ratio']}, {seen['scale']}"
        return "" if seen["href"] == "http://127.0.0.1:8080/" else seen["href"]

    async def all(self) -> None:
        await self.anew()
        for key in KEYS:
            await self.attempt("key", key, lambda key=key: self.screen.hand("key", key))  # type: ignore[misc]
        for name, words in POINTER.items():
            await self.attempt("pointer", name, lambda words=words: self.screen.hand(*words))  # type: ignore[misc]
            await self.screen.hand("mousemove", "640", "300")
        for name in PAGES:
            await self.attempt("page", name, lambda name=name: self._by_page(name))  # type: ignore[misc]

    async def control(self) -> None:
        """That it would be noticed: a browser that is no kiosk, and its keys."""
        self.size = []
        await self.anew(without="--kiosk")
        await self.attempt("control", "ctrl+t", lambda: self.screen.hand("key", "ctrl+t"))

    async def _by_page(self, name: str) -> None:
        await self.screen.hand("click", "1")
        await self._ask(name)
        await asyncio.sleep(2 * SETTLE_S)  # noqa: TID251 -- what a page asked for may come late

    async def _ask(self, name: str) -> None:
        self.watched.way = name
        # It is told at the next beat, where there is one: some ways stop the page while they last.
        await self._until(lambda: not self.watched.way, PATIENCE_S)
        await self._until(lambda: self.watched.seen["tried"] == name, FRESH_S)

    @staticmethod
    async def _until(holds: Callable[[], bool], patience_s: float) -> None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + patience_s
        while not holds() and loop.time() < end_s:  # noqa: ASYNC110 -- a browser rings no bell
            await asyncio.sleep(0.05)  # noqa: TID251 -- as above


async def main(folder: Path) -> None:
    world = await MemoryWorld.start()
    page = Page(world)
    watched = Watched(page)
    screen = Screen(folder)
    async with served(page, 8080):
        ways = Ways(watched, screen)
        try:
            await ways.control()
            ways.size = []
            await ways.all()
        finally:
            screen.end()
            screen.server.kill()


if __name__ == "__main__":
    home = Path("/run/ways")
    home.mkdir()
    home.chmod(0o777)
    sys.exit(asyncio.run(main(home)))
