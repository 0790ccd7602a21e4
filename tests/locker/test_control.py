"""The daemon's socket: whatever comes is answered or let go, and the daemon lives."""

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from locker import control
from locker.control import LINE_MAX, Control, ask

NOBODY = 65534
STRANGER = f"""
import os, socket, sys
os.chdir(sys.argv[1])
os.setuid({NOBODY})
s = socket.socket(socket.AF_UNIX)
s.connect("control.sock")
s.sendall(b'{{"do": "status"}}\\n')
sys.stdout.write(s.makefile().read())
"""


async def status(question: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"asked": question.get("what", "")}


async def who(question: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"who": question["uid"]}


async def broken(_question: Mapping[str, Any]) -> Mapping[str, Any]:
    raise LookupError("a bug in a command")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def let_everybody_in(path: Path) -> None:
    path.chmod(0o666)
    path.parent.chmod(0o755)


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    served = Control(tmp_path / "control.sock", {"status": status, "who": who, "broken": broken})
    await served.start()
    yield tmp_path / "control.sock"
    await served.close()
    assert not (tmp_path / "control.sock").exists()


async def say(path: Path, line: bytes) -> dict[str, Any]:
    """What comes back on bytes that may be no question at all."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line)
    await writer.drain()
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return dict(json.loads(answer))


async def test_a_question_is_answered(path: Path) -> None:
    assert await ask(path, {"do": "status", "what": "门"}) == {"ok": True, "asked": "门"}
    assert mode(path) == 0o660


async def test_who_asks_is_the_kernels_word(path: Path) -> None:
    assert await ask(path, {"do": "who", "uid": 4711}) == {"ok": True, "who": os.getuid()}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"status\n",
        b"\xff\xfe\n",
        b"[]\n",
        b"null\n",
        b"{}\n",
        b'{"do": "open_all"}\n',
        b'{"do": ["status"]}\n',
        b'{"do": null}\n',
        b"[" * (LINE_MAX - 1) + b"\n",
        b'{"do": "' + b"x" * (4 * LINE_MAX) + b'"}\n',
    ],
    ids=lambda line: repr(line[:12]),
)
async def test_what_is_no_question_is_refused_and_the_next_one_answered(path: Path, line: bytes) -> None:
    answer = await say(path, line)
    assert answer["ok"] is False
    assert "status" in answer["problem"]
    assert (await ask(path, {"do": "status"}))["ok"]


async def test_who_says_nothing_is_let_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "PATIENCE_S", 0.05)
    reader, writer = await asyncio.open_unix_connection(path)
    answer = json.loads(await asyncio.wait_for(reader.read(), 5))
    writer.close()
    await writer.wait_closed()
    assert not answer["ok"]


def flood(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(path))
        for _ in range(1_000):
            sock.sendall(b"x" * LINE_MAX)


async def test_a_flood_is_cut_off(path: Path) -> None:
    with pytest.raises(ConnectionError):
        await asyncio.get_running_loop().run_in_executor(None, flood, path)
    assert (await ask(path, {"do": "status"}))["ok"]


async def test_who_leaves_at_once_disturbs_nobody(path: Path) -> None:
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.sendall(b'{"do": "status"}\n')
    assert (await ask(path, {"do": "status"}))["ok"]


async def test_a_fault_of_a_command_is_no_answer_and_not_the_end(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match="Expecting value"):
        await ask(path, {"do": "broken"})
    assert "a bug in a command" in caplog.text
    assert (await ask(path, {"do": "status"}))["ok"]


# The kernel names who asks: a real second user is needed, and only root can start a process as one.
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_another_user_is_refused(path: Path) -> None:
    """Also one whom the file's mode would let in."""
    let_everybody_in(path)
    stranger = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STRANGER, str(path.parent), stdout=subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(stranger.communicate(), 20)
    answer = json.loads(said)
    assert (answer["ok"], "asked" in answer) == (False, False)
    assert "not your daemon" in answer["problem"]


async def test_the_socket_of_a_dead_daemon_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(ConnectionRefusedError):
        await ask(path, {"do": "status"})
    served = Control(path, {"status": status})
    await served.start()
    try:
        assert (await ask(path, {"do": "status"}))["ok"]
    finally:
        await served.close()


async def test_what_cannot_be_removed_is_no_fault_of_an_orderly_end(tmp_path: Path) -> None:
    """As on a disk that has become read-only, which binds root as well."""
    path = tmp_path / "control.sock"
    control = Control(path, {})
    await control.start()
    path.unlink()
    path.mkdir()
    await control.close()


async def test_without_a_daemon_asking_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await ask(tmp_path / "control.sock", {"do": "status"})
