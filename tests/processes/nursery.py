"""Processes that begin where their imports are done: forked from one that has done nothing else.

A test that kills the hub thirty times would spend most of its time on the same imports. What is born here is
a process with its own session, environment, log and death; all that it skips is the way to `main`. Starts by
the commands themselves are tested where a start is the subject, and by the demonstration.

``nursery PROGRAM`` is the one that forks: it is asked on standard input, a line of JSON each, and answers so.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from hw_sim import clock
from hw_sim.lifeline import die_with_parent

MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "lockerd": ("locker.__main__", "locker.daemon"),
    "locker-central": ("sync.central.__main__", "sync.central.hub"),
}
"""Of each command: whose `main` it is, and what that imports on its way."""
POLL_S: Final = 0.01


class Born:
    """One of them, with the face of a `subprocess.Popen`."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self._nursery = nursery
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.ask({"ended": self.pid})
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Raises subprocess.TimeoutExpired."""
        end_s = clock.mono_s() + timeout
        while (code := self.poll()) is None:
            if clock.mono_s() > end_s:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            clock.pause_s(POLL_S)
        return code

    def send_signal(self, how: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, how)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """Of one command. It ends with this process, and with it whatever it gave birth to."""

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._asking = threading.Lock()
        atexit.register(self._close)

    def ask(self, question: Mapping[str, object]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def begin(
        self,
        words: Sequence[str],
        *,
        log: Path,
        said: Path = Path(os.devnull),
        script: str = "",
        environment: Mapping[str, str] = os.environ,
    ) -> Born:
        """``words`` as in `sys.argv`; ``script``: run instead, as Python's own argument."""
        files = {"said": str(said), "log": str(log)}
        asked = {"words": list(words), "script": script, "environment": dict(environment), **files}
        return Born(self, int(self.ask(asked)))

    def output(self, words: Sequence[str], given: str, patience_s: float) -> tuple[int, str]:
        """How a command ended, and what it said on either channel."""
        with tempfile.TemporaryDirectory() as folder:
            said, log = Path(folder, "said"), Path(folder, "log")
            said.write_text(given, "utf-8")
            code = self.begin(words, log=log, said=said).wait(patience_s)
            return code, log.read_text("utf-8")

    def _close(self) -> None:
        with self._process as process:
            process.terminate()


@cache
def nursery(program: str) -> Nursery:
    """One for all tests of this process."""
    return Nursery(program)


# --- the one that forks -------------------------------------------------------------------------------------


def serve() -> Mapping[str, Any] | None:
    """Returns in whoever was born, with what was asked for it; None where nobody asks any more."""
    own = os.getpid()
    for line in iter(sys.stdin.readline, ""):
        asked = json.loads(line)
        if "ended" in asked:
            pid, status = os.waitpid(asked["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if not answer:
                become(asked, own)
                return dict(asked)
        print(json.dumps(answer), flush=True)
    return None


def become(asked: Mapping[str, Any], parent: int) -> None:
    """What an exec would have made of it."""
    os.setsid()
    die_with_parent(parent)
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    said = os.open(asked["said"], os.O_RDONLY)
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for source, target in ((said, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(said)
    os.close(log)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # as long as the process; the old one has read ahead
    sys.argv = asked["words"]


def begun(program: str) -> int | None:
    own, *imported = MODULES[program]
    main = importlib.import_module(own).main
    for each in imported:
        importlib.import_module(each)
    gc.freeze()
    asked = serve()
    if asked is None:
        return 0
    if asked["script"]:
        runpy.run_path(asked["script"], run_name="__main__")
        return 0
    code: int | None = main()
    return code


if __name__ == "__main__":
    sys.exit(begun(sys.argv[1]))
