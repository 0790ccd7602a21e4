"""The daemon's Unix socket: one JSON line asks, one answers. Who may ask, the kernel says (SO_PEERCRED)."""

import asyncio
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

LINE_MAX: Final = 4_096
"""No question is longer."""
PATIENCE_S: Final = 10.0
"""Whoever connects and says nothing is let go."""
_CREDENTIALS: Final = struct.Struct("iII")

Answer = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class Control:
    """``commands`` maps the name in ``{"do": name, …}`` to what answers it.

    What answers finds ``uid`` in the question: the kernel's word for who asks, whatever they wrote there.
    """

    def __init__(self, path: Path, commands: Mapping[str, Answer]) -> None:
        self._path = path
        self._commands = commands
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LINE_MAX)
        self._path.chmod(0o660)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            with suppress(OSError):  # on a disk that has become read-only: the next start removes it
                self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Who leaves before the answer misses nothing but the answer.
        with suppress(ConnectionError):
            try:
                answer = await self._answer(reader, writer)
                writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
            finally:
                writer.close()
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Mapping[str, Any]:
        # Read in any case: a question left unread would take the refusal away with it.
        line = await _line(reader)
        uid = _asker(writer.get_extra_info("socket"))
        if uid not in {0, os.getuid()}:
            return {"ok": False, "problem": "not your daemon: run as its user or as root"}
        try:
            question = json.loads(line)
            command = self._commands[question["do"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"ok": False, "problem": f"ask for one of {sorted(self._commands)}"}
        return {"ok": True, **await command({**question, "uid": uid})}


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The question; nothing where it is too long or does not come."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.readline()
    except (TimeoutError, ValueError):
        return b""


def _asker(sock: socket.socket) -> int:
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _pid, uid, _gid = _CREDENTIALS.unpack(raw)
    return int(uid)


async def ask(path: Path, question: Mapping[str, Any]) -> Mapping[str, Any]:
    """The daemon's answer. Raises OSError where none listens, ValueError where it ends without an answer."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(json.dumps(question).encode() + b"\n")
        await writer.drain()
        answer: Mapping[str, Any] = json.loads(await reader.read())
        return answer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
