"""`hw-sim` as people and other programs start it: real processes that begin, serve and end cleanly."""

import json
import signal
import socket
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import httpx
import psutil
import pytest

from hw_sim.__main__ import COMMANDS, main
from hw_sim.free_port import free_port
from tests.hw_sim.asking import opened
from tests.hw_sim.conftest import Start
from tests.hw_sim.speaking import summed
from tests.hw_sim.wired import MIXED, frame

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cabinet_serves_and_ends_cleanly(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    process = start("cabinet", "--dir", str(tmp_path), "--panel-port", "0", "--layout", "d8")
    facts = json.loads((tmp_path / "ready.json").read_text())
    assert facts["pid"] == process.pid
    with opened(Path(facts["lines"]["A"])) as line:
        assert line.ask(frame("01 02 00 00 00 08"), 6) == frame("01 02 01 FF")

    # A page that listens must not hold the process.
    with httpx.stream("GET", f"{facts['panel']}events") as page:
        assert next(page.iter_lines()) == "retry: 1000"
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
    assert process.communicate()[1] == ""
    assert not (tmp_path / "ready.json").exists()
    assert not (tmp_path / "line-A").is_symlink()


def test_a_cabinet_of_one_kind_of_board(start: Start, tmp_path: Path) -> None:
    start("cabinet", "--dir", str(tmp_path), "--panel-port", "0", "--make", "kerong-cu16")
    facts = json.loads((tmp_path / "ready.json").read_text())
    assert facts["bauds"] == {"A": 19_200}
    wiring = tomllib.loads((tmp_path / "wiring.toml").read_text())
    assert wiring["lines"] == {"A": {"url": facts["lines"]["A"], "baud": 19_200}}
    assert wiring["boards"] == {"A/0": "kerong-cu16"}
    assert wiring["compartments"][15]["item"] == "A/0/32"
    with opened(Path(facts["lines"]["A"]), baud=19_200) as line:
        assert line.ask(summed("02 00 30 03"), 9) == summed("02 00 35 FF FF 00 00 03")


def test_a_cabinet_to_look_at_leaves_nothing(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = start("panel", "--panel-port", "0", "--make", "winnsen-16")
    (folder,) = tmp_path.iterdir()
    facts = json.loads((folder / "ready.json").read_text())
    state = httpx.get(f"{facts['panel']}state").json()
    assert [board["profile"] for board in state["lines"][0]["boards"]] == ["winnsen-16"]
    process.terminate()
    assert process.wait(timeout=60) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_makes_no_cabinet_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cabinet.toml"
    path.write_text("[lines.A]\nbaud = 9601\n")
    words = ["cabinet", "--dir", str(tmp_path), "--panel-port", "0", "--file", str(path)]
    assert main(words) == 2
    assert main([*words, "--baud", "9600"]) == 2
    wrong, twice = capsys.readouterr().err.splitlines()
    assert wrong.startswith(f"hw-sim cabinet: {path}: lines.A: baud = 9601 is none of")
    assert twice.endswith("says the baud of each line; drop --baud")


def test_a_taken_port_of_a_line_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = tmp_path / "cabinet.toml"
        wish = MIXED.read_text().replace('"raw-tcp"', f'"raw-tcp"\nport = {port}')
        path.write_text(wish)
        words = ["cabinet", "--dir", str(tmp_path / "run"), "--panel-port", "0", "--file", str(path)]
        assert main(words) == 1
    assert "in use" in capsys.readouterr().err


def test_a_pulse_reaches_an_open_page(cabinet_url: str, tmp_path: Path) -> None:
    events: list[str] = []
    with httpx.stream("GET", f"{cabinet_url}events", timeout=60) as page:
        lines = page.iter_lines()
        next(lines)
        with opened(tmp_path / "line-A") as line:
            line.ask(frame("01 05 02 08 00 05"), 8)
            for text in lines:
                if text.startswith("event:"):
                    events.append(text.removeprefix("event: "))
                if '"what": "door_opened"' in text:
                    break
    assert '"number": 9, "open": true' in text
    assert {"pulse", "move"} <= set(events)


def test_a_phone_serves_and_ends_cleanly(start: Start) -> None:
    port = free_port()
    process = start("phone", "--port", str(port))
    body = {"to": "10086", "template": "receipt", "variables": {}, "idempotency_key": "1"}
    assert httpx.post(f"http://127.0.0.1:{port}/sms", json=body).status_code == 200
    process.terminate()
    assert process.wait(timeout=60) == 0


def test_a_taken_port_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["phone", "--port", port]) == 1
        assert main(["cabinet", "--dir", str(tmp_path), "--panel-port", port]) == 1
    assert capsys.readouterr().err.count("in use") == 2


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dance"],
        ["cabinet"],
        ["cabinet", "--dir", "x", "--baud", "9601"],
        ["cabinet", "--dir", "x", "--make", "d8", "--layout", "d8"],
    ],
)
def test_words_that_make_no_command_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2


def test_help_loads_no_command() -> None:
    probe = "import sys, hw_sim.__main__ as m\ntry: m.main(['--help'])\nexcept SystemExit: pass\n"
    probe += "print(*[name for name in sys.modules if name in ('starlette', 'uvicorn', 'qrcode')], 'none')"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "none"
    assert all(name in done.stdout for name in COMMANDS)


def test_it_dies_with_its_parent_even_by_kill(tmp_path: Path) -> None:
    parent = textwrap.dedent(f"""
        import os, subprocess, sys
        words = ["cabinet", "--dir", {str(tmp_path)!r}, "--panel-port", "0"]
        words += ["--die-with-parent", str(os.getpid())]
        child = subprocess.Popen([sys.executable, "-m", "hw_sim", *words], stdout=subprocess.PIPE, text=True)
        while not child.stdout.readline().startswith("panel:"): pass
        print(child.pid, flush=True)
        child.wait()
    """)
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        process.kill()
    child.wait(timeout=60)
    assert not psutil.pid_exists(child.pid)


def test_a_signal_that_comes_with_the_greeting_counts() -> None:
    hasty = textwrap.dedent("""
        import os, signal
        from hw_sim.phone import build
        from hw_sim.sms import Inbox
        from hw_sim.web import Broadcast, bound, serve
        broadcast = Broadcast()
        serve(build(Inbox(), broadcast), broadcast, bound(0), lambda: os.kill(os.getpid(), signal.SIGTERM))
    """)
    assert subprocess.run([sys.executable, "-c", hasty], check=False, timeout=60).returncode == 0


def test_an_orphan_leaves_at_once(tmp_path: Path) -> None:
    nobody = subprocess.Popen([sys.executable, "-c", ""])
    nobody.wait(timeout=60)
    words = ["cabinet", "--dir", str(tmp_path), "--panel-port", "0", "--die-with-parent", str(nobody.pid)]
    done = subprocess.run([sys.executable, "-m", "hw_sim", *words], check=False, timeout=60)
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []
